import type { ConfirmationOf, RequestOf } from "./action.ts"
import { type CallOptions, CallQueue, systemTimers, type Timers } from "./call-queue.ts"
import type { Deviation } from "./deviation.ts"
import { OcppError } from "./errors.ts"
import { type Call, call, callError, callResult, type Frame, readFrame, type UnreadableCall } from "./frame.ts"
import type { CentralSystemActionName, ChargePointActionName, FromCentralSystem, FromChargePoint } from "./index.ts"
import type { Level } from "./level.ts"
import { readConfirmation, readRequest } from "./validate.ts"
import type { WireMessage } from "./wire-message.ts"

/** What a handler learns about a CALL beside its request. */
export interface CallMeta {
  readonly uniqueId: string
  /** When the frame arrived, in ms since 1970. */
  readonly receivedAt: number
  /** The frame, as the log was told it. */
  readonly message: WireMessage
}

/** A confirmation that is there at once leaves at once. */
export type Answer<A extends ChargePointActionName> =
  ConfirmationOf<FromChargePoint[A]> | Promise<ConfirmationOf<FromChargePoint[A]>>

/** Answers a CALL. An OcppError it throws leaves as it is; anything else as InternalError, without its text. */
export type Handle = <A extends ChargePointActionName>(
  action: A,
  request: RequestOf<FromChargePoint[A]>,
  meta: CallMeta,
) => Answer<A>

/** What a conversation asks of whoever holds the line. */
export interface ConversationEnds {
  /** Hands a text to the socket. */
  send(text: string): void
  readonly handle: Handle
  /** Read at every message, so it may be a getter. */
  readonly level: Level
  /** `message`: in which it was. */
  onDeviation?(deviation: Deviation, message: WireMessage): void
  /** Both directions, in the order of the wire; an answer of ours with the CALL it is for. Nothing waits for it. */
  onMessage?(message: WireMessage, call?: WireMessage): void
  /** False: of our CALLRESULTs, which are most of what leaves, `onMessage` need not hear. Read at each, so it may be a getter. */
  readonly isListening?: boolean
  /** What went wrong on our side: a handler that threw anything but an OcppError, an observer or a socket that threw. */
  onFault?(cause: unknown, action?: string): void
  /** How many CALLs may wait for the one in process before reading has to pause; 32 when left out. */
  readonly maxWaitingCalls?: number
  /** Asks the reader to stop, and later to go on. What it delivers meanwhile is still taken. */
  pauseReading?(): void
  resumeReading?(): void
  now?(): number
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
  /** Takes one text frame, which has come at this instant, ms since 1970; now when left out. Returns at once and never throws. */
  receive(text: string, at?: number): void
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

export function openConversation(ends: ConversationEnds): Conversation {
  return new OpenConversation(ends)
}

const MAX_WAITING_CALLS = 32

/** A CALL of the Charge Point that is not answered yet. */
interface Asked {
  readonly frame: Call | UnreadableCall
  readonly message: WireMessage
}

class OpenConversation implements Conversation {
  readonly #ends: ConversationEnds
  /** Our CALLs; there from the first one on. */
  #calls: CallQueue | undefined
  #inProcess: Asked | undefined
  /** The CALLs behind the one in process, in the order of their arrival. */
  #waiting: Map<string, Asked> | undefined
  #settled: PromiseWithResolvers<void> | undefined
  #paused = false
  #closed: string | undefined

  constructor(ends: ConversationEnds) {
    this.#ends = ends
  }

  get pendingCalls(): number {
    return this.#calls?.size ?? 0
  }

  settled(): Promise<void> {
    if (this.#inProcess === undefined) return Promise.resolve()
    this.#settled ??= Promise.withResolvers()
    return this.#settled.promise
  }

  receive(text: string, at?: number): void {
    if (this.#closed !== undefined) return
    try {
      this.#take(text, at ?? this.#now())
    } catch (cause) {
      this.#fault(cause)
    }
  }

  #take(text: string, at: number): void {
    const { frame, deviations } = readFrame(text, this.#ends.level)
    const message: WireMessage = {
      direction: "in",
      at,
      text,
      type: frame.type,
      uniqueId: frame.uniqueId,
      action: this.#actionOf(frame),
      errorCode: frame.type === "call-error" ? frame.writtenCode : undefined,
    }
    this.#log(message)
    this.#report(deviations, message)
    switch (frame.type) {
      case "call":
      case "unreadable-call":
        this.#queue({ frame, message })
        break
      case "call-result":
      case "call-error":
        // To a CALL that timed out, or to none: crediting it to another one would be worse than losing it.
        if (!this.#calls?.answer(frame, message)) {
          this.#report([{ kind: "late-answer", path: "", example: frame.uniqueId }], message)
        }
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
    this.#calls ??= this.#openCalls()
    const { payload, message } = await this.#calls.call(uniqueId, action, call(uniqueId, action, request), options)
    const read = readConfirmation(action, payload, this.#ends.level)
    this.#report(read.deviations, message)
    if (!read.ok) throw new UnreadableConfirmation(action, read.error)
    return read.confirmation
  }

  close(reason: string): void {
    this.#closed ??= reason
    this.#calls?.close(reason)
  }

  #openCalls(): CallQueue {
    const calls = new CallQueue(({ text, action, uniqueId }) => {
      this.#log(this.#leaving(text, "call", uniqueId, action))
      this.#ends.send(text)
    }, this.#ends.timers ?? systemTimers)
    if (this.#closed !== undefined) calls.close(this.#closed)
    return calls
  }

  #actionOf(frame: Frame): string | undefined {
    if (frame.type === "call") return frame.action
    return frame.type === "call-result" || frame.type === "call-error"
      ? this.#calls?.waitingFor(frame.uniqueId)
      : undefined
  }

  #queue(asked: Asked): void {
    const { uniqueId } = asked.frame
    if (this.#inProcess === undefined) {
      this.#process(asked)
    } else if (this.#inProcess.frame.uniqueId === uniqueId || this.#waiting?.has(uniqueId)) {
      // Said again before we answered: the one answer under way is for both.
      this.#report([{ kind: "repeated-unique-id", path: "", example: uniqueId }], asked.message)
    } else {
      this.#waiting ??= new Map()
      this.#waiting.set(uniqueId, asked)
      if (this.#paused || this.#waiting.size <= this.#maxWaiting) return
      this.#paused = true
      this.#observe(() => this.#ends.pauseReading?.())
    }
  }

  /** One CALL after the other, in the order of their arrival; without a pause where the confirmation is there at once. */
  #process(first: Asked): void {
    this.#inProcess = first
    for (let asked: Asked | undefined = first; asked !== undefined; asked = this.#next()) {
      try {
        const confirmation = this.#confirmationOf(asked)
        if (confirmation instanceof Promise) {
          void this.#answerLater(asked, confirmation)
          return
        }
        this.#confirm(asked, confirmation)
      } catch (cause) {
        this.#refuse(asked, cause)
      }
    }
  }

  async #answerLater(asked: Asked, confirmation: Promise<object>): Promise<void> {
    try {
      this.#confirm(asked, await confirmation)
    } catch (cause) {
      this.#refuse(asked, cause)
    }
    const next = this.#next()
    if (next !== undefined) this.#process(next)
  }

  #next(): Asked | undefined {
    const waiting = this.#waiting?.size ?? 0
    const next = waiting > 0 ? this.#waiting?.values().next().value : undefined
    this.#inProcess = next
    if (next !== undefined) this.#waiting?.delete(next.frame.uniqueId)
    if (this.#paused && waiting <= this.#maxWaiting / 2) {
      this.#paused = false
      this.#observe(() => this.#ends.resumeReading?.())
    }
    if (next === undefined) {
      this.#settled?.resolve()
      this.#settled = undefined
    }
    return next
  }

  #confirmationOf({ frame, message }: Asked): object | Promise<object> {
    if (frame.type === "unreadable-call") throw frame.error
    const read = readRequest(frame.action, frame.payload, this.#ends.level)
    this.#report(read.deviations, message)
    if (!read.ok) throw read.error
    return this.#ends.handle(read.action, read.request, { uniqueId: frame.uniqueId, receivedAt: message.at, message })
  }

  #confirm(asked: Asked, confirmation: object): void {
    this.#answer(asked, callResult(asked.frame.uniqueId, confirmation), "call-result")
  }

  #refuse(asked: Asked, cause: unknown): void {
    if (!(cause instanceof OcppError)) this.#fault(cause, asked.message.action)
    const error = OcppError.from(cause)
    this.#answer(asked, callError(asked.frame.uniqueId, error), "call-error", error.code)
  }

  /** Never throws, so that no failure can answer twice. */
  #answer({ frame, message }: Asked, text: string, type: Frame["type"], errorCode?: string): void {
    if (this.#closed !== undefined) return
    if (type !== "call-result" || this.#isListening)
      this.#log(this.#leaving(text, type, frame.uniqueId, message.action, errorCode), message)
    try {
      this.#ends.send(text)
    } catch (cause) {
      this.#fault(cause)
    }
  }

  #leaving(text: string, type: Frame["type"], uniqueId: string, action?: string, errorCode?: string): WireMessage {
    return { direction: "out", at: this.#now(), text, type, uniqueId, action, errorCode }
  }

  #log(message: WireMessage, call?: WireMessage): void {
    try {
      this.#ends.onMessage?.(message, call)
    } catch (cause) {
      this.#fault(cause)
    }
  }

  #report(deviations: readonly Deviation[], message: WireMessage): void {
    for (const deviation of deviations) {
      this.#observe(() => this.#ends.onDeviation?.(deviation, message))
    }
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
      this.#ends.onFault?.(cause, action)
    } catch {
      // Nobody is left to tell.
    }
  }

  /** In doubt somebody is. */
  get #isListening(): boolean {
    try {
      return this.#ends.isListening ?? true
    } catch (cause) {
      this.#fault(cause)
      return true
    }
  }

  get #maxWaiting(): number {
    return this.#ends.maxWaitingCalls ?? MAX_WAITING_CALLS
  }

  #now(): number {
    return this.#ends.now?.() ?? Date.now()
  }
}
