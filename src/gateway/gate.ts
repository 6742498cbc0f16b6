/** The gate before the door: a storm of charge points is let in at the rate at which they can be admitted. */

/** To be called once, when the admission is over, however it ended. */
export type Pass = () => void

interface Waiting {
  let: (pass: Pass | undefined) => void
}

/** So many are admitted at once, so many more wait for their turn in the order of their coming. */
export class Gate {
  readonly #atOnce: number
  readonly #maxWaiting: number
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>()
  #inside = 0

  constructor({ atOnce, maxWaiting }: { atOnce: number; maxWaiting: number }) {
    this.#atOnce = atOnce
    this.#maxWaiting = maxWaiting
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves when it is the caller's turn; to undefined where too many wait already, or the signal says it is gone. */
  enter(signal: AbortSignal): Promise<Pass | undefined> {
    if (signal.aborted) return Promise.resolve(undefined)
    if (this.#inside < this.#atOnce) return Promise.resolve(this.#pass())
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(undefined)
    const { promise, resolve } = Promise.withResolvers<Pass | undefined>()
    const waiting: Waiting = { let: resolve }
    this.#waiting.add(waiting)
    signal.addEventListener("abort", () => {
      this.#waiting.delete(waiting)
      resolve(undefined)
    })
    return promise
  }

  /** Sends away everybody who waits. */
  clear(): void {
    for (const waiting of this.#waiting) waiting.let(undefined)
    this.#waiting.clear()
  }

  #pass(): Pass {
    this.#inside++
    return () => {
      this.#inside--
      const [next] = this.#waiting
      if (next === undefined) return
      this.#waiting.delete(next)
      next.let(this.#pass())
    }
  }
}
