/** Which story the stream tells: a generation ends where Redis has lost a part of it, and a new one begins. */
import type { Log } from "../log.ts"
import { Script } from "../redis/script.ts"
import type { Clock, Store } from "../services/ports.ts"
import { GENERATION_KEY, GENERATION_LOCK_KEY, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"

/** The store's setting that names the present generation. */
const SETTING = "stream.generation"
const LOCK_MS = 5_000
const LOCK_RETRY_MS = 50

const UNLOCK = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`)

export class Generations {
  readonly #link: Link
  readonly #store: Pick<Store, "setting" | "putSetting">
  readonly #clock: Clock
  readonly #log: Log
  #current = ""

  constructor(options: { link: Link; store: Pick<Store, "setting" | "putSetting">; clock: Clock; log: Log }) {
    this.#link = options.link
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
  }

  /** The generation that this node reads and writes; empty before the first agreement. */
  get current(): string {
    return this.#current
  }

  /**
   * Brings the books and Redis to the same generation: where they differ, or where it is `lost`, one of the nodes begins
   * a new one.
   */
  async agree(lost?: string): Promise<string> {
    for (;;) {
      const known = await this.#known()
      if (known !== undefined && known !== lost) {
        this.#current = known
        return known
      }
      const token = crypto.randomUUID()
      const locked = await this.#link.ask((client) =>
        client.set(GENERATION_LOCK_KEY, token, { condition: "NX", expiration: { type: "PX", value: LOCK_MS } }),
      )
      if (locked === null) {
        await Bun.sleep(LOCK_RETRY_MS)
        continue
      }
      try {
        const begun = await this.#known()
        if (begun === undefined || begun === lost) await this.#begin()
      } finally {
        await this.#link.ask((client) => UNLOCK.run(client, [GENERATION_LOCK_KEY], [token]))
      }
    }
  }

  /** Whether Redis still tells our generation. */
  async holds(): Promise<boolean> {
    return (await this.#link.ask((client) => client.get(GENERATION_KEY))) === this.#current
  }

  /** What the books and Redis agree on; undefined where they differ. */
  async #known(): Promise<string | undefined> {
    const [kept, found] = await Promise.all([
      this.#store.setting(SETTING),
      this.#link.ask((client) => client.get(GENERATION_KEY)),
    ])
    return kept !== undefined && kept === found ? kept : undefined
  }

  async #begin(): Promise<void> {
    const generation = `${this.#clock.now().toString(36)}-${crypto.randomUUID().slice(0, 8)}`
    const before = await this.#link.ask((client) => client.get(GENERATION_KEY))
    const isFirst = before === null && (await this.#store.setting(SETTING)) === undefined
    await this.#store.putSetting(SETTING, generation)
    await this.#link.ask((client) => client.set(GENERATION_KEY, generation))
    if (before !== null) await this.#link.ask((client) => client.del([streamKey(before), versionsKey(before)]))
    if (isFirst) this.#log.info({ generation }, "the stream of events begins")
    else this.#log.warn({ generation, before }, "the stream of events begins anew: cursors of before have expired")
  }
}

/** When a generation began, epoch ms. */
export const beganAt = (generation: string): number => Number.parseInt(generation, 36)
