/** Notices nodes that share this database and not this Redis: neither would know of what the others hold. */
import type { Log } from "../log.ts"
import type { Redis, RedisClient } from "../redis/redis.ts"
import type { Store } from "../services/ports.ts"
import { REDIS_ID_KEY } from "./keys.ts"

/** A node on this database works on another Redis. */
export class AnotherRedis extends Error {
  override readonly name = "AnotherRedis"

  constructor() {
    super(
      "another node works on this database with another Redis. Nodes that share DATABASE_URL share REDIS_URL too. " +
        "Nodes that were stopped are forgotten after some seconds",
    )
  }
}

export interface SameRedisOptions {
  redis: Pick<Redis, "connect">
  store: Pick<Store, "setting" | "putSetting">
  log: Log
  /** A Redis of which the books have heard nothing new for this long (ms) is no longer used by anybody. */
  leaseMs: number
}

/** What every node writes into the books now and then: the name of its Redis, and a text that is new each time. */
const BEAT = "redis.beat"
const BEATS_PER_LEASE = 3
/** The beat of one that has yet to notice that Redis was emptied tells nothing. */
const FOREIGN_BEATS = 2
/** A beat that was written so many leases ago is over whatever the clocks: nobody has to wait to see that. */
const LEASES_LONG_AGO = 20

/**
 * Begins to watch. An emptied Redis is another one by name, and nobody's beat goes on under the old one. @throws
 * AnotherRedis where somebody's does; StoreUnavailable; what Redis says
 */
export async function watchForAnotherRedis(options: SameRedisOptions): Promise<SameRedis> {
  const client = await options.redis.connect("same-redis", { failFast: true })
  const watch = new SameRedis(client, options)
  try {
    await watch.start()
    return watch
  } catch (cause) {
    await watch[Symbol.asyncDispose]()
    throw cause
  }
}

export class SameRedis implements AsyncDisposable {
  readonly #client: RedisClient
  readonly #options: SameRedisOptions
  #timer: Timer | undefined
  /** The newest beat of another Redis, since when it is the newest, and how many there were. */
  #foreign: { beat: string; since: number; count: number } | undefined
  #isClosed = false

  constructor(client: RedisClient, options: SameRedisOptions) {
    this.#client = client
    this.#options = options
  }

  /** Whether nodes on another Redis are at work on this database now. */
  get hasStrangers(): boolean {
    return (this.#foreign?.count ?? 0) >= FOREIGN_BEATS
  }

  /** Where the books name another Redis, this waits until it is plain whether somebody still uses it. @throws AnotherRedis */
  async start(): Promise<void> {
    const everyMs = this.#options.leaseMs / BEATS_PER_LEASE
    for (let isSaid = false; !(await this.#look()); isSaid = true) {
      if (this.hasStrangers) throw new AnotherRedis()
      if (!isSaid) this.#sayWhatIsAwaited()
      await Bun.sleep(everyMs)
    }
    this.#timer = setInterval(() => void this.#lookAgain(), everyMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    if (this.#client.isOpen) this.#client.destroy()
  }

  #sayWhatIsAwaited(): void {
    const { log, leaseMs } = this.#options
    const seconds = Math.ceil(leaseMs / 1_000)
    log.warn(
      { seconds },
      `the start waits ${seconds} s: the database was in use with another Redis, and it is to be seen whether it still is`,
    )
  }

  async #lookAgain(): Promise<void> {
    const { log } = this.#options
    const hadStrangers = this.hasStrangers
    try {
      await this.#look()
    } catch (cause) {
      if (!this.#isClosed) log.debug({ err: cause }, "whether all nodes share one Redis is not known now")
      return
    }
    if (this.hasStrangers && !hadStrangers) log.error({ err: new AnotherRedis() }, "this node is not ready")
    if (!this.hasStrangers && hadStrangers) log.info("all nodes on this database share one Redis again")
  }

  /** Beats for this node's Redis; false where the books say that another one is in use. */
  async #look(): Promise<boolean> {
    const { store, leaseMs } = this.#options
    const redisId = await this.#redisId()
    const written = await store.setting(BEAT)
    if (written !== undefined && !written.startsWith(`${redisId} `) && !this.#isOver(written, leaseMs)) return false
    this.#foreign = undefined
    await store.putSetting(BEAT, `${redisId} ${Date.now()} ${crypto.randomUUID()}`)
    return true
  }

  async #redisId(): Promise<string> {
    const fresh = crypto.randomUUID()
    const kept = await this.#client.set(REDIS_ID_KEY, fresh, { condition: "NX", GET: true })
    return kept ?? fresh
  }

  #isOver(beat: string, leaseMs: number): boolean {
    const now = performance.now()
    if (this.#foreign?.beat !== beat)
      this.#foreign = { beat, since: now, count: this.#foreign === undefined ? 0 : this.#foreign.count + 1 }
    const [, writtenAt] = beat.split(" ")
    return now - this.#foreign.since > leaseMs || Date.now() - Number(writtenAt) > LEASES_LONG_AGO * leaseMs
  }
}
