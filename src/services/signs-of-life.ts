/** When each charge point was last heard of, written in bulk now and then: a Heartbeat touches no disk. OCPP 1.6 §4.6. */
import type { Log } from "../log.ts"
import type { Line, Lines } from "./lines.ts"
import type { Store } from "./ports.ts"
import type { Presence } from "./presence.ts"

interface SignsOfLifeOptions {
  store: Pick<Store, "change">
  lines: Lines
  presence: Pick<Presence, "resume">
  log: Log
  flushMs?: number
}

const FLUSH_MS = 10_000
/** Written at once: what charge points report must not have to wait behind a whole fleet's Heartbeats. */
const WRITTEN_AT_ONCE = 500

export class SignsOfLife implements AsyncDisposable {
  readonly #options: SignsOfLifeOptions
  readonly #timer: Timer
  /** What was last written of each line. */
  readonly #written = new WeakMap<Line, number>()
  #writing: Promise<void> | undefined

  constructor(options: SignsOfLifeOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), options.flushMs ?? FLUSH_MS)
  }

  /** Writes the lines heard of since the last time; never throws. */
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

  async #write(): Promise<void> {
    const { lines, log } = this.#options
    const news = lines.all().filter((line) => line.lastSeenAt > (this.#written.get(line) ?? 0))
    for (let at = 0; at < news.length; at += WRITTEN_AT_ONCE) {
      const some = news.slice(at, at + WRITTEN_AT_ONCE)
      const results = await Promise.allSettled(some.map((line) => this.#writeOne(line)))
      const failed = results.find((result) => result.status === "rejected")
      if (failed === undefined) continue
      log.warn({ err: failed.reason, lines: news.length - at }, "signs of life could not be written")
      return
    }
  }

  /** What the books say back settles what no message between the nodes has: a newer socket, a line taken for dead. */
  async #writeOne(line: Line): Promise<void> {
    const { store, presence } = this.#options
    const { organisationId, chargePointId, epoch, lastSeenAt } = line
    const outcome = await store.change("noteSeen", { organisationId, chargePointId, epoch, lastSeenAt })
    this.#written.set(line, lastSeenAt)
    if ("superseded" in outcome) line.close("Superseded")
    else if ("offline" in outcome && outcome.offline && this.#options.lines.get(chargePointId) === line)
      await presence.resume(line)
  }
}
