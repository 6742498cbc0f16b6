/** ports' EventStream over a Redis stream: the one ordered story of all nodes, from any kept position on. */
import type { Event, JournalEntry } from "../facts/events.ts"
import type { Log } from "../log.ts"
import type { Redis } from "../redis/redis.ts"
import { type Clock, CursorExpired, type EventStream, type Store, type StreamEvent } from "../services/ports.ts"
import { compareEntryIds, readCursor } from "./cursor.ts"
import { Follower } from "./follower.ts"
import { Generations } from "./generation.ts"
import { Link } from "./link.ts"
import { Publisher, type PublisherStore } from "./publisher.ts"
import { Reader } from "./reader.ts"

/** The part of the store that the stream leans on. */
export type StreamStore = PublisherStore & Pick<Store, "setting" | "putSetting">

export interface EventStreamOptions {
  redis: Redis
  store: StreamStore
  clock: Clock
  log: Log
  /** About how many entries (commit groups) stay in the stream for those who come back. */
  maxEntries?: number
  /** How many events may wait for one follower before it is let go. */
  maxWaiting?: number
  /** How often this node looks for what others left unpublished, ms. */
  republishEveryMs?: number
}

/** Opens the stream, publishes what a crash left unpublished, and begins to read. @throws BusUnavailable, StoreUnavailable */
export async function openEventStream(options: EventStreamOptions): Promise<EventStream> {
  const { redis, store, clock, log, maxEntries = 100_000, maxWaiting = 1_000, republishEveryMs = 5_000 } = options
  const link = await Link.open(redis, "events", log)
  const generations = new Generations({ link, store, clock, log })
  await generations.agree()
  const reader = new Reader({
    client: await redis.connect("events-reader", { failFast: true }),
    link,
    generations,
    log,
  })
  await reader.start()
  const publisher = new Publisher({ link, store, generations, clock, log, maxEntries, republishEveryMs })
  await publisher.republish(0)
  link.onReturn(() => publisher.republish(0))
  return new RedisEventStream({ link, reader, publisher, maxWaiting })
}

class RedisEventStream implements EventStream {
  readonly #link: Link
  readonly #reader: Reader
  readonly #publisher: Publisher
  readonly #maxWaiting: number

  constructor(parts: { link: Link; reader: Reader; publisher: Publisher; maxWaiting: number }) {
    this.#link = parts.link
    this.#reader = parts.reader
    this.#publisher = parts.publisher
    this.#maxWaiting = parts.maxWaiting
  }

  publish(entry: JournalEntry): void {
    this.#publisher.publish(entry)
  }

  follow(
    organisationId: string,
    wants: (event: Event) => boolean,
    { after, signal }: { after?: string; signal: AbortSignal },
  ): AsyncIterable<StreamEvent> {
    const follower = new Follower(organisationId, wants, this.#maxWaiting)
    // From now on means from this call on, whenever the first event is asked for.
    if (after === undefined && !signal.aborted) this.#reader.add(follower)
    return this.#story(follower, after, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close()
    await this.#reader.close()
    this.#link.close()
  }

  async *#story(follower: Follower, after: string | undefined, signal: AbortSignal): AsyncGenerator<StreamEvent, void> {
    const stop = () => {
      this.#reader.remove(follower)
      follower.end()
    }
    signal.addEventListener("abort", stop)
    if (signal.aborted) stop()
    try {
      if (after !== undefined) yield* this.#catchUp(follower, after, signal)
      if (!signal.aborted) yield* follower.items()
    } finally {
      signal.removeEventListener("abort", stop)
      this.#reader.remove(follower)
    }
  }

  /** Tells what lies between the cursor and the node's reader; where it has caught up, the reader takes over. */
  async *#catchUp(follower: Follower, after: string, signal: AbortSignal): AsyncGenerator<StreamEvent, void> {
    const { generation, entryId, index } = readCursor(after)
    let position = entryId
    let told = index + 1
    while (!signal.aborted) {
      if (generation !== this.#reader.generation) throw new CursorExpired("the stream has begun anew")
      const page = await this.#reader.pageFrom(generation, position)
      for (const { id, items } of page) {
        const news = id === position ? items.slice(told) : items
        for (const item of news) {
          if (signal.aborted) return
          if (follower.takes(item.event)) yield item
        }
        position = id
        told = items.length
      }
      // In one turn with the comparison, so that nothing can come in between.
      if (generation === this.#reader.generation && compareEntryIds(position, this.#reader.position) >= 0) {
        follower.after = position
        this.#reader.add(follower)
        return
      }
    }
  }
}
