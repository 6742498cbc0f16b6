/** The RPC layer of a charge point: one CALL at a time, replies matched by unique id, CALLs answered meanwhile. OCPP-J §4. */
import { type AnomalyKind, noteAnomaly, type Statistics } from "./statistics.ts"
import {
  CallError,
  callFrame,
  CallTimeout,
  ConnectionLost,
  errorFrame,
  type Frame,
  faultOfConfirmation,
  type Payload,
  readFrame,
  resultFrame,
  WrongConfirmation,
} from "./wire.ts"

/** Answers a CALL; what is given to `after` runs once the answer has left. A thrown CallError becomes a CALLERROR. */
export type CallHandler = (
  payload: Payload,
  after: (work: () => void) => void,
  action: string,
) => object | Promise<object>

/** A CALL from the central system. Without a handler it stays open until `answer` or `refuse`. */
export interface ReceivedCall {
  action: string
  uniqueId: string
  payload: Payload
  answer(confirmation: object): void
  refuse(code: string, description?: string): void
}

/** A CALL of ours that was answered as it should be. */
export interface Exchange {
  action: string
  uniqueId: string
  payload: object
  confirmation: Payload
  ms: number
}

export interface ConversationOptions {
  /** Whose conversation it is, for the examples in the statistics. */
  identity: string
  /** How long a CALL waits for its answer. */
  callTimeoutMs: number
  statistics: Statistics
  send(text: string): void
  /** The handler of an action, if there is one. */
  handlerOf(action: string): CallHandler | undefined
  /** Told of every CALL from the other side. */
  received(call: ReceivedCall): void
  exchanged(exchange: Exchange): void
  /** How long each answer is kept back, in ms. */
  answerDelayMs(): number
}

type Outcome = "doubled" | "late" | "excused"
type Reply = Exclude<Frame, { type: "CALL" }>

interface Outgoing {
  action: string
  payload: object
  uniqueId: string
  sentAt: number
  timer?: Timer
  resolve: (confirmation: Payload) => void
  reject: (cause: Error) => void
}

/** How many unique ids are remembered to tell a stray reply for what it is. */
const MEMORY = 32

/** Lives as long as one connection. */
export class Conversation {
  readonly #options: ConversationOptions
  readonly #queue: Outgoing[] = []
  readonly #settled: { uniqueId: string; outcome: Outcome }[] = []
  #outstanding: Outgoing | undefined
  #over = false

  constructor(options: ConversationOptions) {
    this.#options = options
  }

  /** Sends when the earlier CALLs are answered; rejects with CallError, CallTimeout, WrongConfirmation, ConnectionLost. */
  call(action: string, payload: object, uniqueId: string): Promise<Payload> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ action, payload, uniqueId, sentAt: 0, resolve, reject })
      this.#sendNext()
    })
  }

  /** A reply with this unique id is expected, and no anomaly. */
  excuse(uniqueId: string): void {
    this.#settle(uniqueId, "excused")
  }

  read(text: string): void {
    const frame = readFrame(text)
    if (!frame) this.#note("garbage", text)
    else if (frame.type === "CALL") this.#receive(frame)
    else if (frame.uniqueId === this.#outstanding?.uniqueId) this.#answered(this.#outstanding, frame, text)
    else this.#stray(frame.uniqueId, text)
  }

  /** The connection is gone: nothing will be answered any more. */
  end(reason: string): void {
    this.#over = true
    clearTimeout(this.#outstanding?.timer)
    const unanswered = this.#outstanding ? [this.#outstanding, ...this.#queue] : this.#queue
    for (const { reject } of unanswered) reject(new ConnectionLost(reason))
  }

  #sendNext(): void {
    if (this.#outstanding || this.#over) return
    const next = this.#queue.shift()
    if (!next) return
    this.#outstanding = next
    next.sentAt = performance.now()
    next.timer = setTimeout(() => this.#giveUp(next), this.#options.callTimeoutMs)
    this.#options.statistics.callsSent++
    this.#options.send(callFrame(next.uniqueId, next.action, next.payload))
  }

  #giveUp(call: Outgoing): void {
    this.#outstanding = undefined
    this.#settle(call.uniqueId, "late")
    this.#note("missing", `no answer to ${call.action} ${call.uniqueId}`)
    call.reject(new CallTimeout(`${call.action} was not answered`))
    this.#sendNext()
  }

  #answered(call: Outgoing, frame: Reply, text: string): void {
    clearTimeout(call.timer)
    this.#outstanding = undefined
    this.#settle(call.uniqueId, "doubled")
    if (frame.type === "CALLERROR") this.#failed(call, frame.error, text)
    else this.#confirmed(call, frame.payload, text)
    this.#sendNext()
  }

  #failed(call: Outgoing, error: CallError, text: string): void {
    const { statistics, identity } = this.#options
    statistics.callErrors++
    statistics.errorExample ??= `${identity}: ${call.action} → ${text.slice(0, 300)}`
    call.reject(error)
  }

  #confirmed(
    { action, uniqueId, payload, sentAt, resolve, reject }: Outgoing,
    confirmation: Payload,
    text: string,
  ): void {
    const fault = faultOfConfirmation(action, confirmation)
    if (fault) {
      this.#note("wrong", `${action} → ${text} (${fault})`)
      reject(new WrongConfirmation(`${action}: ${fault}`))
      return
    }
    this.#options.statistics.answered++
    resolve(confirmation)
    this.#options.exchanged({ action, uniqueId, payload, confirmation, ms: performance.now() - sentAt })
  }

  #stray(uniqueId: string, text: string): void {
    const known = this.#settled.find((settled) => settled.uniqueId === uniqueId)
    if (known?.outcome !== "excused") this.#note(known?.outcome ?? "unmatched", text)
  }

  #settle(uniqueId: string, outcome: Outcome): void {
    this.#settled.unshift({ uniqueId, outcome })
    if (this.#settled.length > MEMORY) this.#settled.pop()
  }

  #note(kind: AnomalyKind, text: string): void {
    noteAnomaly(this.#options.statistics, kind, `${this.#options.identity}: ${text}`)
  }

  #receive({ uniqueId, action, payload }: Extract<Frame, { type: "CALL" }>): void {
    this.#options.statistics.callsReceived++
    let open = true
    // An answer belongs to the connection that asked: once that is over it has nowhere to go.
    const reply = (text: string): boolean => {
      if (!open) throw new Error(`${action} ${uniqueId} is answered already`)
      open = false
      if (!this.#over) this.#options.send(text)
      return !this.#over
    }
    const call: ReceivedCall = {
      action,
      uniqueId,
      payload,
      answer: (confirmation) => {
        reply(resultFrame(uniqueId, confirmation))
      },
      refuse: (code, description) => {
        reply(errorFrame(uniqueId, new CallError(code, description)))
      },
    }
    const handler = this.#options.handlerOf(action)
    if (handler) void this.#handle(handler, call, reply)
    this.#options.received(call)
  }

  async #handle(handler: CallHandler, { action, uniqueId, payload }: ReceivedCall, reply: (text: string) => boolean) {
    const afterwards: (() => void)[] = []
    let text: string
    try {
      text = resultFrame(uniqueId, await handler(payload, (work) => afterwards.push(work), action))
    } catch (cause) {
      const error = cause instanceof CallError ? cause : new CallError("InternalError", String(cause))
      text = errorFrame(uniqueId, error)
    }
    const delayMs = this.#options.answerDelayMs()
    if (delayMs > 0) await Bun.sleep(delayMs)
    if (reply(text)) for (const work of afterwards) work()
  }
}
