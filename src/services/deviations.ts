/** Deviations from the standard, counted per charge point, kind and place, and written now and then. */
import type { DeviationRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Clock, Store } from "./ports.ts"

/** Deviations of the handshake and the socket; those of frames and fields are named in ocpp/deviation.ts. */
export type HandshakeDeviationKind =
  | "missing-subprotocol"
  | "missing-connection-header"
  | "trailing-slash"
  | "extra-path-segments"
  | "identity-letter-case"
  | "encoded-user-name"
  | "password-as-hex-text"
  | "binary-frame"
  | "ping-unanswered"

interface Place {
  organisationId: string
  chargePointId: string
}

interface DeviationsOptions {
  store: Pick<Store, "addDeviations">
  clock: Clock
  log: Log
  /** How long counts gather before they are written. */
  flushMs?: number
}

const FLUSH_MS = 1000
/** Places are partly named by the charge point (an extra field): beyond this many of one charge point they are counted as one. */
const MAX_PLACES = 200
const ELSEWHERE = "…"
/** Counts that wait for a store in trouble; beyond this they are lost, no fact depends on them. */
const MAX_WAITING = 20_000

export class Deviations implements AsyncDisposable {
  readonly #store: Pick<Store, "addDeviations">
  readonly #clock: Clock
  readonly #log: Log
  readonly #timer: Timer
  readonly #places = new Map<string, Set<string>>()
  #waiting = new Map<string, DeviationRow>()
  #writing: Promise<void> = Promise.resolve()

  constructor({ store, clock, log, flushMs = FLUSH_MS }: DeviationsOptions) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#timer = setInterval(() => void this.flush(), flushMs)
  }

  /** Counts one. `place`: action and path of the field, or where in the handshake; `example` must hold no secret. */
  note({ organisationId, chargePointId }: Place, kind: string, place: string, example: string): void {
    const at = this.#clock.now()
    const known = this.#boundedPlace(chargePointId, kind, place)
    const key = `${chargePointId}\n${kind}\n${known}`
    const row = this.#waiting.get(key)
    if (row !== undefined) {
      row.count += 1
      row.lastAt = at
    } else if (this.#waiting.size < MAX_WAITING) {
      const first = { organisationId, chargePointId, kind, place: known, example, count: 1, firstAt: at, lastAt: at }
      this.#waiting.set(key, first)
    }
  }

  /** Writes what has gathered; never throws. What cannot be written waits for the next time. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  #boundedPlace(chargePointId: string, kind: string, place: string): string {
    const places = this.#places.get(chargePointId) ?? new Set()
    this.#places.set(chargePointId, places)
    const key = `${kind}\n${place}`
    if (places.has(key)) return place
    if (places.size >= MAX_PLACES) return ELSEWHERE
    places.add(key)
    return place
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return
    const taken = this.#waiting
    this.#waiting = new Map()
    try {
      await this.#store.addDeviations([...taken.values()])
    } catch (cause) {
      this.#log.warn({ err: cause, rows: taken.size }, "deviations could not be written; they wait")
      this.#putBack(taken)
    }
  }

  #putBack(rows: ReadonlyMap<string, DeviationRow>): void {
    for (const [key, row] of rows) {
      const newer = this.#waiting.get(key)
      if (newer === undefined) {
        if (this.#waiting.size < MAX_WAITING) this.#waiting.set(key, row)
        continue
      }
      newer.count += row.count
      newer.firstAt = row.firstAt
    }
  }
}
