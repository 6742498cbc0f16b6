/** The wire log: frames of charge points where it is switched on or watched, errors and deviations always; written lazily. */
import type { MessageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { WireMessage } from "../ocpp/wire-message.ts"
import { maskFrameText } from "./masking.ts"
import type { Bus, Store } from "./ports.ts"

type NewMessage = Omit<MessageRow, "id">

interface WireLogOptions {
  store: Pick<Store, "addMessages">
  bus: Pick<Bus, "isWatched" | "publishMessages">
  log: Log
  flushMs?: number
}

const FLUSH_MS = 200
const FLUSH_ROWS = 500
/** Frames that wait for a store in trouble, in characters; beyond this the oldest are lost: no fact depends on them. */
const MAX_WAITING_LENGTH = 32 * 1024 * 1024

/** Whose frames these are, and whether all of them are kept. */
export interface Tapped {
  readonly id: string
  readonly organisationId: string
  readonly wireLog: boolean
}

export class WireLog implements AsyncDisposable {
  readonly #options: WireLogOptions
  readonly #timer: Timer
  /** Frames that are kept already: each is kept once. */
  readonly #kept = new WeakSet<WireMessage>()
  #waiting: NewMessage[] = []
  #waitingLength = 0
  #lost = 0
  #writing: Promise<void> | undefined

  constructor(options: WireLogOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), options.flushMs ?? FLUSH_MS)
  }

  /** A frame in the order of the wire, with the CALL that it answers. Most are in order, and nobody looks at them. */
  message(chargePoint: Tapped, message: WireMessage, call?: WireMessage): void {
    const { type } = message
    const isWrong = type === "call-error" || type === "unreadable-call" || type === "ignored"
    if (isWrong && call !== undefined) this.#keep(chargePoint, call)
    if (isWrong || this.keepsAll(chargePoint)) this.#keep(chargePoint, message)
  }

  /** Whether every frame of a charge point is kept: the operator wants it, or somebody looks on. */
  keepsAll({ id, wireLog }: Tapped): boolean {
    return wireLog || this.#options.bus.isWatched(id)
  }

  /** Something was tolerated in this frame. */
  deviation(chargePoint: Tapped, message: WireMessage): void {
    this.#keep(chargePoint, message)
  }

  /** Writes what has gathered; never throws. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.flush()
  }

  #keep({ id: chargePointId, organisationId }: Tapped, message: WireMessage): void {
    if (this.#kept.has(message)) return
    this.#kept.add(message)
    this.#waiting.push({
      organisationId,
      chargePointId,
      at: message.at,
      direction: message.direction === "in" ? "FromChargePoint" : "ToChargePoint",
      messageType: MESSAGE_TYPES[message.type],
      uniqueId: message.uniqueId ?? null,
      action: message.action ?? null,
      // Masked when it is written: not while a charge point waits for its answer.
      text: message.text,
    })
    this.#waitingLength += message.text.length
    while (this.#waitingLength > MAX_WAITING_LENGTH) {
      this.#waitingLength -= this.#waiting.shift()?.text.length ?? this.#waitingLength
      this.#lost += 1
    }
    if (this.#waiting.length >= FLUSH_ROWS && this.#writing === undefined) queueMicrotask(() => void this.flush())
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return
    const { store, bus, log } = this.#options
    const rows = this.#waiting
    const length = this.#waitingLength
    this.#waiting = []
    this.#waitingLength = 0
    try {
      const masked = rows.map((row) => ({ ...row, text: maskFrameText(row.text) }))
      const stored = Map.groupBy(await store.addMessages(masked), (row) => row.chargePointId)
      for (const [chargePointId, messages] of stored) bus.publishMessages(chargePointId, messages)
      if (this.#lost > 0) log.warn({ frames: this.#lost }, "frames are missing in the wire log")
      this.#lost = 0
    } catch (cause) {
      log.warn({ err: cause, frames: rows.length }, "the wire log could not be written; it waits")
      this.#waiting = [...rows, ...this.#waiting]
      this.#waitingLength += length
    }
  }
}

const MESSAGE_TYPES = {
  call: "Call",
  "call-result": "CallResult",
  "call-error": "CallError",
  "unreadable-call": "Unreadable",
  ignored: "Unreadable",
} as const satisfies Record<WireMessage["type"], MessageRow["messageType"]>
