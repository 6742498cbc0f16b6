/** Brings what was committed into the stream: each subject's events once, in order, without a gap. */
import type { Event, JournalEntry } from "../facts/events.ts"
import type { Log } from "../log.ts"
import { Script } from "../redis/script.ts"
import type { Clock, Store } from "../services/ports.ts"
import { beganAt, type Generations } from "./generation.ts"
import { GENERATION_KEY, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"

export type PublisherStore = Pick<Store, "journalOf" | "unpublished" | "markPublished">

const MAX_EVENTS_PER_BATCH = 1_000
const MAX_QUEUED_ENTRIES = 10_000
const MAX_ATTEMPTS = 20
/** Redis writes its file to disk every second: an entry counts as published only when a power cut cannot take it back. */
const MARK_AFTER_MS = 2_000
/** What lies unpublished for this long was left behind by somebody. */
const LEFT_BEHIND_MS = 10_000
const REPUBLISH_LIMIT = 500
/** How far back a subject's story is looked into at the start of a generation: mostly the first step is enough. */
const PREDECESSORS = [8, 64, 512]
const CLOCK_SKEW_MS = 10_000

// Appends what continues each subject's story, skips what is told already, refuses what has a predecessor missing.
// A subject unknown to this generation begins with version 1, or with an event marked as its beginning.
const APPEND = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'generation'} end
local last, accepted, changed, refused = {}, {}, {}, {}
for i = 3, #ARGV, 4 do
  local subject, version = ARGV[i], tonumber(ARGV[i + 1])
  if last[subject] == nil then last[subject] = tonumber(redis.call('HGET', KEYS[2], subject) or -1) end
  local seen = last[subject]
  if seen == -1 and (version == 1 or ARGV[i + 2] == '1') or seen ~= -1 and version == seen + 1 then
    accepted[#accepted + 1] = ARGV[i + 3]
    last[subject], changed[subject] = version, true
  elseif seen == -1 or version > seen then
    refused[subject] = true
  end
end
for subject in pairs(changed) do redis.call('HSET', KEYS[2], subject, string.format('%.0f', last[subject])) end
if #accepted > 0 then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'events', '[' .. table.concat(accepted, ',') .. ']')
end
local reply = {'ok'}
for subject in pairs(refused) do
  reply[#reply + 1] = subject
  reply[#reply + 1] = string.format('%.0f', last[subject])
end
return reply
`)

interface Waiting {
  event: Event
  /** The story of its subject begins here in this generation. */
  begins: boolean
}

export class Publisher {
  readonly #link: Link
  readonly #store: PublisherStore
  readonly #generations: Generations
  readonly #clock: Clock
  readonly #log: Log
  readonly #maxEntries: number
  #queue: JournalEntry[] = []
  #draining: Promise<void> | undefined
  #republishing: Promise<void> | undefined
  #published: number[] = []
  readonly #timers: Timer[]

  constructor(options: {
    link: Link
    store: PublisherStore
    generations: Generations
    clock: Clock
    log: Log
    maxEntries: number
    republishEveryMs: number
  }) {
    this.#link = options.link
    this.#store = options.store
    this.#generations = options.generations
    this.#clock = options.clock
    this.#log = options.log
    this.#maxEntries = options.maxEntries
    this.#timers = [
      setInterval(() => void this.#mark(), MARK_AFTER_MS),
      setInterval(() => void this.republish(LEFT_BEHIND_MS), options.republishEveryMs),
    ]
  }

  /** See `EventStream.publish`. */
  publish(entry: JournalEntry): void {
    this.#queue.push(entry)
    // The journal has them all; what is not published now is published from there.
    if (this.#queue.length > MAX_QUEUED_ENTRIES) this.#queue.shift()
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
  }

  /** Publishes what the journal says nobody has published, as far as it is older than `olderThanMs`. */
  republish(olderThanMs: number): Promise<void> {
    this.#republishing ??= this.#republish(olderThanMs).finally(() => {
      this.#republishing = undefined
    })
    return this.#republishing
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#draining
    await this.#republishing
    await this.#mark()
  }

  async #drain(): Promise<void> {
    // What is committed in the same turn goes together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch()
      try {
        await this.#append(batch.flatMap((entry) => entry.events))
        this.#published.push(...batch.map((entry) => entry.id))
      } catch (cause) {
        this.#log.debug({ err: cause, entries: batch.length }, "events stay in the journal for now")
      }
    }
  }

  #nextBatch(): JournalEntry[] {
    let events = 0
    let entries = 0
    for (const entry of this.#queue) {
      if (entries > 0 && events + entry.events.length > MAX_EVENTS_PER_BATCH) break
      events += entry.events.length
      entries++
    }
    return this.#queue.splice(0, entries)
  }

  async #republish(olderThanMs: number): Promise<void> {
    try {
      for (;;) {
        const entries = await this.#store.unpublished(REPUBLISH_LIMIT, this.#clock.now() - olderThanMs)
        if (entries.length === 0) return
        for (const entry of entries) await this.#append(entry.events)
        await this.#store.markPublished(entries.map((entry) => entry.id))
        if (entries.length < REPUBLISH_LIMIT) return
      }
    } catch (cause) {
      this.#log.debug({ err: cause }, "what lies unpublished stays in the journal for now")
    }
  }

  async #append(events: readonly Event[]): Promise<void> {
    let waiting: Waiting[] = events.map((event) => ({ event, begins: false }))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const generation = this.#generations.current
      const reply = await this.#script(generation, waiting)
      if (reply[0] === "generation") {
        await this.#generations.agree()
        continue
      }
      const lastVersions = new Map<string, number>()
      for (let i = 1; i < reply.length; i += 2) lastVersions.set(reply[i] ?? "", Number(reply[i + 1]))
      if (lastVersions.size === 0) return
      waiting = await this.#withPredecessors(generation, waiting, lastVersions)
    }
    throw new Error("the stream does not take these events")
  }

  async #script(generation: string, waiting: readonly Waiting[]): Promise<string[]> {
    const args = waiting.flatMap(({ event, begins }) => [
      event.subject,
      String(event.version),
      begins ? "1" : "0",
      JSON.stringify(event),
    ])
    const keys = [GENERATION_KEY, versionsKey(generation), streamKey(generation)]
    const reply = await this.#link.ask((client) =>
      APPEND.run(client, keys, [generation, String(this.#maxEntries), ...args]),
    )
    return reply as string[]
  }

  /** The refused events of each subject, in order, behind those that the stream lacks before them. */
  async #withPredecessors(
    generation: string,
    waiting: readonly Waiting[],
    lastVersions: ReadonlyMap<string, number>,
  ): Promise<Waiting[]> {
    const complete: Waiting[] = []
    for (const [subject, lastVersion] of lastVersions) {
      const own = waiting.filter(({ event }) => event.subject === subject && event.version > lastVersion)
      own.sort((a, b) => a.event.version - b.event.version)
      const first = own[0]?.event.version
      if (first === undefined) continue
      if (lastVersion < 0) {
        complete.push(...(await this.#beginning(generation, subject, first)), ...own)
        const begin = complete.find(({ event }) => event.subject === subject)
        if (begin !== undefined) begin.begins = true
      } else {
        const missing = await this.#store.journalOf(subject, lastVersion + 1, first - 1)
        if (missing.length < first - 1 - lastVersion) {
          this.#log.warn({ subject, lastVersion, first }, "the journal no longer holds what the stream lacks")
          await this.#generations.agree(generation)
          return [...waiting]
        }
        complete.push(...missing.map((event) => ({ event, begins: false })), ...own)
      }
    }
    return complete
  }

  /** What a subject told since the generation began, before a version: other nodes may be about to publish it. */
  async #beginning(generation: string, subject: string, before: number): Promise<Waiting[]> {
    const since = beganAt(generation) - CLOCK_SKEW_MS
    let told: Event[] = []
    for (const count of PREDECESSORS) {
      const first = Math.max(1, before - count)
      const earlier = first < before ? await this.#store.journalOf(subject, first, before - 1) : []
      told = earlier.slice(earlier.findLastIndex((event) => event.at < since) + 1)
      if (told.length < earlier.length || earlier.length < count) break
    }
    return told.map((event) => ({ event, begins: false }))
  }

  async #mark(): Promise<void> {
    const ids = this.#published
    this.#published = []
    if (ids.length === 0) return
    await this.#store.markPublished(ids).catch((cause: unknown) => {
      // They stay marked as unpublished, and the stream skips them when they come again.
      this.#log.debug({ err: cause }, "published entries were not marked")
    })
  }
}
