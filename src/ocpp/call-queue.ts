import type { OcppErrorCode } from "./errors.ts"
import type { CallError, CallResult } from "./frame.ts"
import type { WireMessage } from "./wire-message.ts"

/** The Charge Point did not answer in time. Whether it acted on the CALL is not known. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout"
  readonly timeoutMs: number
  constructor(action: string, timeoutMs: number) {
    super(`no answer to ${action} within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

/** The Charge Point answered with a CALLERROR. */
export class CallRefused extends Error {
  override readonly name = "CallRefused"
  readonly code: OcppErrorCode
  /** The code as the Charge Point wrote it, also when 1.6 does not know it; `code` is then GenericError. */
  readonly writtenCode: string
  readonly description: string
  readonly details: Readonly<Record<string, unknown>>
  constructor(action: string, { code, writtenCode, description, details }: CallError) {
    super(`${action} was answered with ${writtenCode || code}${description && `: ${description}`}`)
    this.code = code
    this.writtenCode = writtenCode
    this.description = description
    this.details = details
  }
}

/** The conversation ended before the answer came. */
export class ConversationClosed extends Error {
  override readonly name = "ConversationClosed"
  readonly reason: string
  /** Whether the CALL had left: if so, its outcome is not known; if not, the Charge Point never saw it. */
  readonly sent: boolean
  constructor(reason: string, sent: boolean) {
    super(`the conversation was closed: ${reason}`)
    this.reason = reason
    this.sent = sent
  }
}

/** Timers, so that a test can hold the clock. */
export interface Timers {
  set(callback: () => void, ms: number): () => void
}

export const systemTimers: Timers = {
  set(callback, ms) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

export interface CallOptions {
  /** How long to wait for the answer, in ms from the moment the frame leaves. */
  readonly timeoutMs: number
  /** Gives the CALL up: while it waits for its turn it is never sent, after that only its answer is not waited for. */
  readonly signal?: AbortSignal
  /** Awaited before the frame leaves; when it fails, the frame stays here and the CALL fails with its error. */
  readonly beforeSend?: (uniqueId: string) => Promise<void>
  /** The frame has been handed to the socket. */
  readonly onSent?: (uniqueId: string) => void
}

/** What a CALL of ours was answered with. */
export interface Answered {
  readonly payload: unknown
  readonly message: WireMessage
}

/** One CALL of ours, from its place in the queue to its answer. */
interface PendingCall {
  readonly uniqueId: string
  readonly action: string
  readonly text: string
  readonly options: CallOptions
  readonly resolve: (answer: Answered) => void
  readonly reject: (cause: unknown) => void
  sent: boolean
  stopTimer?: () => void
}

/** The CALLs of the Central System to one Charge Point: in order, and one at a time. OCPP-J 1.6 §4.1.1. */
export class CallQueue {
  readonly #send: (call: { uniqueId: string; action: string; text: string }) => void
  readonly #timers: Timers
  readonly #waiting: PendingCall[] = []
  #current: PendingCall | undefined
  #closed: string | undefined

  constructor(send: (call: { uniqueId: string; action: string; text: string }) => void, timers: Timers) {
    this.#send = send
    this.#timers = timers
  }

  /** CALLs that wait for their turn or for their answer. */
  get size(): number {
    return this.#waiting.length + (this.#current ? 1 : 0)
  }

  /** The CALLRESULT. Fails with CallRefused, CallTimeout, ConversationClosed or the signal's reason. */
  call(uniqueId: string, action: string, text: string, options: CallOptions): Promise<Answered> {
    const { signal } = options
    const { promise, resolve, reject } = Promise.withResolvers<Answered>()
    if (this.#closed !== undefined) reject(new ConversationClosed(this.#closed, false))
    else if (signal?.aborted) reject(signal.reason)
    else {
      const pending: PendingCall = { uniqueId, action, text, options, resolve, reject, sent: false }
      const giveUp = () => this.#giveUp(pending)
      signal?.addEventListener("abort", giveUp, { once: true })
      const forget = () => signal?.removeEventListener("abort", giveUp)
      promise.then(forget, forget)
      this.#waiting.push(pending)
      this.#next()
    }
    return promise
  }

  /** The action that waits for the answer with this unique id. */
  waitingFor(uniqueId: string): string | undefined {
    return this.#current?.sent && this.#current.uniqueId === uniqueId ? this.#current.action : undefined
  }

  /** Takes an answer, which came as this message; false when nothing waits for it. */
  answer(frame: CallResult | CallError, message: WireMessage): boolean {
    const call = this.#current
    // What has not left cannot have been answered, whatever the id says.
    if (!call?.sent || call.uniqueId !== frame.uniqueId) return false
    if (frame.type === "call-result") call.resolve({ payload: frame.payload, message })
    else call.reject(new CallRefused(call.action, frame))
    this.#finish(call)
    return true
  }

  /** Fails what waits, and whatever is asked from now on. */
  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    const current = this.#current
    this.#current = undefined
    current?.stopTimer?.()
    current?.reject(new ConversationClosed(reason, current.sent))
    for (const call of this.#waiting.splice(0)) call.reject(new ConversationClosed(reason, false))
  }

  #next(): void {
    if (this.#current || this.#closed !== undefined) return
    const call = this.#waiting.shift()
    if (!call) return
    this.#current = call
    void this.#dispatch(call)
  }

  async #dispatch(call: PendingCall): Promise<void> {
    const { uniqueId, action, text, options } = call
    try {
      await options.beforeSend?.(uniqueId)
      // While that was awaited, the conversation may have ended or the caller given up.
      if (this.#current !== call) return
      if (options.signal?.aborted) return this.#finish(call)
      call.sent = true
      call.stopTimer = this.#timers.set(() => {
        call.reject(new CallTimeout(action, options.timeoutMs))
        this.#finish(call)
      }, options.timeoutMs)
      this.#send({ uniqueId, action, text })
    } catch (cause) {
      call.reject(cause)
      this.#finish(call)
      return
    }
    try {
      options.onSent?.(uniqueId)
    } catch (cause) {
      // The frame is on its way: its turn lasts until the answer all the same.
      call.reject(cause)
    }
  }

  #giveUp(call: PendingCall): void {
    // Rejected at once; once it is on its way, though, its turn lasts until the answer or the timeout.
    call.reject(call.options.signal?.reason)
    const position = this.#waiting.indexOf(call)
    if (position >= 0) this.#waiting.splice(position, 1)
  }

  #finish(call: PendingCall): void {
    call.stopTimer?.()
    if (this.#current !== call) return
    this.#current = undefined
    this.#next()
  }
}
