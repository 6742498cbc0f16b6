/** All who are told alike: one source, and for each of its events one execution and one text. */
import { setImmediate } from "node:timers/promises"
import type { Story, Telling } from "../../src/services/following/story.ts"
import type { Result } from "./result.ts"

/** Who is told by a group. */
export interface Listener {
  receive(results: readonly Result[]): void
  /** The group tells nothing any more: with a cause it has failed. */
  groupEnded(cause?: unknown): void
}

interface GroupOptions {
  story: Story<Telling>
  /** What the subscription says of things told together. */
  execute(told: readonly Telling[]): Promise<Result[]>
  onEnd(): void
}

/** After so many listeners others get their turn. */
const LISTENERS_AT_ONCE = 1_000
/** No more is taken in advance: what waits is bounded where the story is read. */
const MOST_TOGETHER = 64

export class Group {
  readonly #options: GroupOptions
  readonly #ending = new AbortController()
  readonly #live: AsyncIterable<Telling>
  /** Those who have been told nothing here yet, with the position up to which they know the story. */
  readonly #joining = new Map<Listener, string>()
  readonly #listeners = new Set<Listener>()
  /** What is to be told next. */
  #due: Telling[] = []
  #telling: Promise<void> | undefined

  /** The source is open when this returns: what happens from now on is told. */
  constructor(options: GroupOptions) {
    this.#options = options
    this.#live = options.story.live(this.#ending.signal)
    void this.#run()
  }

  /** Tells the listener what comes after the position, and nothing else. */
  add(listener: Listener, cursor: string): void {
    this.#joining.set(listener, cursor)
  }

  remove(listener: Listener): void {
    this.#joining.delete(listener)
    this.#listeners.delete(listener)
    if (this.#listeners.size + this.#joining.size > 0) return
    this.#ending.abort()
    this.#options.onEnd()
  }

  async #run(): Promise<void> {
    try {
      for await (const told of this.#live) {
        this.#due.push(told)
        this.#telling ??= this.#tellAll()
        if (this.#due.length >= MOST_TOGETHER) await this.#telling
      }
      await this.#telling
      this.#end()
    } catch (cause) {
      this.#end(cause)
    }
  }

  /** What comes in one turn is told together: for each listener it is then one write, which costs more than the rest. */
  async #tellAll(): Promise<void> {
    try {
      await setImmediate()
      while (this.#due.length > 0) await this.#tell(this.#due.splice(0))
    } catch (cause) {
      this.#end(cause)
    } finally {
      this.#telling = undefined
    }
  }

  async #tell(told: readonly Telling[]): Promise<void> {
    const knownBy = this.#welcome(told)
    if (this.#listeners.size === 0) return
    const results = await this.#options.execute(told)
    let count = 0
    for (const listener of this.#listeners) {
      const known = knownBy.get(listener)
      listener.receive(known === undefined ? results : results.slice(known))
      if (++count % LISTENERS_AT_ONCE === 0) await setImmediate()
    }
  }

  /** Lets in those to whom some of this is news; how many of them each one knows already. */
  #welcome(told: readonly Telling[]): Map<Listener, number> {
    const known = new Map<Listener, number>()
    for (const [listener, position] of this.#joining) {
      const first = told.findIndex(({ cursor }) => this.#options.story.isAfter(cursor, position))
      if (first < 0) continue
      known.set(listener, first)
      this.#joining.delete(listener)
      this.#listeners.add(listener)
    }
    return known
  }

  #end(cause?: unknown): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    this.#options.onEnd()
    for (const listener of [...this.#joining.keys(), ...this.#listeners]) listener.groupEnded(cause)
  }
}
