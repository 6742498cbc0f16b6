/**
 * Which story the stream tells: a generation ends where Redis has lost a part of it, and a new one begins. The books
 * (a setting of the store) name the generation and an entry that it is known to hold: what is marked as published was
 * told up to there. Redis that lacks the entry, or anything else of the generation, has come back from an older time.
 */
import type { Log } from "../log.ts"
import { Script } from "../redis/script.ts"
import type { Clock, Store } from "../services/ports.ts"
import { BEFORE_ALL, compareEntryIds } from "./cursor.ts"
import {
  EVENTS_PREFIX,
  FORMER_EVENTS_PREFIX,
  GENERATION_KEY,
  GENERATION_LOCK_KEY,
  orderKey,
  streamKey,
  versionsKey,
} from "./keys.ts"
import type { Link } from "./link.ts"

export type GenerationStore = Pick<Store, "setting" | "putSetting" | "firstUnpublished" | "toldVersions">

/** The store's setting with the books: `<generation> <entry id>`. */
export const BOOKS = "stream.generation"
const LOCK_MS = 15_000
const LOCK_RETRY_MS = 50
/** What is left behind by a node that died while it began a generation goes by itself. */
const UNFINISHED_MS = 600_000
const SEEDS_AT_ONCE = 1_000
/** Of what lies unpublished where a generation begins, so many of the newest rows are told in it. */
const MAX_UNPUBLISHED = 10_000
/** A field of the versions' hash that is there from the beginning; no subject's name. */
export const BEGAN_FIELD = "began"

const UNLOCK = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`)

const SEED = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
`)

// Its first entry tells nothing: a stream that is not there, or does not begin, has been lost.
const BEGIN = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('PERSIST', KEYS[2]) == 0 then return 0 end
local parts = {'stream', 'order', 'versions', 'events', 'sizes'}
local function forget(prefix)
  local before = redis.call('GET', prefix .. 'generation')
  if before then for _, part in ipairs(parts) do redis.call('UNLINK', prefix .. before .. ':' .. part) end end
end
forget(ARGV[3])
forget(ARGV[4])
redis.call('DEL', ARGV[4] .. 'generation')
local id = redis.call('XADD', KEYS[3], '*', '${BEGAN_FIELD}', ARGV[2])
redis.call('XADD', KEYS[4], id, '${BEGAN_FIELD}', ARGV[2])
redis.call('SET', KEYS[5], ARGV[2])
return 1
`)

// The generation that Redis tells, the id of its first entry, and for each position whether the entry is there.
const LOOK = new Script(`
local found = {redis.call('GET', KEYS[1]) or '', ''}
if found[1] ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], '${BEGAN_FIELD}') == 0
  or redis.call('EXISTS', KEYS[4]) == 0 then return found end
local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
if not first then return found end
found[2] = first[1]
for i = 2, #ARGV do found[i + 1] = #redis.call('XRANGE', KEYS[3], ARGV[i], ARGV[i]) == 1 and '1' or '0' end
return found
`)

/** What the store keeps of the stream. */
export interface Books {
  /** As it lies in the setting. */
  text: string
  generation: string
  /** An entry that the generation holds, or held and cut off for its age. */
  entryId: string
}

export const writeBooks = (generation: string, entryId: string): string => `${generation} ${entryId}`

export class Generations {
  readonly #link: Link
  readonly #store: GenerationStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #changeHandlers: (() => void)[] = []
  #current = ""

  constructor(options: { link: Link; store: GenerationStore; clock: Clock; log: Log }) {
    this.#link = options.link
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
  }

  /** The generation that this node reads and writes; empty before the first agreement. */
  get current(): string {
    return this.#current
  }

  /** Called whenever this node has come to another generation. */
  onChange(handler: () => void): void {
    this.#changeHandlers.push(handler)
  }

  /**
   * Brings the books and Redis to the same generation: where they differ, where Redis is behind the books, or where the
   * generation is `lost` for another reason, one of the nodes begins a new one.
   */
  async agree(lost?: string): Promise<string> {
    for (let isSaid = false; ;) {
      const sound = await this.#sound()
      if (sound !== undefined && sound !== lost) {
        this.#turnTo(sound)
        return sound
      }
      const token = crypto.randomUUID()
      const locked = await this.#link.ask((client) =>
        client.set(GENERATION_LOCK_KEY, token, { condition: "NX", expiration: { type: "PX", value: LOCK_MS } }),
      )
      if (locked === null) {
        if (!isSaid) this.#log.info("another node is beginning the stream of events: this one waits for it")
        isSaid = true
        await Bun.sleep(LOCK_RETRY_MS)
        continue
      }
      try {
        const meanwhile = await this.#sound()
        if (meanwhile === undefined || meanwhile === lost) await this.#begin(token, meanwhile ?? lost)
      } finally {
        await this.#link.ask((client) => UNLOCK.run(client, [GENERATION_LOCK_KEY], [token]))
      }
    }
  }

  /** What the store keeps; undefined before the first generation. */
  async books(): Promise<Books | undefined> {
    const text = await this.#store.setting(BOOKS)
    const [generation, entryId] = text?.split(" ") ?? []
    return text === undefined || generation === undefined || entryId === undefined
      ? undefined
      : { text, generation, entryId }
  }

  /** Whether Redis tells this generation and holds each of these entries, or has cut it off for its age. */
  async holds(generation: string, ...entryIds: string[]): Promise<boolean> {
    const keys = [GENERATION_KEY, versionsKey(generation), streamKey(generation), orderKey(generation)]
    const reply = await this.#link.ask((client) => LOOK.run(client, keys, [generation, ...entryIds]))
    const [found, first = "", ...present] = reply as string[]
    if (found !== generation || first === "") return false
    return entryIds.every((entryId, index) => present[index] === "1" || compareEntryIds(entryId, first) < 0)
  }

  /** The generation of the books, if Redis tells it in full. */
  async #sound(): Promise<string | undefined> {
    const books = await this.books()
    return books !== undefined && (await this.holds(books.generation, books.entryId)) ? books.generation : undefined
  }

  #turnTo(generation: string): void {
    if (generation === this.#current) return
    this.#current = generation
    for (const handler of this.#changeHandlers) handler()
  }

  /**
   * The books come first: from then on nothing counts as published that was told in the generation before. What is
   * read from them then is what the new generation continues; only when Redis holds all of that it begins. Who loses
   * the lock on the way leaves it to the one who took it.
   */
  async #begin(token: string, before: string | undefined): Promise<void> {
    const since = await this.#store.firstUnpublished(MAX_UNPUBLISHED)
    const generation = `${this.#clock.now().toString(36)}-${crypto.randomUUID().slice(0, 8)}-${since.toString(36)}`
    const isFirst = (await this.#store.setting(BOOKS)) === undefined
    await this.#store.putSetting(BOOKS, writeBooks(generation, BEFORE_ALL))
    const versions = await this.#store.toldVersions(since)
    const seeds = [BEGAN_FIELD, "1", ...[...versions].flatMap(([subject, version]) => [subject, String(version)])]
    for (let from = 0; from < seeds.length; from += 2 * SEEDS_AT_ONCE) {
      const some = seeds.slice(from, from + 2 * SEEDS_AT_ONCE)
      const args = [token, String(LOCK_MS), String(UNFINISHED_MS), ...some]
      const seeded = await this.#link.ask((client) =>
        SEED.run(client, [GENERATION_LOCK_KEY, versionsKey(generation)], args),
      )
      if (seeded !== 1) return
    }
    const streams = [streamKey(generation), orderKey(generation)]
    const keys = [GENERATION_LOCK_KEY, versionsKey(generation), ...streams, GENERATION_KEY]
    const args = [token, generation, EVENTS_PREFIX, FORMER_EVENTS_PREFIX]
    const begun = await this.#link.ask((client) => BEGIN.run(client, keys, args))
    if (begun !== 1) return
    if (isFirst) this.#log.info({ generation }, "the stream of events begins")
    else this.#log.warn({ generation, before }, "the stream of events begins anew: cursors of before have expired")
  }
}

/** The journal row from which on a generation tells what was not published before it. */
export const sinceOf = (generation: string): number => Number.parseInt(generation.split("-")[2] ?? "", 36)
