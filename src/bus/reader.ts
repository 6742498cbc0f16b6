/** The node's one reader of the stream, shared by all its followers. */
import type { Event } from "../facts/events.ts"
import type { Log } from "../log.ts"
import type { RedisClient } from "../redis/redis.ts"
import { CursorExpired, type StreamEvent } from "../services/ports.ts"
import { BEFORE_ALL, compareEntryIds, writeCursor } from "./cursor.ts"
import type { Follower } from "./follower.ts"
import type { Generations } from "./generation.ts"
import { streamKey } from "./keys.ts"
import type { Link } from "./link.ts"

/** An entry of the stream, read. */
export interface Entry {
  id: string
  items: StreamEvent[]
}

const BLOCK_MS = 1_000
const PAGE = 256
const RETRY_MS = 200

export class Reader {
  readonly #client: RedisClient
  readonly #link: Link
  readonly #generations: Generations
  readonly #log: Log
  readonly #followers = new Set<Follower>()
  #generation = ""
  #position = BEFORE_ALL
  #closed = false
  #running: Promise<void> | undefined

  constructor(options: { client: RedisClient; link: Link; generations: Generations; log: Log }) {
    this.#client = options.client
    this.#link = options.link
    this.#generations = options.generations
    this.#log = options.log
  }

  /** Begins at the stream's present end. */
  async start(): Promise<void> {
    this.#generation = this.#generations.current
    this.#position = await this.#lastId()
    this.#running = this.#run()
  }

  get generation(): string {
    return this.#generation
  }

  /** The last entry given to the followers. */
  get position(): string {
    return this.#position
  }

  add(follower: Follower): void {
    this.#followers.add(follower)
  }

  remove(follower: Follower): void {
    this.#followers.delete(follower)
  }

  /**
   * The entry with this id and those after it, up to a page.
   * @throws CursorExpired where the stream no longer (or never) holds the entry: what followed it cannot be known.
   */
  async pageFrom(generation: string, entryId: string): Promise<Entry[]> {
    const entries = await this.#link.ask((client) =>
      client.xRange(streamKey(generation), entryId === BEFORE_ALL ? "-" : entryId, "+", { COUNT: PAGE }),
    )
    if (entryId !== BEFORE_ALL && entries?.[0]?.id !== entryId)
      throw new CursorExpired("the position is no longer kept")
    return (entries ?? []).map(({ id, message }) => readEntry(generation, id, message["events"]))
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const follower of this.#followers) follower.end()
    if (this.#client.isOpen) this.#client.destroy()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        if (this.#generation !== this.#generations.current) this.#beginAnew(this.#generations.current, BEFORE_ALL)
        await this.#readOn()
      } catch (cause) {
        if (this.#closed) return
        this.#log.debug({ err: cause }, "the stream cannot be read")
        await Bun.sleep(RETRY_MS)
        await this.#recover().catch((failure: unknown) => this.#log.debug({ err: failure }, "the stream is away"))
      }
    }
  }

  async #readOn(): Promise<void> {
    const read = { key: streamKey(this.#generation), id: this.#position }
    const reply = await this.#client.xRead(read, { BLOCK: BLOCK_MS, COUNT: PAGE })
    if (reply === null) {
      // Nothing new, or emptied under our hands: the stream alone cannot tell.
      if (!(await this.#generations.holds())) await this.#generations.agree()
      return
    }
    for (const { messages } of reply) {
      for (const { id, message } of messages) {
        this.#position = id
        if (this.#followers.size === 0) continue
        const { items } = readEntry(this.#generation, id, message["events"])
        for (const follower of this.#followers) follower.offer(id, items)
        // Whoever reads as fast as we do gets the chance to.
        await new Promise(setImmediate)
      }
      // This far behind, the stream may have been cut off before us.
      if (messages.length === PAGE) await this.#checkKept()
    }
  }

  async #checkKept(): Promise<void> {
    const kept = await this.#link.ask((client) =>
      client.xRange(streamKey(this.#generation), this.#position, this.#position),
    )
    if (kept?.[0] === undefined) this.#beginAnew(this.#generation, await this.#lastId())
  }

  /** After Redis was away: is it still the same story, and does it hold all that we have seen of it? */
  async #recover(): Promise<void> {
    if (this.#generation !== (await this.#generations.agree())) return
    if (compareEntryIds(await this.#lastId(), this.#position) < 0) await this.#generations.agree(this.#generation)
  }

  #beginAnew(generation: string, position: string): void {
    this.#generation = generation
    this.#position = position
    for (const follower of this.#followers) follower.end(new CursorExpired("the stream has begun anew"))
    this.#followers.clear()
  }

  async #lastId(): Promise<string> {
    const last = await this.#link.ask((client) => client.xRevRange(streamKey(this.#generation), "+", "-", { COUNT: 1 }))
    return last?.[0]?.id ?? BEFORE_ALL
  }
}

function readEntry(generation: string, id: string, text = "[]"): Entry {
  const events = JSON.parse(text) as Event[]
  return {
    id,
    items: events.map((event, index) => ({ cursor: writeCursor({ generation, entryId: id, index }), event })),
  }
}
