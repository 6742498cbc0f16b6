/** One charge point's socket: claimed, spoken with, kept alive and closed. It moves text; what that means is not known here. */
import { atMost } from "../at-most.ts"
import type { ServerWebSocket } from "bun"
import { type ChargePointState, chargePointState } from "../facts/events.ts"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Handler } from "../handlers/handler.ts"
import { handlers } from "../handlers/index.ts"
import type { Log } from "../log.ts"
import type { ConfirmationOf, RequestOf } from "../ocpp/action.ts"
import { type CallOptions, ConversationClosed } from "../ocpp/call-queue.ts"
import { type CallMeta, type Conversation, openConversation } from "../ocpp/conversation.ts"
import { type Deviation, example } from "../ocpp/deviation.ts"
import { OcppError } from "../ocpp/errors.ts"
import type {
  CentralSystemActionName,
  ChargePointActionName,
  FromCentralSystem,
  FromChargePoint,
} from "../ocpp/index.ts"
import type { Level } from "../ocpp/level.ts"
import type { HangUpReason, Line } from "../services/lines.ts"
import { OwnershipLost } from "../services/ownership.ts"
import { StoreUnavailable } from "../services/ports.ts"
import { mayCall, triggeredAction } from "../services/registration.ts"
import type { WireTap } from "../services/wire-log.ts"
import { closeCodes } from "./close-codes.ts"
import { Doubt } from "./doubt.ts"
import { KeepAlive } from "./keep-alive.ts"
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

export class Connection implements Line {
  readonly #socket: Socket
  readonly #around: ConnectionSurroundings
  readonly #conversation: Conversation
  readonly #tap: WireTap
  readonly #keepAlive: KeepAlive
  /** What has to be over before the socket is read. */
  readonly #pauses = new Set<"opening" | "doubt" | "backlog" | "handing-back">()
  /** Frames that had been read before the socket was paused; they wait for the claim, in order. */
  readonly #early: string[] = []
  readonly #doubt: Doubt
  /** Actions that a TriggerMessage on this connection asked for. */
  readonly #triggered = new Set<string>()
  /** CALLs of ours that wait for their answer. */
  readonly #calls = new Set<Promise<unknown>>()
  readonly #over = Promise.withResolvers<void>()
  readonly #admitted: Admitted
  #chargePoint: ChargePointState
  #state: "opening" | "open" | "closed" = "opening"
  /** While the socket is being opened the one that it was admitted with; 0 where Redis was away. */
  #epoch: number
  #lastSeenAt: number
  #isTakenForOffline = false
  #isArriving = false
  /** Taken away by the operator: what it sent before it knew may not leave anything behind. */
  #isDeleted = false

  constructor(socket: Socket, admitted: Admitted, around: ConnectionSurroundings) {
    const { services } = around
    this.#socket = socket
    this.#admitted = admitted
    this.#chargePoint = chargePointState(admitted.chargePoint)
    this.#epoch = admitted.epoch ?? 0
    this.#around = around
    this.#lastSeenAt = services.clock.now()
    this.#keepAlive = new KeepAlive(around.pingIntervalMs, this.#lastSeenAt)
    this.#tap = services.wireLog.tap(() => this.#chargePoint)
    const level = () => this.#level
    this.#doubt = new Doubt({
      isCertain: () => services.presence.isCertain,
      prove: () => services.presence.prove(this),
      pause: () => this.#pause("doubt"),
      resume: () => this.#resume("doubt"),
      take: (text) => this.#receive(text),
      write: (text) => this.#write(text),
      lost: () => this.close("Superseded"),
      isOver: () => this.#state === "closed",
    })
    this.#conversation = openConversation({
      send: (text) => this.#doubt.say(text),
      handle: (action, request, meta) => this.#handle(action, request, meta),
      get level() {
        return level()
      },
      onDeviation: (deviation, action) => this.#deviates(deviation, action),
      onMessage: (message) => this.#tap.message(message),
      onFault: (cause, action) => this.#fault(cause, action),
      pauseReading: () => this.#pause("backlog"),
      resumeReading: () => this.#resume("backlog"),
      now: () => services.clock.now(),
    })
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
    return this.#over.promise
  }

  /** Claims the charge point; what it sends meanwhile waits. Never rejects. */
  async open(): Promise<void> {
    const { presence, lines } = this.#around.services
    this.#pause("opening")
    try {
      this.#epoch = await presence.take(this.#admitted.chargePoint, this.#admitted.epoch)
    } catch (cause) {
      if (!(cause instanceof OwnershipLost)) this.#fault(cause)
      this.close(cause instanceof OwnershipLost ? "Superseded" : "StoreUnavailable")
      this.#conversation.close("not claimed")
      return this.#over.resolve()
    }
    const isGone = this.#state === "closed"
    if (!isGone) {
      this.#state = "open"
      lines.add(this)?.close("Superseded")
    }
    // Also what came from a socket that is gone again: a charge point that resets at once may never say it again.
    for (const text of this.#early.splice(0)) this.#receive(text)
    if (isGone) return this.#leave("closed")
    this.#resume("opening")
  }

  /** A frame from the socket. */
  received(data: string | Buffer): void {
    if (this.#state === "closed") return
    this.heard()
    const text = typeof data === "string" ? data : this.#textOf(data)
    if (text === undefined) return
    if (this.#state === "opening") this.#early.push(text)
    else this.#doubt.hear(text)
  }

  /** Any sign of life: a frame, a ping, a pong. */
  heard(): void {
    this.#lastSeenAt = this.#around.services.clock.now()
    if (!this.#isTakenForOffline) return
    this.#isTakenForOffline = false
    void this.#around.services.presence.resume(this)
  }

  /** A pong: this charge point answers pings, so one that is missing will tell. */
  ponged(): void {
    this.heard()
    this.#keepAlive.ponged()
  }

  /** Pings a silent peer and lets go of a dead one. To be called every now and then. */
  checkAlive(now: number): void {
    // Nothing can be heard while nothing is read.
    if (this.#pauses.size > 0 || this.#state !== "open") return
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
    // Acceptance is never taken back: a row from before it must not undo it.
    this.#chargePoint = { ...state, acceptedAt: state.acceptedAt ?? this.#chargePoint.acceptedAt }
    this.#isTakenForOffline = !state.online && state.epoch === this.#epoch && this.#state === "open"
  }

  async call<A extends CentralSystemActionName>(
    action: A,
    request: RequestOf<FromCentralSystem[A]>,
    options: CallOptions,
  ): Promise<ConfirmationOf<FromCentralSystem[A]>> {
    if (this.#pauses.has("handing-back")) throw new ConversationClosed("Stopping", false)
    const triggered = triggeredAction(action, request)
    if (triggered !== undefined) this.#triggered.add(triggered)
    const answer = this.#conversation.call(action, request, options)
    this.#calls.add(answer)
    const confirmation = await answer.finally(() => this.#calls.delete(answer))
    const isRefused = "status" in confirmation && confirmation.status !== "Accepted"
    if (triggered !== undefined && isRefused) this.#triggered.delete(triggered)
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

  async #finished(): Promise<void> {
    await this.#conversation.settled()
    // The answers to our own CALLs have yet to be read.
    if (this.#calls.size > 0) this.#socket.resume()
    await Promise.allSettled(this.#calls)
    await this.#conversation.settled()
    await this.#doubt.end
  }

  async #handle<A extends ChargePointActionName>(
    action: A,
    request: RequestOf<FromChargePoint[A]>,
    { uniqueId, receivedAt }: CallMeta,
  ): Promise<ConfirmationOf<FromChargePoint[A]>> {
    if (this.#isDeleted) throw new OcppError("SecurityError", "unknown charge point")
    if (!mayCall(this.#chargePoint, action, this.#triggered)) {
      throw new OcppError("SecurityError", "not accepted: BootNotification comes first")
    }
    const { chargePointId, organisationId, epoch } = this
    const from = { organisationId, chargePointId, epoch, receivedAt }
    try {
      const { services } = this.#around
      const confirmation = await table[action](request, {
        from,
        uniqueId,
        level: this.#level,
        deviates: (kind, field, value) =>
          this.#deviates({ kind, path: `${action}.req.${field}`, example: example(value) }, action),
        services,
      })
      if (action === "BootNotification") this.#booted(confirmation as BootConfirmation, receivedAt)
      return confirmation
    } catch (cause) {
      // Closing first: then there is no answer to what the owner of a newer socket may not see.
      if (cause instanceof OwnershipLost) this.close("Superseded")
      throw cause
    }
  }

  #deviates({ kind, path, example: shown }: Deviation, action: string | undefined): void {
    this.#around.services.deviations.note(this.#named, kind, path === "" ? (action ?? "frame") : path, shown)
    this.#tap.deviation(action, this.#isArriving)
  }

  #booted({ status: registrationStatus }: BootConfirmation, at: number): void {
    const acceptedAt = this.#chargePoint.acceptedAt ?? (registrationStatus === "Accepted" ? at : null)
    this.#chargePoint = { ...this.#chargePoint, registrationStatus, acceptedAt }
  }

  /** Resolves when everything this connection had to do is done. */
  async #leave(reason: string): Promise<void> {
    const { lines, presence } = this.#around.services
    lines.remove(this)
    // What had been read is still handled if nobody newer turns up.
    if (this.#doubt.end !== undefined) await this.#doubt.end
    this.#conversation.close(reason)
    await Promise.all([presence.leave(this), this.#conversation.settled()])
    if (this.#isDeleted) await this.#endDeleted()
    this.#over.resolve()
  }

  /** What was being handled when the charge point was deleted may have come after the deletion. */
  async #endDeleted(): Promise<void> {
    const { store, clock } = this.#around.services
    try {
      await store.change("deleteChargePoint", { ...this.#named, at: clock.now() })
    } catch (cause) {
      this.#fault(cause)
    }
  }

  #receive(text: string): void {
    this.#isArriving = true
    this.#conversation.receive(text)
    this.#isArriving = false
  }

  #write(text: string): void {
    // 0: dropped. A lost reply must not pass for a sent one; the charge point will ask again on a new connection.
    if (this.#socket.send(text) === 0) this.#socket.terminate()
  }

  #textOf(data: Buffer): string | undefined {
    this.#around.services.deviations.note(this.#named, "binary-frame", "frame", `${data.length} bytes`)
    return this.#level === "tolerant" ? data.toString("utf8") : undefined
  }

  #pause(reason: "opening" | "doubt" | "backlog" | "handing-back"): void {
    this.#pauses.add(reason)
    this.#socket.pause()
  }

  #resume(reason: "opening" | "doubt" | "backlog"): void {
    this.#pauses.delete(reason)
    if (this.#pauses.size > 0) return
    // What piled up unread is no silence.
    this.#lastSeenAt = this.#around.services.clock.now()
    this.#socket.resume()
  }

  #fault(cause: unknown, action?: string): void {
    if (cause instanceof OwnershipLost) return
    const { chargePointId } = this
    const { faults, log } = this.#around
    const line = { err: cause, chargePointId, ...(action === undefined ? {} : { action }) }
    faults.write(() =>
      cause instanceof StoreUnavailable
        ? log.warn(line, "the store is unavailable")
        : log.error(line, "a message failed"),
    )
  }

  get #level(): Level {
    return this.#chargePoint.leniency ?? this.#around.services.leniency
  }

  get #named(): { organisationId: string; chargePointId: string } {
    const { organisationId, chargePointId } = this
    return { organisationId, chargePointId }
  }
}
