/** Group commit: what arrives together is committed together, and an idle store commits at once. */
import { StoreUnavailable } from "../services/ports.ts"
import type { Result, Settled, Write } from "./group.ts"

/** The most writes that share one transaction: beyond that a longer one saves little and keeps everybody waiting. */
const LARGEST_GROUP = 1_024

/** Commits what it is given; never rejects. */
export interface Writer extends AsyncDisposable {
  /** How many groups it takes at a time. */
  readonly lanes: number
  /** How many writes make a group worth sending beside one that is being committed; fewer wait to become more. */
  readonly worthALane: number
  /** What no two groups may work on at a time, so that the writes on it keep their order. */
  orderedBy(write: Write): readonly string[]
  settle(writes: readonly Write[], now: number): Promise<Settled>
}

interface Waiting {
  write: Write
  orderedBy: readonly string[]
  resolve(outcome: unknown): void
  reject(cause: Error): void
}

export class Collector {
  readonly #writer: Writer
  readonly #now: () => number
  readonly #onSettled: (settled: Settled, since: number) => void
  #waiting: Waiting[] = []
  #scheduled = false
  #closed = false
  readonly #busy = new Set<string>()
  /** The groups now being committed. */
  readonly #running = new Set<{ since: number }>()
  readonly #drained = Promise.withResolvers<void>()

  /** `onSettled` hears of each group and when it went out, in the order of the commits, before the callers do. */
  constructor(writer: Writer, now: () => number, onSettled: (settled: Settled, since: number) => void) {
    this.#writer = writer
    this.#now = now
    this.#onSettled = onSettled
  }

  /** Resolves to the write's outcome when it is committed. @throws StoreUnavailable, or the write's own failure. */
  add(write: Write): Promise<unknown> {
    if (this.#closed) return Promise.reject(new StoreUnavailable("the store is closed"))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, orderedBy: this.#writer.orderedBy(write), resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      // Everything that this turn of the event loop has read from sockets comes in before the group leaves.
      setImmediate(() => {
        this.#scheduled = false
        this.#send()
      })
    })
  }

  /** When the oldest group still being committed went out; null: none is. */
  busySince(): number | null {
    return this.#running.size === 0 ? null : Math.min(...[...this.#running].map(({ since }) => since))
  }

  /** Commits what waits and takes nothing new. */
  close(): Promise<void> {
    this.#closed = true
    this.#send()
    return this.#drained.promise
  }

  #send(): void {
    while (this.#running.size < this.#writer.lanes && this.#waiting.length > 0) {
      if (this.#running.size > 0 && this.#waiting.length < this.#writer.worthALane) break
      const group = this.#take()
      if (group.length === 0) break
      void this.#commit(group)
    }
    if (this.#closed && this.#running.size === 0) this.#drained.resolve()
  }

  /** The writes that may go now. What waits for another group lets nothing overtake it that must come after it. */
  #take(): Waiting[] {
    const group: Waiting[] = []
    const left: Waiting[] = []
    const blocked = new Set(this.#busy)
    for (const waiting of this.#waiting) {
      if (group.length < LARGEST_GROUP && isFree(waiting, blocked)) group.push(waiting)
      else {
        left.push(waiting)
        for (const name of waiting.orderedBy) blocked.add(name)
      }
    }
    this.#waiting = left
    for (const { orderedBy } of group) for (const name of orderedBy) this.#busy.add(name)
    return group
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const running = { since: this.#now() }
    this.#running.add(running)
    const writes = group.map(({ write }) => write)
    const settled = await this.#writer.settle(writes, running.since)
    this.#running.delete(running)
    for (const { orderedBy } of group) for (const name of orderedBy) this.#busy.delete(name)
    this.#onSettled(settled, running.since)
    const { results } = settled
    group.forEach(({ resolve, reject }, index) => {
      const result = results[index]
      if (result !== undefined && "outcome" in result) resolve(result.outcome)
      else reject(errorOf(result))
    })
    this.#send()
  }
}

/** Whether nothing that this is ordered by is being worked on. */
function isFree({ orderedBy }: Waiting, blocked: ReadonlySet<string>): boolean {
  for (const name of orderedBy) if (blocked.has(name)) return false
  return true
}

function errorOf(result: Extract<Result, { failure: unknown }> | undefined): Error {
  if (result === undefined) return new Error("the writer gave no result")
  const { unavailable, name, message } = result.failure
  if (unavailable) return new StoreUnavailable(message)
  const error = new Error(message)
  error.name = name
  return error
}
