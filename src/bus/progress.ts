/** How far the node's reader has come in each subject's story, and who waits for it to come further. */

interface Waiting {
  /** What is still to come: subjects with the versions waited for. */
  missing: Map<string, number>
  resolve(): void
}

export class Progress {
  #versions = new Map<string, number>()
  readonly #waiting = new Map<string, Set<Waiting>>()

  /** The reader begins somewhere else: these versions were told before it. */
  begin(versions: Map<string, number>): void {
    this.#versions = versions
    for (const subject of [...this.#waiting.keys()]) this.#settle(subject)
  }

  /** The reader has come to this version of a subject. */
  note(subject: string, version: number): void {
    this.#versions.set(subject, version)
    if (this.#waiting.size > 0) this.#settle(subject)
  }

  /** Whether the reader has come further than these versions, of all subjects. */
  isAhead(versions: ReadonlyMap<string, number>): boolean {
    return [...this.#versions].some(([subject, version]) => version > (versions.get(subject) ?? 0))
  }

  /** The ones among these versions that have not come yet. */
  missing(versions: ReadonlyMap<string, number>): Map<string, number> {
    return new Map([...versions].filter(([subject, version]) => !this.#has(subject, version)))
  }

  /** Resolves when all of these versions have come; `signal` ends the waiting, also with success. */
  async until(versions: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
    const missing = this.missing(versions)
    if (missing.size === 0 || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = () => resolve()
    const waiting: Waiting = { missing, resolve: stop }
    for (const subject of missing.keys()) {
      const there = this.#waiting.get(subject)
      if (there === undefined) this.#waiting.set(subject, new Set([waiting]))
      else there.add(waiting)
    }
    signal.addEventListener("abort", stop)
    try {
      await promise
    } finally {
      signal.removeEventListener("abort", stop)
      for (const subject of missing.keys()) this.#forget(subject, waiting)
    }
  }

  #has(subject: string, version: number): boolean {
    return (this.#versions.get(subject) ?? 0) >= version
  }

  #settle(subject: string): void {
    for (const waiting of this.#waiting.get(subject) ?? []) {
      const version = waiting.missing.get(subject)
      if (version !== undefined && !this.#has(subject, version)) continue
      waiting.missing.delete(subject)
      this.#forget(subject, waiting)
      if (waiting.missing.size === 0) waiting.resolve()
    }
  }

  #forget(subject: string, waiting: Waiting): void {
    const there = this.#waiting.get(subject)
    there?.delete(waiting)
    if (there?.size === 0) this.#waiting.delete(subject)
  }
}
