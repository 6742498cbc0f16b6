/** One charger of the load: one CALL outstanding, its reply judged, and nothing else remembered. OCPP-J §4.1.1. */
import { errorFrame, CallError, ConnectionLost, type Payload, resultFrame } from "../wire.ts"
import type { Faults } from "./faults.ts"
import { callFrame, digits } from "./frames.ts"
import { type Dialect, expectedHead, isRightAtOnce, type Reply, readReply } from "./replies.ts"
import type { Script } from "./script.ts"
import { dial, type LoadSocket, textFrame } from "./socket.ts"

/** What the chargers of a fleet have in common. */
export interface Crew {
  /** Up to and including `/ocpp`. */
  url: string
  dialect: Dialect
  faults: Faults
  password?: string
  /** What is answered to a CALL of the central system; left out: nobody asks for anything. */
  answer?: (action: string, identity: string) => Payload | undefined
  /** A scripted CALL is about to leave. */
  leaves?: (charger: LoadCharger, number: number, dueAt: number) => void
  /** A scripted CALL has ended, rightly or not; the charger is free. */
  ended(charger: LoadCharger, wasRight: boolean, dueAt: number): void
}

interface Waiting {
  resolve(confirmation: Payload | undefined): void
  reject(cause: Error): void
}

export class LoadCharger {
  readonly identity: string
  /** Its place in the fleet. */
  readonly index: number
  /** Begins every unique id of this charger. */
  readonly idPrefix: string
  script: Script | undefined
  /** Whether the end of its connection is part of the plan. */
  expectsLoss = false
  readonly #crew: Crew
  #socket: LoadSocket | undefined
  #number = 0
  #action = ""
  #head = ""
  #isWaiting = false
  #sentAt = 0
  #dueAt = 0
  /** CALLs that were to be sent while another one was outstanding. */
  readonly #due: number[] = []
  /** Numbers of CALLs whose answer is not waited for any more. */
  readonly #givenUp = new Set<number>()
  #waiting: Waiting | undefined

  constructor(crew: Crew, identity: string, index: number) {
    this.#crew = crew
    this.identity = identity
    this.index = index
    this.idPrefix = `${index.toString(36).padStart(4, "0")}-`
  }

  get isOpen(): boolean {
    return this.#socket?.isOpen ?? false
  }

  /** Whether a CALL is outstanding. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Resolves when the WebSocket is open. @throws ConnectionLost when it is refused, which is counted too */
  connect(): Promise<void> {
    const { url, password, faults } = this.#crew
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const credentials = password === undefined ? undefined : Buffer.from(`${this.identity}:${password}`)
    let wasOpen = false
    const socket = dial(
      {
        url: new URL(`${url}/${encodeURIComponent(this.identity)}`),
        protocol: "ocpp1.6",
        ...(credentials && { headers: { Authorization: `Basic ${credentials.toString("base64")}` } }),
      },
      {
        opened: () => {
          wasOpen = true
          resolve()
        },
        text: (text) => this.#received(text),
        closed: (reason) => {
          if (!this.expectsLoss) faults.note(wasOpen ? "lost" : "refused", `${this.identity}: ${reason}`)
          const lost = new ConnectionLost(reason)
          reject(lost)
          this.#isWaiting = false
          this.#due.length = 0
          this.#leave()?.reject(lost)
        },
      },
    )
    this.#socket = socket
    return promise
  }

  /** Goes without a word. */
  cut(): void {
    this.#socket?.cut()
    this.#isWaiting = false
    this.#leave()?.reject(new ConnectionLost("cut by the bench"))
  }

  /**
   * One CALL outside the script. Resolves with the confirmation, undefined where the dialect gives none.
   * @throws Error when the reply is not right, or the connection is lost
   */
  call(action: string, payload: object): Promise<Payload | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Payload | undefined>()
    this.#waiting = { resolve, reject }
    const id = this.idPrefix + digits(++this.#number)
    this.#send(id, action, callFrame(id, action, payload), performance.now())
    return promise
  }

  /** The next CALL of the script, now or as soon as the outstanding one has ended. @param dueAt in ms of performance.now() */
  next(dueAt: number): void {
    if (this.#isWaiting) {
      this.#due.push(dueAt)
      return
    }
    if (!this.script || !this.isOpen) return
    const number = ++this.#number
    const frame = this.script.take(number)
    this.#crew.leaves?.(this, number, dueAt)
    this.#send(this.idPrefix + digits(number), this.script.action, frame, dueAt)
  }

  /** Waits no longer for a reply to a CALL that was sent before `sentBefore`, in ms of performance.now(). */
  giveUp(sentBefore: number): void {
    if (!this.#isWaiting || this.#sentAt > sentBefore) return
    this.#givenUp.add(this.#number)
    this.#crew.faults.note("missing", `${this.identity}: no reply to ${this.#action} ${this.#head}`)
    this.#end(undefined, new Error(`${this.identity}: no reply to ${this.#action}`))
  }

  #send(id: string, action: string, frame: Uint8Array, dueAt: number): void {
    this.#action = action
    this.#head = expectedHead(this.#crew.dialect, id)
    this.#isWaiting = true
    this.#dueAt = dueAt
    this.#sentAt = performance.now()
    this.#socket?.send(frame)
  }

  #received(text: string): void {
    const { dialect } = this.#crew
    if (this.#isWaiting && text.startsWith(this.#head) && isRightAtOnce(dialect, this.#action, text, this.#head))
      this.#end({ payload: undefined })
    else this.#lookCloser(readReply(dialect, this.#action, text), text)
  }

  #lookCloser(reply: Reply, text: string): void {
    const { faults } = this.#crew
    const example = `${this.identity}: ${text}`
    if (reply.kind === "malformed") faults.note("malformed", example)
    else if (reply.kind === "call") this.#answer(reply.id, reply.action, example)
    else if (!this.#isWaiting || reply.id !== this.idPrefix + digits(this.#number)) this.#unexpected(reply.id, example)
    else if (reply.kind === "error") {
      faults.note("error", example)
      this.#end(undefined, new Error(`${this.#action}: ${reply.code}`))
    } else if (reply.fault !== undefined) {
      faults.note("invalid", `${reply.fault}: ${example}`)
      this.#end(undefined, new Error(`${this.#action}: ${reply.fault}`))
    } else this.#end({ payload: reply.payload })
  }

  #unexpected(id: string, example: string): void {
    const number = id.startsWith(this.idPrefix) ? Number(id.slice(this.idPrefix.length)) : Number.NaN
    const wasOurs = number >= 1 && number <= this.#number
    const kind = !wasOurs ? "wrong" : this.#givenUp.delete(number) ? "late" : "doubled"
    this.#crew.faults.note(kind, example)
  }

  #answer(id: string, action: string, example: string): void {
    const payload = this.#crew.answer?.(action, this.identity)
    if (payload === undefined) this.#crew.faults.note("unasked", example)
    const text = payload ? resultFrame(id, payload) : errorFrame(id, new CallError("NotImplemented"))
    this.#socket?.send(textFrame(text))
  }

  #end(right: { payload: Payload | undefined } | undefined, cause?: Error): void {
    this.#isWaiting = false
    const waiting = this.#leave()
    if (waiting) {
      if (right) waiting.resolve(right.payload)
      else waiting.reject(cause ?? new Error("no right reply"))
      return
    }
    if (!right) this.script?.restart()
    else if (this.#action === "StartTransaction") this.script?.begun(transactionIdIn(right.payload))
    this.#crew.ended(this, right !== undefined, this.#dueAt)
    const next = this.#isWaiting ? undefined : this.#due.shift()
    if (next !== undefined) this.next(next)
  }

  #leave(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

/** A server that only acknowledges gives none; any will do for it. */
export function transactionIdIn(confirmation: Payload | undefined): number {
  const id = confirmation?.["transactionId"]
  return typeof id === "number" ? id : 1
}
