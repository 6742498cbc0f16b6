/** Whether commits succeed, and since when they do not. */
import type { Log } from "../log.ts"

/** A group that takes longer than this is stuck, ms. */
const STUCK_MS = 1000

/** How often to try whether the database is back, ms. */
const PROBE_MS = 500

export class Trouble {
  readonly #now: () => number
  readonly #probe: () => Promise<void>
  readonly #log: Log
  #failingSince: number | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #probing = false

  /**
   * `probe` writes as much as a usual group does. It alone ends the trouble: a smaller write may still find room on a
   * disk that is full, and with every socket closed no other would come.
   */
  constructor(now: () => number, probe: () => Promise<void>, log: Log) {
    this.#now = now
    this.#probe = probe
    this.#log = log
  }

  /** Epoch ms since which commits fail, or since which the oldest one running has been stuck; else null. */
  since(busySince: number | null): number | null {
    if (this.#failingSince !== null) return this.#failingSince
    return busySince !== null && this.#now() - busySince > STUCK_MS ? busySince : null
  }

  /** A group begun at `since` was settled: with the reason why the database is unavailable, or null. */
  heard(reason: string | null, since: number): void {
    if (reason !== null && this.#failingSince === null) {
      this.#failingSince = since
      this.#log.error({ reason }, "the database is unavailable")
      this.#timer = setInterval(() => void this.#try(), PROBE_MS)
    }
  }

  stop(): void {
    this.#failingSince = null
    clearInterval(this.#timer)
  }

  async #try(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    const works = await this.#probe().then(
      () => true,
      () => false,
    )
    this.#probing = false
    if (!works || this.#failingSince === null) return
    this.#log.info({ since: this.#failingSince }, "the database is back")
    this.stop()
  }
}
