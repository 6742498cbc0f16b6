/** One node's way to Redis: a client for commands and one for listening, failing fast, and a word when both are back. */
import type { Log } from "../log.ts"
import type { Redis, RedisClient } from "../redis/redis.ts"
import { BusUnavailable } from "../services/ports.ts"

// A server that is stopped, or behind a cut wire, keeps the connection and never answers.
const PATIENCE_MS = 2_000
const RETRY_MS = 200

export class Link {
  readonly #commands: RedisClient
  readonly #listener: RedisClient
  readonly #log: Log
  readonly #returnHandlers: (() => Promise<void> | void)[] = []
  #lost = false
  #returning = false
  #closed = false

  private constructor(commands: RedisClient, listener: RedisClient, log: Log) {
    this.#commands = commands
    this.#listener = listener
    this.#log = log
    for (const client of [commands, listener]) {
      client.on("error", () => {
        this.#lost = true
      })
      client.on("ready", () => void this.#return())
    }
  }

  static async open(redis: Redis, purpose: string, log: Log): Promise<Link> {
    const [commands, listener] = await Promise.all([
      redis.connect(purpose, { failFast: true }),
      redis.connect(`${purpose}-listener`, { failFast: true }),
    ])
    return new Link(commands, listener, log)
  }

  /** Whether Redis is there now, for speaking and for hearing. */
  get isReady(): boolean {
    return this.#commands.isReady && this.#listener.isReady
  }

  /** Whether nothing that was said on a channel can have been lost: Redis is there, and all that a return asks for is done. */
  get isWhole(): boolean {
    return this.isReady && !this.#lost && !this.#returning
  }

  /** What Redis answers to `work`. @throws BusUnavailable when Redis is away, silent, or refuses. */
  ask<Reply>(work: (client: RedisClient) => Promise<Reply>): Promise<Reply> {
    return answered(this.#commands, work)
  }

  /** Hears a channel from now on, also after Redis was away; what is said meanwhile is lost. @throws BusUnavailable */
  listen(channel: string, hear: (text: string) => void): Promise<void> {
    return answered(this.#listener, (client) => client.subscribe(channel, hear))
  }

  /** @throws BusUnavailable */
  unlisten(channel: string): Promise<void> {
    return answered(this.#listener, (client) => client.unsubscribe(channel))
  }

  /** Says a text on a channel; how many nodes heard it. @throws BusUnavailable */
  say(channel: string, text: string): Promise<number> {
    return this.ask((client) => client.publish(channel, text))
  }

  /** Runs when Redis is back and we hear it again, in the order of registration; repeated until all went well. */
  onReturn(handler: () => Promise<void> | void): void {
    this.#returnHandlers.push(handler)
  }

  close(): void {
    this.#closed = true
    for (const client of [this.#commands, this.#listener]) if (client.isOpen) client.destroy()
  }

  async #return(): Promise<void> {
    if (this.#returning) return
    this.#returning = true
    while (this.#lost && !this.#closed && this.isReady) {
      this.#lost = false
      try {
        // Both answer only after the server has loaded its data, and the listener after it has subscribed again.
        await answered(this.#listener, (client) => client.ping())
        for (const handler of this.#returnHandlers) await handler()
      } catch (cause) {
        this.#lost = true
        this.#log.debug({ err: cause }, "Redis is not back yet")
        await Bun.sleep(RETRY_MS)
      }
    }
    this.#returning = false
  }
}

async function answered<Reply>(client: RedisClient, work: (client: RedisClient) => Promise<Reply>): Promise<Reply> {
  if (!client.isReady) throw new BusUnavailable("Redis is away")
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(new Error("Redis does not answer")), PATIENCE_MS)
  try {
    return await Promise.race([work(client), silence.promise])
  } catch (cause) {
    throw new BusUnavailable(cause instanceof Error ? cause.message : String(cause), { cause })
  } finally {
    clearTimeout(timer)
  }
}
