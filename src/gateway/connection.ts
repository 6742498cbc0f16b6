/** One charge point's socket: claimed, spoken with, kept alive and closed. It moves text; what that means is not known here. */
import { atMost } from "../at-most.ts"
import type { ServerWebSocket } from "bun"
import type { ChargePointState } from "../facts/events.ts"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Handler } from "../handlers/handler.ts"
import { handlers } from "../handlers/index.ts"
import type { Log } from "../log.ts"
import type { ConfirmationOf, RequestOf } from "../ocpp/action.ts"
import { type CallOptions, ConversationClosed } from "../ocpp/call-queue.ts"
import {
  type Answer,
  type CallMeta,
  type Conversation,
  type ConversationEnds,
  openConversation,
} from "../ocpp/conversation.ts"
import { type Deviation, example } from "../ocpp/deviation.ts"
import { OcppError } from "../ocpp/errors.ts"
import type {
  CentralSystemActionName,
  ChargePointActionName,
  FromCentralSystem,
  FromChargePoint,
} from "../ocpp/index.ts"
import type { Level } from "../ocpp/level.ts"
import type { WireMessage } from "../ocpp/wire-message.ts"
import type { HangUpReason, Line } from "../services/lines.ts"
import { OwnershipLost } from "../services/ownership.ts"
import { StoreUnavailable } from "../services/ports.ts"
import { mayCall, triggeredAction } from "../services/registration.ts"
import { closeCodes } from "./close-codes.ts"
import { Doubt } from "./doubt.ts"
import { KeepAlive } from "./keep-alive.ts"
import { booted, type Known, known, updated } from "./known.ts"
import type { RateLimited } from "./rate-limited.ts"
import type { GatewayServices } from "./services.ts"

/** What every connection of a gateway shares. */
export interface ConnectionSurroundings {
  services: GatewayServices
  log: Log
  faults: RateLimited
  pingIntervalMs: number
  /** How long CALLs under way are waited for when the socket is handed back. */
  finishMs: number
  /** The socket is closed, and all that arrived on it is handled and written. */
  over(connection: Connection): void
}

type BootConfirmation = ConfirmationOf<FromChargePoint["BootNotification"]>

type Socket = Pick<ServerWebSocket<unknown>, "send" | "close" | "terminate" | "ping" | "pause" | "resume" | "isPaused">

/** A charge point that was let in, and its place among those that open a socket for it; null while Redis is away. */
export interface Admitted {
  chargePoint: ChargePointRow
  epoch: number | null
}

/** How long a peer has to answer our close frame. */
const CLOSE_HANDSHAKE_MS = 2000

const table: { [A in ChargePointActionName]: Handler<A> } = handlers

const nothingTriggered: ReadonlySet<string> = new Set()

/** What has to be over before the socket is read: bits, for thousands of connections wait for nothing. */
const pauses = { opening: 1, doubt: 2, backlog: 4, "handing-back": 8 } as const
type Pause = keyof typeof pauses

/** Ten thousand of these may be idle: what most of them never need is made when it is needed. */
export class Connection implements Line, ConversationEnds {
  readonly #socket: Socket
  readonly #around: ConnectionSurroundings
  readonly #conversation: Conversation
  readonly #keepAlive: KeepAlive
  #pauses = 0
  /** Frames that had been read before the socket was paused; they wait for the claim, in order. */
  #early: string[] | undefined
  #doubt: Doubt | undefined
  /** Actions that a TriggerMessage on this connection asked for. */
  #triggered: Set<string> | undefined
  /** CALLs of ours that wait for their answer. */
  #calls: Set<Promise<unknown>> | undefined
  #over: PromiseWithResolvers<void> | undefined
  #isOver = false
  /** Until the charge point is claimed. */
  #admitted: Admitted | undefined
  #chargePoint: Known
  #state: "opening" | "open" | "closed" = "opening"
  /** While the socket is being opened the one that it was admitted with; 0 where Redis was away. */
  #epoch: number
  #lastSeenAt: number
  #isTakenForOffline = false
  /** A frame that was certainly for us is being taken: what leaves before that is done is certainly ours to say. */
  #isAnswering = false
  /** Taken away by the operator: what it sent before it knew may not leave anything behind. */
  #isDeleted = false

  constructor(socket: Socket, admitted: Admitted, around: ConnectionSurroundings) {
    this.#socket = socket
    this.#admitted = admitted
    this.#chargePoint = known(admitted.chargePoint)
    this.#epoch = admitted.epoch ?? 0
    this.#around = around
    this.#lastSeenAt = this.now()
    this.#keepAlive = new KeepAlive(around.pingIntervalMs, this.#lastSeenAt)
    this.#conversation = openConversation(this)
  }

  get chargePointId(): string {
    return this.#chargePoint.id
  }

  get organisationId(): string {
    return this.#chargePoint.organisationId
  }

  get identity(): string {
    return this.#chargePoint.identity
  }

  get epoch(): number {
    return this.#epoch
  }

  get lastSeenAt(): number {
    return this.#lastSeenAt
  }

  /** Fulfilled when the socket is closed, and all that arrived on it is handled and written. */
  get over(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    this.#over ??= Promise.withResolvers()
    return this.#over.promise
  }

  /** Claims the charge point; what it sends meanwhile waits. Never rejects. */
  async open(): Promise<void> {
    const { presence, lines } = this.#around.services
    const admitted = this.#admitted
    if (admitted === undefined) return
    this.#pause("opening")
    try {
      this.#epoch = await presence.take(admitted.chargePoint, admitted.epoch)
    } catch (cause) {
      this.onFault(cause)
      this.close(cause instanceof OwnershipLost ? "Superseded" : "StoreUnavailable")
      this.#conversation.close("not claimed")
      return this.#end()
    }
    this.#admitted = undefined
    const isGone = this.#state === "closed"
    if (!isGone) {
      this.#state = "open"
      lines.add(this)?.close("Superseded")
    }
    // Also what came from a socket that is gone again: a charge point that resets at once may never say it again.
    for (const text of this.#early ?? []) this.#conversation.receive(text)
    this.#early = undefined
    if (isGone) return this.#leave("closed")
    this.#resume("opening")
  }

  /** A frame from the socket. */
  received(data: string | Buffer): void {
    if (this.#state === "closed") return
    const at = this.heard()
    const text = typeof data === "string" ? data : this.#textOf(data)
    if (text === undefined) return
    if (this.#state === "opening") {
      this.#early ??= []
      this.#early.push(text)
    } else if (this.#isCertain) {
      // What is answered at once is answered in the same moment.
      this.#isAnswering = true
      this.#conversation.receive(text, at)
      this.#isAnswering = false
    } else this.#doubted.hear(text)
  }

  /** A frame for the socket. */
  send(text: string): void {
    if (this.#state === "closed") return
    if (this.#isAnswering || this.#isCertain) this.#write(text)
    else this.#doubted.say(text)
  }

  /** Any sign of life: a frame, a ping, a pong. @returns when it came, ms since 1970 */
  heard(): number {
    const at = this.now()
    this.#lastSeenAt = at
    if (this.#isTakenForOffline) {
      this.#isTakenForOffline = false
      void this.#around.services.presence.resume(this)
    }
    return at
  }

  /** A pong: this charge point answers pings, so one that is missing will tell. */
  ponged(): void {
    this.heard()
    this.#keepAlive.ponged()
  }

  /** Pings a silent peer and lets go of a dead one. To be called every now and then. */
  checkAlive(now: number): void {
    // Nothing can be heard while nothing is read.
    if (this.#pauses !== 0 || this.#doubt !== undefined || this.#state !== "open") return
    const { registration, deviations } = this.#around.services
    const heartbeatMs = registration.heartbeatIntervalS(this.#chargePoint.heartbeatIntervalS) * 1000
    switch (this.#keepAlive.check(now, this.#lastSeenAt, heartbeatMs)) {
      case "ping":
        this.#socket.ping()
        break
      case "unanswered":
        deviations.note(this.#named, "ping-unanswered", "socket", "")
        break
      case "dead":
        this.close("Silent")
        this.#socket.terminate()
        break
      case "alive":
    }
  }

  /** What the operator, or the charge point by booting, has changed since the connection was admitted. */
  update(state: ChargePointState): void {
    if (this.#state === "open" && state.epoch > this.#epoch) {
      this.close("Superseded")
      return
    }
    this.#chargePoint = updated(this.#chargePoint, state)
    this.#isTakenForOffline = !state.online && state.epoch === this.#epoch && this.#state === "open"
  }

  async call<A extends CentralSystemActionName>(
    action: A,
    request: RequestOf<FromCentralSystem[A]>,
    options: CallOptions,
  ): Promise<ConfirmationOf<FromCentralSystem[A]>> {
    if (this.#pauses & pauses["handing-back"]) throw new ConversationClosed("Stopping", false)
    const triggered = triggeredAction(action, request)
    if (triggered !== undefined) this.#triggered = (this.#triggered ?? new Set()).add(triggered)
    const answer = this.#conversation.call(action, request, options)
    this.#calls = (this.#calls ?? new Set()).add(answer)
    const confirmation = await answer.finally(() => this.#calls?.delete(answer))
    const isRefused = "status" in confirmation && confirmation.status !== "Accepted"
    if (triggered !== undefined && isRefused) this.#triggered?.delete(triggered)
    return confirmation
  }

  close(reason: HangUpReason): void {
    if (reason === "Deleted") this.#isDeleted = true
    if (this.#state === "closed") return
    const { code, reason: text } = closeCodes[reason]
    this.closed(reason)
    this.#socket.resume()
    this.#socket.close(code, text)
    // A peer that is gone never answers the close frame.
    setTimeout(() => this.#socket.terminate(), CLOSE_HANDSHAKE_MS).unref()
  }

  /** The socket is closed, whoever did it. A second time changes nothing. */
  closed(reason: string): void {
    const before = this.#state
    this.#state = "closed"
    if (before === "open") void this.#leave(reason)
  }

  /** Takes nothing new, lets CALLs under way finish, and closes with 1001. */
  async handBack(): Promise<void> {
    this.#pause("handing-back")
    await atMost(this.#finished(), this.#around.finishMs)
    this.close("Stopping")
  }

  // What the conversation asks for; see ConversationEnds.

  get level(): Level {
    return this.#chargePoint.leniency ?? this.#around.services.leniency
  }

  get isListening(): boolean {
    return this.#around.services.wireLog.keepsAll(this.#chargePoint)
  }

  now(): number {
    return this.#around.services.clock.now()
  }

  pauseReading(): void {
    this.#pause("backlog")
  }

  resumeReading(): void {
    this.#resume("backlog")
  }

  handle<A extends ChargePointActionName>(
    action: A,
    request: RequestOf<FromChargePoint[A]>,
    { uniqueId, receivedAt, message }: CallMeta,
  ): Answer<A> {
    if (this.#isDeleted) throw new OcppError("SecurityError", "unknown charge point")
    if (!mayCall(this.#chargePoint, action, this.#triggered ?? nothingTriggered)) {
      throw new OcppError("SecurityError", "not accepted: BootNotification comes first")
    }
    const { chargePointId, organisationId, epoch } = this
    const answer = table[action](request, {
      from: { organisationId, chargePointId, epoch, receivedAt },
      uniqueId,
      level: this.level,
      deviates: (kind, field, value) =>
        this.onDeviation({ kind, path: `${action}.req.${field}`, example: example(value) }, message),
      services: this.#around.services,
    })
    return action === "BootNotification" ? this.#boots(answer, receivedAt) : answer
  }

  onMessage(message: WireMessage, call?: WireMessage): void {
    this.#around.services.wireLog.message(this.#chargePoint, message, call)
  }

  onDeviation({ kind, path, example: shown }: Deviation, message: WireMessage): void {
    const { deviations, wireLog } = this.#around.services
    deviations.note(this.#named, kind, path === "" ? (message.action ?? "frame") : path, shown)
    wireLog.deviation(this.#chargePoint, message)
  }

  onFault(cause: unknown, action?: string): void {
    // Closing before the refusal is sent: what the owner of a newer socket may not see has no answer.
    if (cause instanceof OwnershipLost) {
      this.close("Superseded")
      return
    }
    const { chargePointId } = this
    const { faults, log } = this.#around
    const line = { err: cause, chargePointId, ...(action === undefined ? {} : { action }) }
    faults.write(() =>
      cause instanceof StoreUnavailable
        ? log.warn(line, "the store is unavailable")
        : log.error(line, "a message failed"),
    )
  }

  async #finished(): Promise<void> {
    await this.#conversation.settled()
    // The answers to our own CALLs have yet to be read.
    if (this.#calls !== undefined && this.#calls.size > 0) this.#socket.resume()
    await Promise.allSettled(this.#calls ?? [])
    await this.#conversation.settled()
    await this.#doubt?.end
  }

  async #boots<A extends ChargePointActionName>(
    answer: Answer<A>,
    at: number,
  ): Promise<ConfirmationOf<FromChargePoint[A]>> {
    const confirmation = await answer
    this.#chargePoint = booted(this.#chargePoint, confirmation as BootConfirmation, at)
    return confirmation
  }

  /** Resolves when everything this connection had to do is done. */
  async #leave(reason: string): Promise<void> {
    const { lines, presence } = this.#around.services
    lines.remove(this)
    // What had been read is still handled if nobody newer turns up.
    if (this.#doubt !== undefined) await this.#doubt.end
    this.#conversation.close(reason)
    await Promise.all([presence.leave(this), this.#conversation.settled()])
    if (this.#isDeleted) await this.#endDeleted()
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#over?.resolve()
    this.#around.over(this)
  }

  /** What was being handled when the charge point was deleted may have come after the deletion. */
  async #endDeleted(): Promise<void> {
    const { store, clock } = this.#around.services
    try {
      await store.change("deleteChargePoint", { ...this.#named, at: clock.now() })
    } catch (cause) {
      this.onFault(cause)
    }
  }

  /** Whether a newer socket would be known of. Asked at every frame, both ways, but for an answer that leaves at once. */
  get #isCertain(): boolean {
    return this.#doubt === undefined && this.#around.services.presence.isCertain
  }

  get #doubted(): Doubt {
    this.#doubt ??= new Doubt({
      prove: () => this.#around.services.presence.prove(this),
      pause: () => this.#pause("doubt"),
      resume: () => this.#doubt === undefined && this.#resume("doubt"),
      take: (text) => this.#conversation.receive(text),
      write: (text) => this.#write(text),
      ended: () => {
        this.#doubt = undefined
      },
      lost: () => this.close("Superseded"),
      isOver: () => this.#state === "closed",
    })
    return this.#doubt
  }

  #write(text: string): void {
    // 0: dropped. A lost reply must not pass for a sent one; the charge point will ask again on a new connection.
    if (this.#socket.send(text) === 0) this.#socket.terminate()
  }

  #textOf(data: Buffer): string | undefined {
    this.#around.services.deviations.note(this.#named, "binary-frame", "frame", `${data.length} bytes`)
    return this.level === "tolerant" ? data.toString("utf8") : undefined
  }

  #pause(reason: Pause): void {
    this.#pauses |= pauses[reason]
    this.#socket.pause()
  }

  #resume(reason: Pause): void {
    this.#pauses &= ~pauses[reason]
    if (this.#pauses !== 0) return
    // What piled up unread is no silence.
    this.#lastSeenAt = this.now()
    this.#socket.resume()
  }

  get #named(): { organisationId: string; chargePointId: string } {
    const { organisationId, chargePointId } = this
    return { organisationId, chargePointId }
  }
}
