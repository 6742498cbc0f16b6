/** What this node has lately brought into the stream: it need not be fetched from there to be told here. */
import type { RecordedEvent } from "../facts/recorded.ts"

/** The reader is never further behind than this, or fetches like any other. */
const KEPT = 32

export class OwnEntries {
  readonly #node = crypto.randomUUID()
  readonly #entries = new Map<string, readonly RecordedEvent[]>()
  #count = 0

  /** Keeps events that are about to enter the stream; gives the origin that names them there. */
  keep(events: readonly RecordedEvent[]): string {
    const origin = `${this.#node} ${++this.#count}`
    this.#entries.set(origin, events)
    const oldest = this.#entries.size > KEPT ? this.#entries.keys().next() : undefined
    if (oldest?.done === false) this.#entries.delete(oldest.value)
    return origin
  }

  /** The events with this origin, for the last time; undefined where they are not kept, or another node's. */
  take(origin: string): readonly RecordedEvent[] | undefined {
    const events = this.#entries.get(origin)
    this.#entries.delete(origin)
    return events
  }
}
