/** Who watches whose wire: every node knows it, so that frames nobody looks at are never sent around. */
import type { MessageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Clock } from "../services/ports.ts"
import { NODE_CHANNEL_PREFIX, WATCH_CHANNEL, wireChannel } from "./keys.ts"
import type { Link } from "./link.ts"

type WatchMessage =
  | { type: "Watch"; nodeId: string; chargePointIds: string[]; watchId?: string }
  | { type: "Unwatch"; nodeId: string; chargePointId: string }
  | { type: "WhoWatches" }

export type WatchedMessage = { type: "Watched"; watchId: string }

type Handler = (rows: MessageRow[]) => void

/** How often a watch is said again, and after which silence it is forgotten (its node may be dead). */
const REFRESH_MS = 10_000
const EXPIRY_MS = 3 * REFRESH_MS
const ACKNOWLEDGE_MS = 500

export class Watches {
  readonly #link: Link
  readonly #nodeId: string
  readonly #clock: Clock
  readonly #log: Log
  /** By charge point: the watching nodes, each with the instant its watch expires. */
  readonly #watchers = new Map<string, Map<string, number>>()
  readonly #local = new Map<string, Set<Handler>>()
  readonly #acknowledged = new Map<string, () => void>()
  readonly #timer: Timer

  constructor({ link, nodeId, clock, log }: { link: Link; nodeId: string; clock: Clock; log: Log }) {
    this.#link = link
    this.#nodeId = nodeId
    this.#clock = clock
    this.#log = log
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS)
  }

  /** Listens for others' watches and learns those there are. */
  async start(): Promise<void> {
    await this.#link.listen(WATCH_CHANNEL, (text) => this.#hear(JSON.parse(text) as WatchMessage))
    await this.learn()
  }

  /** Asks every node for its watches and tells our own: anew after Redis was away. */
  async learn(): Promise<void> {
    await this.#say({ type: "WhoWatches" })
  }

  /** See `Bus.watchMessages`. Resolves when every node knows. */
  async watch(chargePointId: string, handler: Handler): Promise<AsyncDisposable> {
    const handlers = this.#local.get(chargePointId) ?? new Set()
    handlers.add(handler)
    this.#local.set(chargePointId, handlers)
    const end = async () => {
      if (!handlers.delete(handler) || handlers.size > 0) return
      this.#local.delete(chargePointId)
      await this.#link.unlisten(wireChannel(chargePointId))
      await this.#say({ type: "Unwatch", nodeId: this.#nodeId, chargePointId })
    }
    try {
      if (handlers.size === 1)
        await this.#link.listen(wireChannel(chargePointId), (text) => this.#deliver(chargePointId, text))
      await this.#announce(chargePointId)
    } catch (cause) {
      await end().catch(() => undefined)
      throw cause
    }
    // Where Redis is away the watch is forgotten by itself.
    return { [Symbol.asyncDispose]: () => end().catch(() => undefined) }
  }

  /** Asked at every frame of every charge point, and mostly nobody watches any. */
  isWatched(chargePointId: string): boolean {
    if (this.#watchers.size === 0) return false
    const now = this.#clock.now()
    return (
      this.#watchers
        .get(chargePointId)
        ?.values()
        .some((expiresAt) => expiresAt > now) ?? false
    )
  }

  publish(chargePointId: string, rows: readonly MessageRow[]): void {
    if (rows.length === 0 || !this.isWatched(chargePointId)) return
    // The wire log is no fact: a watcher may miss rows while Redis is away.
    this.#link.say(wireChannel(chargePointId), JSON.stringify(rows)).catch(() => undefined)
  }

  /** A node has taken note of one of our watches. */
  noteAcknowledged(watchId: string): void {
    this.#acknowledged.get(watchId)?.()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #deliver(chargePointId: string, text: string): void {
    const rows = JSON.parse(text) as MessageRow[]
    for (const handler of this.#local.get(chargePointId) ?? []) handler(rows)
  }

  async #announce(chargePointId: string): Promise<void> {
    const watchId = crypto.randomUUID()
    const all = Promise.withResolvers<void>()
    let missing = Number.POSITIVE_INFINITY
    let heard = 0
    this.#acknowledged.set(watchId, () => {
      heard++
      if (heard >= missing) all.resolve()
    })
    const timer = setTimeout(all.resolve, ACKNOWLEDGE_MS)
    try {
      missing = await this.#say({ type: "Watch", nodeId: this.#nodeId, chargePointIds: [chargePointId], watchId })
      if (heard < missing) await all.promise
    } finally {
      clearTimeout(timer)
      this.#acknowledged.delete(watchId)
    }
  }

  #hear(message: WatchMessage): void {
    if (message.type === "WhoWatches") {
      void this.#refresh()
    } else if (message.type === "Unwatch") {
      const watchers = this.#watchers.get(message.chargePointId)
      watchers?.delete(message.nodeId)
      if (watchers?.size === 0) this.#watchers.delete(message.chargePointId)
    } else {
      for (const chargePointId of message.chargePointIds) {
        const watchers = this.#watchers.get(chargePointId) ?? new Map<string, number>()
        this.#watchers.set(chargePointId, watchers.set(message.nodeId, this.#clock.now() + EXPIRY_MS))
      }
      if (message.watchId !== undefined) this.#acknowledge(message.nodeId, message.watchId)
    }
  }

  #acknowledge(nodeId: string, watchId: string): void {
    const message: WatchedMessage = { type: "Watched", watchId }
    this.#link.say(NODE_CHANNEL_PREFIX + nodeId, JSON.stringify(message)).catch(() => undefined)
  }

  /** Says our watches again and forgets those of nodes that no longer do. */
  async #refresh(): Promise<void> {
    const now = this.#clock.now()
    for (const [chargePointId, watchers] of this.#watchers) {
      for (const [nodeId, expiresAt] of watchers) if (expiresAt <= now) watchers.delete(nodeId)
      if (watchers.size === 0) this.#watchers.delete(chargePointId)
    }
    if (this.#local.size === 0) return
    const message: WatchMessage = { type: "Watch", nodeId: this.#nodeId, chargePointIds: [...this.#local.keys()] }
    await this.#say(message).catch((cause: unknown) => this.#log.debug({ err: cause }, "watches were not said again"))
  }

  #say(message: WatchMessage): Promise<number> {
    return this.#link.say(WATCH_CHANNEL, JSON.stringify(message))
  }
}
