/** The node's one reader of the stream, shared by all its followers. */
import type { Log } from "../log.ts"
import type { RedisClient } from "../redis/redis.ts"
import { CursorExpired, type Interest } from "../services/ports.ts"
import { writeCursor } from "./cursor.ts"
import { Entry, ORIGIN_FIELD, readEntry } from "./entry.ts"
import type { Follower } from "./follower.ts"
import { Followers } from "./followers.ts"
import { BEGAN_FIELD, type Generations } from "./generation.ts"
import { GENERATION_KEY, orderKey, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"
import type { OwnEntries } from "./own.ts"
import { Progress } from "./progress.ts"
import type { StartedTransactions } from "./started.ts"

const BLOCK_MS = 1_000
const PAGE = 64
const RETRY_MS = 200

export class Reader {
  readonly #client: RedisClient
  readonly #link: Link
  readonly #generations: Generations
  readonly #own: OwnEntries
  readonly #transactions: StartedTransactions
  readonly #log: Log
  readonly #followers = new Followers()
  /** What is called once when the reader has moved. */
  readonly #moveHandlers = new Set<() => void>()
  /** The versions of all subjects as of the position. */
  readonly progress = new Progress()
  #generation = ""
  #position = ""
  #lastIndex = 0
  #closed = false
  #running: Promise<void> | undefined

  constructor(options: {
    client: RedisClient
    link: Link
    generations: Generations
    own: OwnEntries
    transactions: StartedTransactions
    log: Log
  }) {
    this.#client = options.client
    this.#link = options.link
    this.#generations = options.generations
    this.#own = options.own
    this.#transactions = options.transactions
    this.#log = options.log
  }

  /** Begins at the stream's present end. @throws BusUnavailable, StoreUnavailable */
  async start(): Promise<void> {
    await this.#begin()
    this.#running = this.#run()
  }

  get generation(): string {
    return this.#generation
  }

  /** The last entry given to the followers. */
  get position(): string {
    return this.#position
  }

  /** Names the last event given to the followers. */
  get cursor(): string {
    return writeCursor({ generation: this.#generation, entryId: this.#position, index: this.#lastIndex })
  }

  add(interest: Interest, follower: Follower): void {
    this.#followers.add(interest, follower)
  }

  remove(follower: Follower): void {
    this.#followers.remove(follower)
  }

  /** Resolves when the reader has moved, or with the signal. */
  async moved(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = () => resolve()
    this.#moveHandlers.add(stop)
    signal.addEventListener("abort", stop)
    await promise
    signal.removeEventListener("abort", stop)
    this.#moveHandlers.delete(stop)
  }

  /**
   * The entry with this id and those after it, up to a page.
   * @throws CursorExpired where the stream no longer (or never) holds the entry: what followed it cannot be known.
   */
  async pageFrom(generation: string, entryId: string): Promise<Entry[]> {
    const entries = await this.#link.ask((client) =>
      client.xRange(streamKey(generation), entryId, "+", { COUNT: PAGE }),
    )
    if (entries?.[0]?.id !== entryId) throw new CursorExpired("the position is no longer kept")
    return entries.map(({ id, message }) => readEntry(generation, id, message))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#followers.end()
    if (this.#client.isOpen) this.#client.destroy()
    await this.#running
    this.#tellMoved()
  }

  async #run(): Promise<void> {
    // What has come back from being away may be older: until that is known nothing of it is told.
    let wasAway = false
    while (!this.#closed) {
      try {
        if (wasAway) await this.#recover()
        wasAway = false
        if (this.#generation !== this.#generations.current) await this.#begin()
        await this.#readOn()
      } catch (cause) {
        if (this.#closed) return
        wasAway = true
        this.#log.debug({ err: cause }, "the stream cannot be read")
        await Bun.sleep(RETRY_MS)
      }
    }
  }

  async #readOn(): Promise<void> {
    const read = { key: orderKey(this.#generation), id: this.#position }
    const reply = await this.#client.xRead(read, { BLOCK: BLOCK_MS, COUNT: PAGE })
    if (reply === null) {
      // Nothing new, or emptied under our hands: the stream alone cannot tell.
      if (!(await this.#generations.holds(this.#generation, this.#position))) await this.#recover()
      return
    }
    for (const { messages } of reply) {
      // This far behind, the stream may have been cut off before us: then something lies between that we did not get.
      if (messages.length === PAGE && !(await this.#keeps(this.#position))) {
        await this.#begin()
        return
      }
      const entries = await this.#entries(messages)
      if (entries.length < messages.length) {
        await this.#begin()
        return
      }
      for (const entry of entries) {
        // Whoever comes while the store is asked is looked for as well: the last look and the telling are of one turn.
        for (;;) {
          const incomplete = this.#followers.incomplete(entry)
          if (incomplete.length === 0) break
          await this.#transactions.complete(incomplete)
        }
        // Whoever reads as fast as we do gets the chance to.
        if (this.#take(entry)) await new Promise(setImmediate)
      }
    }
  }

  /** The entries in this order: this node's own as it has them, the others' fetched, as far as the stream still keeps them. */
  async #entries(order: readonly { id: string; message: Record<string, string> }[]): Promise<Entry[]> {
    const generation = this.#generation
    const entries = await Promise.all(
      order.map(async ({ id, message }) => {
        const own = this.#own.take(message[ORIGIN_FIELD] ?? "")
        if (own !== undefined) return new Entry(generation, id, own)
        const [found] = (await this.#client.xRange(streamKey(generation), id, id)) ?? []
        return found === undefined ? undefined : readEntry(generation, id, found.message)
      }),
    )
    return entries.filter((entry) => entry !== undefined)
  }

  /** Gives an entry to those who follow, in one turn with the move of the position; whether anybody wanted it. */
  #take(entry: Entry): boolean {
    this.#position = entry.id
    this.#lastIndex = entry.lastIndex
    const wanted = this.#followers.tell(entry)
    for (const { subject, version } of entry.events) this.progress.note(subject, version)
    this.#tellMoved()
    return wanted
  }

  async #keeps(entryId: string): Promise<boolean> {
    const kept = await this.#link.ask((client) => client.xRange(streamKey(this.#generation), entryId, entryId))
    return kept?.[0] !== undefined
  }

  /** After Redis was away, or where it is not as it was: is it the same story, and does it hold all that we have seen? */
  async #recover(): Promise<void> {
    const generation = await this.#generations.agree()
    if (generation === this.#generation && !(await this.#generations.holds(generation, this.#position)))
      await this.#generations.agree(generation)
  }

  /** Goes to the present end of the present generation; for those who followed the story is broken off. */
  async #begin(): Promise<void> {
    const generation = this.#generations.current
    const [found, versions, newest] = await this.#link.ask((client) =>
      client
        .multi()
        .get(GENERATION_KEY)
        .hGetAll(versionsKey(generation))
        .xRevRange(streamKey(generation), "+", "-", { COUNT: 1 })
        .execTyped(),
    )
    const last = newest?.[0]
    if (found !== generation || last === undefined) {
      await this.#generations.agree()
      return await this.#begin()
    }
    const entry = readEntry(generation, last.id, last.message)
    this.#generation = generation
    this.#position = entry.id
    this.#lastIndex = entry.lastIndex
    this.#followers.end(new CursorExpired("the stream has begun anew"))
    const subjects = Object.entries(versions).filter(([subject]) => subject !== BEGAN_FIELD)
    this.progress.begin(new Map(subjects.map(([subject, version]) => [subject, Number(version)])))
    this.#tellMoved()
  }

  #tellMoved(): void {
    for (const handler of this.#moveHandlers) handler()
  }
}
