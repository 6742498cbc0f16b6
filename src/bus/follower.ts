/** One who follows the stream: a bounded buffer between the node's reader and a consumer that may be slow. */
import { Lagging, type StreamEvent } from "../services/ports.ts"

export class Follower {
  readonly #limit: number
  #buffer: StreamEvent[] = []
  /** The entry that the last buffered event is of. */
  #entryId = ""
  #end: { error?: Error } | undefined
  #wake: (() => void) | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Buffers an event of an entry; the reader shares it among all its followers. An entry is taken whole: lagging is who
   * still has too much of the earlier ones.
   */
  offer(entryId: string, item: StreamEvent): void {
    if (this.#end !== undefined) return
    if (entryId !== this.#entryId && this.#buffer.length >= this.#limit) {
      this.end(new Lagging(`${this.#limit} events were waiting to be read`))
      return
    }
    this.#entryId = entryId
    this.#buffer.push(item)
    this.#wake?.()
  }

  /** Whether nothing is buffered any more. */
  get hasEnded(): boolean {
    return this.#end !== undefined
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
