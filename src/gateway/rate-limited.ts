/** Lines of a log that an outsider can cause: some in every while, the rest only counted. */

/** How many lines one while holds, and how long it lasts. */
const LINES = 20
const WINDOW_MS = 10_000

export class RateLimited {
  readonly #now: () => number
  readonly #summary: (more: number) => void
  #windowStart = Number.NEGATIVE_INFINITY
  #lines = 0

  /** `summary` tells how many lines the while before left out. */
  constructor(now: () => number, summary: (more: number) => void) {
    this.#now = now
    this.#summary = summary
  }

  write(line: () => void): void {
    const now = this.#now()
    if (now - this.#windowStart >= WINDOW_MS) {
      if (this.#lines > LINES) this.#summary(this.#lines - LINES)
      this.#windowStart = now
      this.#lines = 0
    }
    this.#lines += 1
    if (this.#lines <= LINES) line()
  }
}
