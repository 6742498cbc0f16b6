/** All who are told alike: one source, and for each of its events one execution and one text. */
import { setImmediate } from "node:timers/promises"
import type { Story, Telling } from "../../src/services/following/story.ts"
import type { Result } from "./result.ts"

/** Who is told by a group. */
export interface Listener {
  receive(result: Result): void
  /** The group tells nothing any more: with a cause it has failed. */
  groupEnded(cause?: unknown): void
}

interface GroupOptions {
  story: Story<Telling>
  /** What the subscription says of something told. */
  execute(told: Telling): Promise<Result>
  onEnd(): void
}

/** After so many listeners others get their turn. */
const LISTENERS_AT_ONCE = 1_000

export class Group {
  readonly #options: GroupOptions
  readonly #ending = new AbortController()
  readonly #live: AsyncIterable<Telling>
  /** Those who have been told nothing here yet, with the position up to which they know the story. */
  readonly #joining = new Map<Listener, string>()
  readonly #listeners = new Set<Listener>()

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
      for await (const told of this.#live) await this.#tell(told)
      this.#end()
    } catch (cause) {
      this.#end(cause)
    }
  }

  async #tell(told: Telling): Promise<void> {
    this.#welcome(told)
    if (this.#listeners.size === 0) return
    const result = await this.#options.execute(told)
    let count = 0
    for (const listener of this.#listeners) {
      listener.receive(result)
      if (++count % LISTENERS_AT_ONCE === 0) await setImmediate()
    }
  }

  #welcome({ cursor }: Telling): void {
    for (const [listener, position] of this.#joining) {
      if (!this.#options.story.isAfter(cursor, position)) continue
      this.#joining.delete(listener)
      this.#listeners.add(listener)
    }
  }

  #end(cause?: unknown): void {
    this.#options.onEnd()
    for (const listener of [...this.#joining.keys(), ...this.#listeners]) listener.groupEnded(cause)
  }
}
