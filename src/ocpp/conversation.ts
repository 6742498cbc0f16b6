import type { ConfirmationOf, RequestOf } from "./action.ts"
import { type CallOptions, CallQueue, systemTimers, type Timers } from "./call-queue.ts"
import type { Deviation } from "./deviation.ts"
import { OcppError } from "./errors.ts"
import { type Call, call, callError, callResult, type Frame, readFrame, type UnreadableCall } from "./frame.ts"
import type { CentralSystemActionName, ChargePointActionName, FromCentralSystem, FromChargePoint } from "./index.ts"
import type { Level } from "./level.ts"
import { readConfirmation, readRequest } from "./validate.ts"

/** What a handler learns about a CALL beside its request. */
export interface CallMeta {
  readonly uniqueId: string
  /** When the frame arrived, in ms since 1970. */
  readonly receivedAt: number
}

/** Answers a CALL. An OcppError it throws leaves as it is; anything else as InternalError, without its text. */
export type Handle = <A extends ChargePointActionName>(
  action: A,
  request: RequestOf<FromChargePoint[A]>,
  meta: CallMeta,
) => Promise<ConfirmationOf<FromChargePoint[A]>>

/** One frame on the wire, for a log. */
export interface WireMessage {
  readonly direction: "in" | "out"
  readonly at: number // ms since 1970
  readonly text: string
  readonly type: Frame["type"]
  readonly uniqueId?: string
  /** Of the CALL itself, or of the CALL that this frame answers. */
  readonly action?: string
  readonly errorCode?: string
}

export interface ConversationOptions {
  /** Hands a text to the socket. */
  send(text: string): void
  readonly handle: Handle
  /** Read at every message, so it may be a getter. */
  readonly level: Level
  /** `action` is the one of the CALL concerned, where that is known. */
  onDeviation?(deviation: Deviation, action?: string): void
  /** Both directions, in the order of the wire. Nothing waits for it. */
  onMessage?(message: WireMessage): void
  /** What went wrong on our side: a handler that threw anything but an OcppError, an observer or a socket that threw. */
  onFault?(cause: unknown, action?: string): void
  /** How many CALLs may wait for the one in process before reading has to pause; 32 when left out. */
  readonly maxWaitingCalls?: number
  /** Asks the reader to stop, and later to go on. What it delivers meanwhile is still taken. */
  pauseReading?(): void
  resumeReading?(): void
  readonly now?: () => number
  readonly timers?: Timers
}

/** A confirmation came, and cannot be understood. `cause` names the fault. */
export class UnreadableConfirmation extends Error {
  override readonly name = "UnreadableConfirmation"
  constructor(action: string, cause: OcppError) {
    super(`the answer to ${action} cannot be read: ${cause.description}`, { cause })
  }
}

/** One Charge Point on the line: text in, text out, no socket inside. */
export interface Conversation {
  /** Takes one text frame. Returns at once and never throws. */
  receive(text: string): void
  /**
   * Asks the Charge Point, after what was asked before. Fails with CallRefused, CallTimeout, ConversationClosed,
   * UnreadableConfirmation, the signal's reason, or what `beforeSend` threw. The request has to be checked before.
   */
  call<A extends CentralSystemActionName>(
    action: A,
    request: RequestOf<FromCentralSystem[A]>,
    options: CallOptions,
  ): Promise<ConfirmationOf<FromCentralSystem[A]>>
  /**
   * Nothing is sent from now on; pending CALLs fail with ConversationClosed. CALLs that have arrived are still handled: a Charge
   * Point that resets at once after its StopTransaction may never say it again.
   */
  close(reason: string): void
  /** Our CALLs that wait for their turn or their answer. */
  readonly pendingCalls: number
  /** Fulfilled when no CALL of the Charge Point is in process. */
  settled(): Promise<void>
}

export function openConversation(options: ConversationOptions): Conversation {
  return new OpenConversation(options)
}

interface Waiting {
  readonly frame: Call | UnreadableCall
  readonly receivedAt: number
}

class OpenConversation implements Conversation {
  readonly #options: ConversationOptions
  readonly #now: () => number
  readonly #maxWaiting: number
  readonly #calls: CallQueue
  readonly #waiting: Waiting[] = []
  /** Unique ids of the CALLs that wait or are being handled. */
  readonly #inProcess = new Set<string>()
  #processing: Promise<void> | undefined
  #paused = false
  #closed = false

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#maxWaiting = options.maxWaitingCalls ?? 32
    this.#calls = new CallQueue(({ text, action, uniqueId }) => {
      this.#logOut(text, "call", uniqueId, action)
      options.send(text)
    }, options.timers ?? systemTimers)
  }

  get pendingCalls(): number {
    return this.#calls.size
  }

  settled(): Promise<void> {
    return this.#processing ?? Promise.resolve()
  }

  receive(text: string): void {
    if (!this.#closed) this.#observe(() => this.#take(text))
  }

  #take(text: string): void {
    const { frame, deviations } = readFrame(text, this.#options.level)
    const receivedAt = this.#now()
    const action = this.#actionOf(frame)
    this.#logIn(text, frame, receivedAt, action)
    this.#report(deviations, action)
    switch (frame.type) {
      case "call":
      case "unreadable-call":
        this.#queue({ frame, receivedAt })
        break
      case "call-result":
      case "call-error":
        // To a CALL that timed out, or to none: crediting it to another one would be worse than losing it.
        if (!this.#calls.answer(frame)) this.#report([{ kind: "late-answer", path: "", example: frame.uniqueId }])
        break
      case "ignored":
    }
  }

  async call<A extends CentralSystemActionName>(
    action: A,
    request: RequestOf<FromCentralSystem[A]>,
    options: CallOptions,
  ): Promise<ConfirmationOf<FromCentralSystem[A]>> {
    const uniqueId = crypto.randomUUID()
    const payload = await this.#calls.call(uniqueId, action, call(uniqueId, action, request), options)
    const read = readConfirmation(action, payload, this.#options.level)
    this.#report(read.deviations, action)
    if (!read.ok) throw new UnreadableConfirmation(action, read.error)
    return read.confirmation
  }

  close(reason: string): void {
    this.#closed = true
    this.#calls.close(reason)
  }

  #actionOf(frame: Frame): string | undefined {
    if (frame.type === "call") return frame.action
    return frame.type === "call-result" || frame.type === "call-error"
      ? this.#calls.waitingFor(frame.uniqueId)
      : undefined
  }

  #queue(waiting: Waiting): void {
    const { uniqueId } = waiting.frame
    if (this.#inProcess.has(uniqueId)) {
      // Said again before we answered: the one answer under way is for both.
      this.#report([{ kind: "repeated-unique-id", path: "", example: uniqueId }], this.#actionOf(waiting.frame))
      return
    }
    this.#inProcess.add(uniqueId)
    this.#waiting.push(waiting)
    if (!this.#paused && this.#waiting.length > this.#maxWaiting) {
      this.#paused = true
      this.#observe(() => this.#options.pauseReading?.())
    }
    this.#processing ??= this.#process()
  }

  /** One CALL after the other, in the order of their arrival. */
  async #process(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      await this.#answer(next)
      if (this.#paused && this.#waiting.length <= this.#maxWaiting / 2) {
        this.#paused = false
        this.#observe(() => this.#options.resumeReading?.())
      }
    }
    this.#processing = undefined
  }

  async #answer({ frame, receivedAt }: Waiting): Promise<void> {
    const { uniqueId } = frame
    const action = this.#actionOf(frame)
    const reply = await this.#reply(frame, receivedAt)
    this.#inProcess.delete(uniqueId)
    if (this.#closed) return
    // Outside any try of the handler's: no failure can answer twice.
    this.#observe(() => {
      if (reply.error) this.#logOut(reply.text, "call-error", uniqueId, action, reply.error.code)
      else this.#logOut(reply.text, "call-result", uniqueId, action)
      this.#options.send(reply.text)
    })
  }

  async #reply(frame: Call | UnreadableCall, receivedAt: number): Promise<{ text: string; error?: OcppError }> {
    const { uniqueId } = frame
    if (frame.type === "unreadable-call") return { text: callError(uniqueId, frame.error), error: frame.error }
    try {
      const read = readRequest(frame.action, frame.payload, this.#options.level)
      this.#report(read.deviations, frame.action)
      if (!read.ok) throw read.error
      const confirmation = await this.#options.handle(read.action, read.request, { uniqueId, receivedAt })
      return { text: callResult(uniqueId, confirmation) }
    } catch (cause) {
      if (!(cause instanceof OcppError)) this.#fault(cause, frame.action)
      const error = OcppError.from(cause)
      return { text: callError(uniqueId, error), error }
    }
  }

  #report(deviations: readonly Deviation[], action?: string): void {
    for (const deviation of deviations) this.#observe(() => this.#options.onDeviation?.(deviation, action))
  }

  #logIn(text: string, frame: Frame, at: number, action: string | undefined): void {
    if (!this.#options.onMessage) return
    const message: WireMessage = {
      direction: "in",
      at,
      text,
      type: frame.type,
      ...(frame.uniqueId === undefined ? {} : { uniqueId: frame.uniqueId }),
      ...(action === undefined ? {} : { action }),
      ...(frame.type === "call-error" ? { errorCode: frame.writtenCode } : {}),
    }
    this.#observe(() => this.#options.onMessage?.(message))
  }

  #logOut(text: string, type: Frame["type"], uniqueId: string, action?: string, errorCode?: string): void {
    if (!this.#options.onMessage) return
    const message: WireMessage = {
      direction: "out",
      at: this.#now(),
      text,
      type,
      uniqueId,
      ...(action === undefined ? {} : { action }),
      ...(errorCode === undefined ? {} : { errorCode }),
    }
    this.#observe(() => this.#options.onMessage?.(message))
  }

  /** Whoever looks on, speaks to us or takes the text from us must not be able to stop the conversation. */
  #observe(look: () => void): void {
    try {
      look()
    } catch (cause) {
      this.#fault(cause)
    }
  }

  #fault(cause: unknown, action?: string): void {
    try {
      this.#options.onFault?.(cause, action)
    } catch {
      // Nobody is left to tell.
    }
  }
}
