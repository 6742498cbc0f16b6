/** When each charge point was last heard of, written in bulk now and then: a Heartbeat touches no disk. OCPP 1.6 §4.6. */
import { atMost } from "../at-most.ts"
import type { Log } from "../log.ts"
import type { Line, Lines } from "./lines.ts"
import { type Store, StoreUnavailable } from "./ports.ts"
import type { Presence } from "./presence.ts"

interface SignsOfLifeOptions {
  store: Pick<Store, "change">
  lines: Lines
  presence: Pick<Presence, "resume">
  log: Log
  flushMs?: number
}

const FLUSH_MS = 10_000
/** A fleet at once would keep everybody's messages waiting. */
const AT_ONCE = 100
/** How much of the time until the next writing is taken for this one, so that it is never felt. */
const SPREAD = 0.8

export class SignsOfLife implements AsyncDisposable {
  readonly #options: SignsOfLifeOptions
  readonly #timer: Timer
  /** What was last written of each line. */
  readonly #written = new WeakMap<Line, number>()
  #writing: Promise<void> | undefined
  /** Fulfilled when what is being written should not take its time any more. */
  #hurry = Promise.withResolvers<void>()

  constructor(options: SignsOfLifeOptions) {
    this.#options = options
    const flushMs = options.flushMs ?? FLUSH_MS
    this.#timer = setInterval(() => void this.#start(flushMs * SPREAD), flushMs)
  }

  /** Writes the lines heard of since the last time, at once; never throws. */
  async flush(): Promise<void> {
    this.#hurry.resolve()
    await this.#start(0)
  }

  /** Writes within about so many ms, or goes on with what is being written. */
  #start(withinMs: number): Promise<void> {
    this.#writing ??= this.#write(withinMs).finally(() => {
      this.#writing = undefined
      this.#hurry = Promise.withResolvers()
    })
    return this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
    // The first may have ended what began before the newest signs came.
    await this.flush()
  }

  async #write(withinMs: number): Promise<void> {
    const { lines, log } = this.#options
    const news = lines.all().filter((line) => line.lastSeenAt > (this.#written.get(line) ?? 0))
    const pauseMs = withinMs / Math.ceil(news.length / AT_ONCE)
    let failed: PromiseRejectedResult | undefined
    for (let at = 0; at < news.length; at += AT_ONCE) {
      const results = await Promise.allSettled(news.slice(at, at + AT_ONCE).map((line) => this.#writeOne(line)))
      failed ??= results.find((result) => result.status === "rejected")
      // So would the others, each after its time.
      if (failed?.reason instanceof StoreUnavailable) break
      if (withinMs > 0) await atMost(this.#hurry.promise, pauseMs)
    }
    if (failed !== undefined) log.warn({ err: failed.reason, lines: news.length }, "signs of life could not be written")
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
