/** Brings what was committed into the stream: each subject's events once, in order, without a gap. */
import { setImmediate } from "node:timers/promises"
import { type JournalEntry, record, type RecordedEvent } from "../facts/recorded.ts"
import type { Log } from "../log.ts"
import type { Clock, Store } from "../services/ports.ts"
import { append, MAX_EVENTS_PER_ENTRY } from "./append.ts"
import { type Generations, sinceOf } from "./generation.ts"
import { versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"
import { Marks } from "./marks.ts"
import type { OwnEntries } from "./own.ts"

export type PublisherStore = Pick<Store, "journalOf" | "unpublished" | "firstUnpublished" | "markPublished" | "prune">

const MAX_QUEUED_ENTRIES = 10_000
const MAX_REFUSALS = 20
/** More than this is not told again one by one: a new generation begins near the present. */
const MAX_BACKLOG = 200_000
/** What lies unpublished for this long was left behind by somebody: more than a published row waits for its mark. */
const LEFT_BEHIND_MS = 6_000
/** Rows of the journal may hold a thousand events each. */
const PAGE = 50
const RETRY_MS = 500
const PRUNE_EVERY_MS = 60_000
const PRUNE_ROWS = 2_000

/** Where events are in the stream: at this entry or before it. */
interface Place {
  generation: string
  entryId: string
}

export class Publisher {
  readonly #link: Link
  readonly #store: PublisherStore
  readonly #generations: Generations
  readonly #own: OwnEntries
  readonly #clock: Clock
  readonly #log: Log
  readonly #maxEvents: number
  readonly #journalRetentionMs: number
  readonly #marks: Marks
  readonly #timers: Timer[]
  #queue: JournalEntry[] = []
  /** Redis is away: nothing is queued, the journal has it. */
  #away = false
  /** What lies unpublished for at least so long (ms) is to be published from the journal. */
  #lookBackMs: number | undefined
  #working: Promise<void> | undefined
  #wake: (() => void) | undefined
  #closed = false
  #prunedAt = 0

  constructor(options: {
    link: Link
    store: PublisherStore
    generations: Generations
    own: OwnEntries
    clock: Clock
    log: Log
    maxEvents: number
    republishEveryMs: number
    markEveryMs: number
    journalRetentionMs: number
  }) {
    this.#link = options.link
    this.#store = options.store
    this.#generations = options.generations
    this.#own = options.own
    this.#clock = options.clock
    this.#log = options.log
    this.#maxEvents = options.maxEvents
    this.#journalRetentionMs = options.journalRetentionMs
    this.#marks = new Marks(options)
    this.#timers = [
      setInterval(() => void this.#mark(), options.markEveryMs),
      setInterval(() => void this.republish(LEFT_BEHIND_MS), options.republishEveryMs),
    ]
    // What was published in the generation before and is not marked yet is published again.
    this.#generations.onChange(() => void this.republish(0))
  }

  /** See `EventStream.publish`. */
  publish(entry: JournalEntry): void {
    if (this.#queue.length >= MAX_QUEUED_ENTRIES) {
      this.#queue = []
      this.#lookBackMs = 0
    }
    if (!this.#away) this.#queue.push(entry)
    void this.#work()
  }

  /** Publishes what the journal says nobody has published, as far as it is older than `olderThanMs`. */
  republish(olderThanMs: number): Promise<void> {
    this.#lookBackMs = Math.min(olderThanMs, this.#lookBackMs ?? olderThanMs)
    this.#wake?.()
    return this.#work()
  }

  /** Brings subjects up to these versions at once, whoever was to publish them. @throws BusUnavailable, StoreUnavailable */
  async bring(versions: ReadonlyMap<string, number>): Promise<void> {
    for (const [subject, version] of versions) {
      const { current } = this.#generations
      const newest = await this.#store.journalOf(subject, version, version)
      if (newest.length > 0) await this.#append(newest.map(record))
      else if ((await this.#versionOf(current, subject)) < version) await this.#generations.agree(current)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#wake?.()
    await this.#working
    await this.#mark()
    await this.#mark()
  }

  #work(): Promise<void> {
    this.#working ??= this.#run().finally(() => {
      this.#working = undefined
    })
    return this.#working
  }

  async #run(): Promise<void> {
    // What is committed in the same turn goes together, and behind the answers to those who waited for the commit.
    await setImmediate()
    while (this.#lookBackMs !== undefined || this.#queue.length > 0) {
      try {
        if (this.#lookBackMs !== undefined) await this.#catchUp()
        else await this.#publish(nextBatch(this.#queue))
      } catch (cause) {
        this.#log.debug({ err: cause, entries: this.#queue.length }, "events stay in the journal for now")
        this.#queue = []
        this.#lookBackMs = 0
        this.#away = true
        if (this.#closed) return
        await this.#pause()
      }
    }
  }

  /** In the order of the journal, whoever committed it. */
  async #catchUp(): Promise<void> {
    const olderThan = this.#lookBackMs === 0 ? Number.MAX_SAFE_INTEGER : this.#clock.now() - (this.#lookBackMs ?? 0)
    const isSweep = this.#lookBackMs !== 0
    this.#lookBackMs = undefined
    this.#away = false
    const { current } = this.#generations
    if ((await this.#store.firstUnpublished(MAX_BACKLOG)) > sinceOf(current)) await this.#generations.agree(current)
    let afterId = sinceOf(this.#generations.current) - 1
    for (;;) {
      // What this node is about to publish or to mark was not left behind, however long a busy store makes it wait.
      const own = isSweep ? this.#underWay() : new Set<number>()
      const left = await this.#store.unpublished(PAGE, olderThan, afterId, own)
      afterId = left.at(-1)?.id ?? afterId
      const isLast = left.length < PAGE
      while (left.length > 0) await this.#publish(nextBatch(left))
      if (isLast || this.#closed) return
    }
  }

  #underWay(): Set<number> {
    const own = this.#marks.pending(this.#generations.current)
    for (const { id } of this.#queue) own.add(id)
    return own
  }

  async #publish(entries: readonly JournalEntry[]): Promise<void> {
    const { generation, entryId } = await this.#append(entries.flatMap((entry) => entry.events))
    this.#marks.add(
      entries.map(({ id }) => id),
      generation,
      entryId,
    )
  }

  async #append(events: readonly RecordedEvent[]): Promise<Place> {
    let waiting = events
    for (let refusals = 0; refusals < MAX_REFUSALS;) {
      const generation = this.#generations.current
      const batch = waiting.slice(0, MAX_EVENTS_PER_ENTRY)
      const rest = waiting.slice(MAX_EVENTS_PER_ENTRY)
      const origin = this.#own.keep(batch)
      const [entryId, ...unfit] = await append(this.#link, generation, this.#maxEvents, { origin, events: batch })
      if (entryId === undefined || unfit.length > 0) this.#own.take(origin)
      if (entryId === undefined) {
        await this.#generations.agree()
        // What was told of them in the generation before may have to be told again.
        waiting = events
        refusals++
      } else if (unfit.length > 0) {
        waiting = [...(await this.#fitting(generation, batch, unfit)), ...rest]
        if (waiting.length === 0) return { generation, entryId }
        refusals++
      } else if (rest.length > 0) {
        waiting = rest
      } else {
        return { generation, entryId }
      }
    }
    throw new Error("the stream does not take these events")
  }

  /**
   * The same events with the story of each subject named as unfit put right: without what is told already, with what the
   * stream lacks before or between them.
   */
  async #fitting(
    generation: string,
    waiting: readonly RecordedEvent[],
    unfit: readonly string[],
  ): Promise<readonly RecordedEvent[]> {
    const versions = new Map<string, number>()
    for (let i = 0; i < unfit.length; i += 2) versions.set(unfit[i] ?? "", Number(unfit[i + 1]))
    const complete = waiting.filter((event) => !versions.has(event.subject))
    for (const [subject, told] of versions) {
      const own = waiting.filter((event) => event.subject === subject && event.version > told)
      const last = Math.max(told, ...own.map(({ version }) => version))
      const isWhole = own.every(({ version }, index) => version === told + 1 + index)
      const story = isWhole ? own : (await this.#store.journalOf(subject, told + 1, last)).map(record)
      if (story.length < last - told) {
        this.#log.warn({ subject, told, last }, "the journal no longer holds what the stream lacks")
        await this.#generations.agree(generation)
        return waiting
      }
      complete.push(...story)
    }
    return complete
  }

  async #versionOf(generation: string, subject: string): Promise<number> {
    return Number((await this.#link.ask((client) => client.hGet(versionsKey(generation), subject))) ?? 0)
  }

  async #mark(): Promise<void> {
    try {
      if (!(await this.#marks.turn())) {
        await this.#generations.agree()
        await this.republish(0)
      }
    } catch (cause) {
      // They stay marked as unpublished, and the stream skips them when they come again.
      this.#log.debug({ err: cause }, "published entries were not marked")
    }
  }

  /** Until Redis may be back. Without it no job removes what is too old to be told by then. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, RETRY_MS)
    await promise
    clearTimeout(timer)
    this.#wake = undefined
    const now = this.#clock.now()
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = now
    await this.#store.prune({ journal: now - this.#journalRetentionMs }, PRUNE_ROWS).catch((cause: unknown) => {
      this.#log.debug({ err: cause }, "the journal was not pruned")
    })
  }
}

/** Takes entries from the front of a queue: as many as fit into a batch, and at least one. */
function nextBatch(queue: JournalEntry[]): JournalEntry[] {
  let events = 0
  let entries = 0
  for (const entry of queue) {
    if (entries > 0 && events + entry.events.length > MAX_EVENTS_PER_ENTRY) break
    events += entry.events.length
    entries++
  }
  return queue.splice(0, entries)
}
