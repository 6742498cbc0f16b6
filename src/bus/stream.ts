/** ports' EventStream over a Redis stream: the one ordered story of all nodes, from any kept position on. */
import type { JournalEntry } from "../facts/recorded.ts"
import type { Log } from "../log.ts"
import type { Redis } from "../redis/redis.ts"
import {
  BusUnavailable,
  type Clock,
  CursorExpired,
  type EventStream,
  type Interest,
  type Reads,
  type Store,
  StoreUnavailable,
  type StreamEvent,
} from "../services/ports.ts"
import { compareEntryIds, type Position, readCursor } from "./cursor.ts"
import type { Told } from "./entry.ts"
import { Follower } from "./follower.ts"
import { Generations, type GenerationStore } from "./generation.ts"
import { Link } from "./link.ts"
import { OwnEntries } from "./own.ts"
import { Publisher, type PublisherStore } from "./publisher.ts"
import { Reader } from "./reader.ts"
import { StartedTransactions } from "./started.ts"

/** The part of the store that the stream leans on. */
export type StreamStore = PublisherStore &
  GenerationStore &
  Pick<Store, "setting" | "putSetting"> & { readonly read: Pick<Reads, "transactionsByIds"> }

export interface EventStreamOptions {
  redis: Redis
  store: StreamStore
  clock: Clock
  log: Log
  /** About how many events stay in the stream for those who come back. */
  maxEvents?: number
  /** How many events may wait for one follower before it is let go. */
  maxWaiting?: number
  /** How often this node looks for what others left unpublished, ms. */
  republishEveryMs?: number
  /** How often published journal rows are marked, ms: one is at least this old then, and in Redis's file on disk. */
  markEveryMs?: number
  /** How old unpublished journal rows may grow while Redis is away, ms. */
  journalRetentionMs?: number
}

const DAY_MS = 86_400_000
/** After this long without what is waited for, it is brought from the journal. */
const BRING_AFTER_MS = 500
/** After this long it is given up. */
const PATIENCE_MS = 10_000
/** A store that is away is asked again after this long. */
const RETRY_MS = 200

/** Opens the stream, begins to read, and to publish what a crash left unpublished. @throws BusUnavailable, StoreUnavailable */
export async function openEventStream(options: EventStreamOptions): Promise<EventStream> {
  const { redis, store, clock, log, maxEvents = 200_000, maxWaiting = 1_000, republishEveryMs = 3_000 } = options
  const { markEveryMs = 2_000, journalRetentionMs = 3 * DAY_MS } = options
  const link = await Link.open(redis, "events", log)
  const generations = new Generations({ link, store, clock, log })
  await generations.agree()
  const client = await redis.connect("events-reader", { failFast: true })
  const transactions = new StartedTransactions({ read: store.read, generations, log })
  const own = new OwnEntries()
  const reader = new Reader({ client, link, generations, own, transactions, log })
  await reader.start()
  // Asked after Redis: a store that knows less than was told has come back from an older time.
  if (reader.progress.isAhead(await store.toldVersions(Number.MAX_SAFE_INTEGER)))
    await generations.agree(reader.generation)
  const settings = { maxEvents, republishEveryMs, markEveryMs, journalRetentionMs }
  const publisher = new Publisher({ link, store, generations, own, clock, log, ...settings })
  void publisher.republish(0)
  link.onReturn(async () => {
    await generations.agree()
    void publisher.republish(0)
  })
  return new RedisEventStream({ generations, link, reader, transactions, publisher, maxWaiting })
}

class RedisEventStream implements EventStream {
  readonly #generations: Generations
  readonly #link: Link
  readonly #reader: Reader
  readonly #transactions: StartedTransactions
  readonly #publisher: Publisher
  readonly #maxWaiting: number

  constructor(parts: {
    generations: Generations
    link: Link
    reader: Reader
    transactions: StartedTransactions
    publisher: Publisher
    maxWaiting: number
  }) {
    this.#generations = parts.generations
    this.#link = parts.link
    this.#reader = parts.reader
    this.#transactions = parts.transactions
    this.#publisher = parts.publisher
    this.#maxWaiting = parts.maxWaiting
  }

  publish(entry: JournalEntry): void {
    this.#publisher.publish(entry)
  }

  get cursor(): string {
    return this.#reader.cursor
  }

  isAfter(cursor: string, other: string): boolean {
    const [one, two] = [readCursor(cursor), readCursor(other)]
    return one.generation === two.generation && (compareEntryIds(one.entryId, two.entryId) || one.index - two.index) > 0
  }

  live(interest: Interest, signal: AbortSignal): AsyncIterable<StreamEvent> {
    const reader = this.#reader
    const follower = new Follower(this.#maxWaiting)
    const stop = () => {
      reader.remove(follower)
      follower.end()
    }
    if (signal.aborted) follower.end()
    else reader.add(interest, follower)
    // From this call on, not from when the first event is asked for: who never asks is let go by the signal too.
    signal.addEventListener("abort", stop)
    return (async function* () {
      try {
        yield* follower.items()
      } finally {
        signal.removeEventListener("abort", stop)
        reader.remove(follower)
      }
    })()
  }

  async *replay(
    interest: Interest,
    after: string,
    { signal, caughtUp }: { signal: AbortSignal; caughtUp: (cursor: string) => void },
  ): AsyncGenerator<StreamEvent, void> {
    const position = readCursor(after)
    await this.#comeTo(position, signal)
    let { entryId } = position
    let next = position.index + 1
    while (!signal.aborted) {
      const page = await this.#reader.pageFrom(position.generation, entryId)
      for (const { id, told } of page) {
        if (!this.#isRead(position.generation, id)) break
        const missed = id === entryId ? told.slice(next) : told
        await this.#complete(missed, interest, signal)
        if (signal.aborted) return
        for (const event of missed) {
          const item = event.itemFor(interest)
          if (item === undefined) continue
          yield item
          if (signal.aborted) return
        }
        entryId = id
        next = told.length
        // In one turn with the comparison, so that nothing can come in between.
        if (this.#isRead(position.generation, id) && id === this.#reader.position) {
          caughtUp(this.#reader.cursor)
          return
        }
      }
    }
  }

  async reached(versions: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
    const { progress } = this.#reader
    if (progress.missing(versions).size === 0) return
    for (const patienceMs of [BRING_AFTER_MS, PATIENCE_MS]) {
      const limit = AbortSignal.timeout(patienceMs)
      await progress.until(versions, AbortSignal.any([signal, limit]))
      const missing = progress.missing(versions)
      if (missing.size === 0 || signal.aborted) return
      if (patienceMs === BRING_AFTER_MS) await this.#publisher.bring(missing)
    }
    throw new BusUnavailable("the stream of events is behind the store")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close()
    await this.#reader.close()
    this.#link.close()
  }

  /** Completes what the interest may want of these events, or ends with the signal; a store that is away is waited for. */
  async #complete(events: readonly Told[], interest: Interest, signal: AbortSignal): Promise<void> {
    if (interest.type !== "Transaction") return
    const incomplete = events.filter((event) => event.isIncomplete && event.mayBeFor(interest))
    if (incomplete.length === 0) return
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    for (;;) {
      try {
        return await this.#transactions.complete(incomplete)
      } catch (cause) {
        if (signal.aborted) return
        if (limit.aborted || !(cause instanceof StoreUnavailable)) throw cause
        await Bun.sleep(RETRY_MS)
      }
    }
  }

  /** Waits until this node has read as far as a position: another node may have been quicker. */
  async #comeTo({ generation, entryId }: Position, signal: AbortSignal): Promise<void> {
    // Where this node has not noticed yet that a generation began, a cursor may name it already.
    const isNew = generation !== this.#reader.generation && generation === (await this.#generations.agree())
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    while (isNew && generation !== this.#reader.generation && !limit.aborted) await this.#reader.moved(limit)
    if (signal.aborted || this.#isRead(generation, entryId)) return
    await this.#reader.pageFrom(generation, entryId)
    while (!limit.aborted && !this.#isRead(generation, entryId)) await this.#reader.moved(limit)
    if (!signal.aborted && limit.aborted) throw new BusUnavailable("this node is behind the stream of events")
  }

  /** Whether this node has given the entry to its followers. @throws CursorExpired where it reads another generation */
  #isRead(generation: string, entryId: string): boolean {
    if (generation !== this.#reader.generation) throw new CursorExpired("the stream has begun anew")
    return compareEntryIds(entryId, this.#reader.position) <= 0
  }
}
