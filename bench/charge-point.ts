/** A charge point of our own: a WebSocket client that speaks OCPP 1.6-J and knows nothing of any central system's code. */
import { Backlog } from "./backlog.ts"
import { type CallHandler, Conversation, type Exchange, type ReceivedCall } from "./conversation.ts"
import { Inbox } from "./inbox.ts"
import { Line, type LineOptions } from "./line.ts"
import type { Random } from "./random.ts"
import { newStatistics, type Statistics } from "./statistics.ts"
import { type ConfirmationOf, ConnectionLost } from "./wire.ts"

export interface ChargePointOptions extends Omit<LineOptions, "random"> {
  connectors?: number
  vendor?: string
  model?: string
  serialNumber?: string
  firmwareVersion?: string
  /** How long a CALL waits for its answer; 30 s unless told. */
  callTimeoutMs?: number
  /** How many unclaimed CALLs and texts `waitForCall` and `waitForText` can look back at; 1000 unless told. */
  keep?: number
  /** Many charge points may count into one. */
  statistics?: Statistics
  random?: Random
}

/** Connects and resolves once the WebSocket is open; rejects with ConnectionLost if refused (see LineOptions.reconnect). */
export async function connectChargePoint(options: ChargePointOptions): Promise<ChargePoint> {
  const chargePoint = new ChargePoint(options)
  await chargePoint.connect()
  return chargePoint
}

export class ChargePoint implements AsyncDisposable {
  readonly identity: string
  readonly statistics: Statistics
  /** Transaction messages; flows whenever online, unless held. */
  readonly backlog: Backlog
  /** How long each answer is kept back, in ms. */
  answerDelayMs: () => number = () => 0
  readonly #line: Line
  readonly #options: ChargePointOptions
  readonly #handlers = new Map<string, CallHandler>()
  readonly #calls: Inbox<ReceivedCall>
  readonly #texts: Inbox<string>
  readonly #closes = new Inbox<{ code: number; reason: string }>(10)
  readonly #openListeners: (() => void)[] = []
  readonly #closeListeners: ((code: number, reason: string) => void)[] = []
  readonly #exchangeListeners: ((exchange: Exchange) => void)[] = []
  readonly #idPrefix = crypto.randomUUID().slice(0, 8)
  #lastId = 0
  #over = false
  #conversation: Conversation | undefined

  constructor(options: ChargePointOptions) {
    this.#options = options
    this.identity = options.identity
    this.statistics = options.statistics ?? newStatistics()
    this.#calls = new Inbox(options.keep ?? 1000)
    this.#texts = new Inbox(options.keep ?? 1000)
    this.backlog = new Backlog(
      (action, payload) => this.call(action, payload),
      () => this.online,
    )
    this.#line = new Line(
      { ...options, random: options.random ?? Math.random },
      {
        opened: () => this.#opened(),
        text: (text) => {
          this.#texts.put(text)
          this.#conversation?.read(text)
        },
        closed: (code, reason) => this.#closed(code, reason),
      },
    )
  }

  get online(): boolean {
    return this.#line.isOpen
  }

  /** The password of the next connection. */
  set password(password: string | Uint8Array) {
    this.#line.password = password
  }

  /** Opens the connection; resolves at once when it is open already, rejects after `close`. */
  connect(): Promise<void> {
    if (this.#over) return Promise.reject(new ConnectionLost(`${this.identity} is closed`))
    return this.#line.open()
  }

  /** Closes in order and stays offline until `connect`; the backlog is kept. */
  disconnect(code?: number, reason?: string): Promise<void> {
    return this.#line.hangUp(code, reason)
  }

  /** Drops the connection without a close frame; with `reconnect` it comes back by itself. */
  terminate(): void {
    this.#line.cut()
  }

  /** The end: closes for good, and keeps no backlog flowing. */
  close(): Promise<void> {
    this.#over = true
    this.backlog.hold()
    return this.disconnect()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Sends a CALL when the earlier ones are answered, and resolves with the confirmation.
   * Rejects with CallError, CallTimeout, WrongConfirmation or ConnectionLost (at once when offline). OCPP-J §4.1.1.
   */
  call<A extends string>(action: A, payload: object = {}, uniqueId = this.#nextId()): Promise<ConfirmationOf<A>> {
    const conversation = this.online ? this.#conversation : undefined
    if (!conversation) return Promise.reject(new ConnectionLost(`${this.identity} is offline`))
    return conversation.call(action, payload, uniqueId) as Promise<ConfirmationOf<A>>
  }

  /**
   * Sends a transaction message: queued while offline, delivered in order, tried again when the central system fails
   * to process it. A payload given as a function is made when the message leaves. OCPP 1.6 §3.7.
   */
  deliver<A extends string>(action: A, payload: object | (() => object)): Promise<ConfirmationOf<A>> {
    const make = typeof payload === "function" ? () => (payload as () => object)() : () => payload
    return this.backlog.add(action, make) as Promise<ConfirmationOf<A>>
  }

  /** Answers every CALL of an action; "*" answers those that no other handler does. */
  onCall(action: string, handler: CallHandler): void {
    this.#handlers.set(action, handler)
  }

  /** The next CALL of an action that nobody has waited for yet, also one that came before the question. */
  waitForCall(action: string, timeoutMs = 5000): Promise<ReceivedCall> {
    return this.#calls.take(`a CALL ${action}`, (call) => call.action === action, timeoutMs)
  }

  /** Sends any text as it is. Replies with `excuse` as their unique id are then expected and no anomaly. */
  send(text: string, excuse?: string): void {
    if (excuse !== undefined) this.excuse(excuse)
    this.#line.send(text)
  }

  /** Replies with this unique id are no anomaly on this connection. */
  excuse(uniqueId: string): void {
    this.#conversation?.excuse(uniqueId)
  }

  /** The next received text that matches and that nobody has waited for yet; frames of replies included. */
  waitForText(matches: (text: string) => boolean = () => true, timeoutMs = 5000): Promise<string> {
    return this.#texts.take("a matching text", matches, timeoutMs)
  }

  /** The next loss or closing of the connection, also one that came before the question. */
  waitForClose(timeoutMs = 5000): Promise<{ code: number; reason: string }> {
    return this.#closes.take("a close", () => true, timeoutMs)
  }

  ping(): void {
    this.#line.ping()
  }

  onOpen(listener: () => void): void {
    this.#openListeners.push(listener)
  }

  onClose(listener: (code: number, reason: string) => void): void {
    this.#closeListeners.push(listener)
  }

  /** Called for each CALL of ours that was answered with a CALLRESULT as it should be. */
  onExchange(listener: (exchange: Exchange) => void): void {
    this.#exchangeListeners.push(listener)
  }

  /** How this charge point introduces itself. OCPP 1.6 §4.2. */
  get identification() {
    const { vendor = "Busbar", model = "Bench", serialNumber, firmwareVersion = "1.0.0" } = this.#options
    return {
      chargePointVendor: vendor,
      chargePointModel: model,
      ...(serialNumber !== undefined && { chargePointSerialNumber: serialNumber }),
      firmwareVersion,
    }
  }

  get connectors(): number {
    return this.#options.connectors ?? 1
  }

  /** Boots once: BootNotification and, if Accepted, StatusNotification Available for connector 0 and every other. */
  async boot(): Promise<ConfirmationOf<"BootNotification">> {
    const confirmation = await this.call("BootNotification", this.identification)
    if (confirmation.status !== "Accepted") return confirmation
    for (let connectorId = 0; connectorId <= this.connectors; connectorId++)
      await this.call("StatusNotification", { connectorId, errorCode: "NoError", status: "Available" })
    return confirmation
  }

  #nextId(): string {
    return `${this.#idPrefix}-${++this.#lastId}`
  }

  #opened(): void {
    this.#conversation = new Conversation({
      identity: this.identity,
      callTimeoutMs: this.#options.callTimeoutMs ?? 30_000,
      statistics: this.statistics,
      send: (text) => this.#line.send(text),
      handlerOf: (action) => this.#handlers.get(action) ?? this.#handlers.get("*"),
      received: (call) => this.#calls.put(call),
      exchanged: (exchange) => {
        for (const listener of this.#exchangeListeners) listener(exchange)
      },
      answerDelayMs: () => this.answerDelayMs(),
    })
    this.statistics.opened++
    for (const listener of this.#openListeners) listener()
    this.backlog.flow()
  }

  #closed(code: number, reason: string): void {
    this.statistics.closed++
    this.#conversation?.end(`closed (${code}) ${reason}`)
    this.#conversation = undefined
    this.#closes.put({ code, reason })
    for (const listener of this.#closeListeners) listener(code, reason)
  }
}
