/** One who follows the stream: a bounded buffer between the node's reader and a consumer that may be slow. */
import type { Event } from "../facts/events.ts"
import { Lagging, type StreamEvent } from "../services/ports.ts"
import { BEFORE_ALL, compareEntryIds } from "./cursor.ts"

export class Follower {
  readonly #organisationId: string
  readonly #wants: (event: Event) => boolean
  readonly #limit: number
  #buffer: StreamEvent[] = []
  #end: { error?: Error } | undefined
  #wake: (() => void) | undefined
  /** Entries up to this one are not for this follower: it has read them by itself. */
  after = BEFORE_ALL

  constructor(organisationId: string, wants: (event: Event) => boolean, limit: number) {
    this.#organisationId = organisationId
    this.#wants = wants
    this.#limit = limit
  }

  takes(event: Event): boolean {
    return event.organisationId === this.#organisationId && this.#wants(event)
  }

  /**
   * Buffers what is wanted of an entry; the reader shares the items among all its followers. An entry is taken whole:
   * lagging is who still has too much of the earlier ones.
   */
  offer(entryId: string, items: readonly StreamEvent[]): void {
    if (this.#end !== undefined || compareEntryIds(entryId, this.after) <= 0) return
    try {
      if (this.#buffer.length > this.#limit)
        throw new Lagging(`more than ${this.#limit} events were waiting to be read`)
      for (const item of items) if (this.takes(item.event)) this.#buffer.push(item)
      this.#wake?.()
    } catch (cause) {
      this.end(cause instanceof Error ? cause : new Error(String(cause)))
    }
  }

  /** Ends the iteration: at once with an error, after what is buffered without one. */
  end(error?: Error): void {
    if (this.#end !== undefined) return
    if (error !== undefined) this.#buffer = []
    this.#end = error === undefined ? {} : { error }
    this.#wake?.()
  }

  async *items(): AsyncGenerator<StreamEvent, void> {
    for (;;) {
      const items = this.#buffer
      this.#buffer = []
      for (const item of items) {
        yield item
        if (this.#end?.error !== undefined) throw this.#end.error
      }
      if (this.#buffer.length > 0) continue
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error
        return
      }
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      await woken.promise
    }
  }
}
