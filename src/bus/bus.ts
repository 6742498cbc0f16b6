/** ports' Bus over Redis: who holds which charge point, and the nodes' way to each other. */
import type { MessageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Redis } from "../redis/redis.ts"
import type {
  Bus,
  Claim,
  Clock,
  CommandOrder,
  CommandResult,
  DisconnectReason,
  NodePresence,
  Ownership,
} from "../services/ports.ts"
import { NODE_CHANNEL_PREFIX } from "./keys.ts"
import { Hearing } from "./hearing.ts"
import { Link } from "./link.ts"
import { type OrderMessage, Orders } from "./orders.ts"
import { Presence, type SupersededMessage } from "./presence.ts"
import { type WatchedMessage, Watches } from "./watches.ts"

/** What nodes say to each other. */
type NodeMessage =
  | OrderMessage
  | WatchedMessage
  | SupersededMessage
  | { type: "Yielded"; chargePointId: string; epoch: number; nodeId: string }
  | { type: "Echo"; echo: number }
  | { type: "Disconnect"; chargePointId: string; reason: DisconnectReason }
  | { type: "Updated"; chargePointId: string }

export interface BusOptions {
  redis: Redis
  /** New for every process: what an earlier one held must not seem to be held still. */
  nodeId: string
  roles: readonly string[]
  version: string
  /** Names the store that this node works on; see `Store.settleSetting`. */
  storeId: string
  log: Log
  clock: Clock
  /** After this long without a sign of life (ms) a node counts as dead and what it held as free. */
  leaseMs?: number
}

const LEASE_MS = 9_000
const RENEWALS_PER_LEASE = 3

/** A node on this Redis works on another database: neither would know of the other's charge points. */
export class AnotherStore extends Error {
  override readonly name = "AnotherStore"

  constructor(nodeId: string) {
    super(
      `node ${nodeId} on this Redis works on another database. Nodes that share REDIS_URL share DATABASE_URL too; ` +
        "SQLite serves one node alone. A node that was killed is forgotten after some seconds",
    )
  }
}

/** Joins the other nodes. @throws BusUnavailable when Redis does not answer; AnotherStore. */
export async function openBus(options: BusOptions): Promise<RedisBus> {
  const link = await Link.open(options.redis, "bus", options.log)
  const bus = new RedisBus(link, options)
  try {
    await bus.start()
    // Shown first, looked around then: of two that start together at least one sees the other.
    const stranger = (await bus.nodes()).find(({ storeId }) => storeId !== options.storeId)
    if (stranger !== undefined) throw new AnotherStore(stranger.nodeId)
    return bus
  } catch (cause) {
    await bus[Symbol.asyncDispose]()
    throw cause
  }
}

export class RedisBus implements Bus {
  readonly nodeId: string
  readonly #link: Link
  readonly #log: Log
  readonly #leaseMs: number
  readonly #presence: Presence
  readonly #hearing: Hearing
  readonly #orders: Orders
  readonly #watches: Watches
  readonly #supersededHandlers: ((chargePointId: string, epoch: number) => void)[] = []
  readonly #updatedHandlers: ((chargePointId: string) => void)[] = []
  readonly #returnHandlers: (() => Promise<void> | void)[] = []
  readonly #disconnectHandlers: ((chargePointId: string, reason: DisconnectReason) => void)[] = []
  #renewal: Timer | undefined

  constructor(link: Link, { nodeId, roles, version, storeId, log, clock, leaseMs = LEASE_MS }: BusOptions) {
    this.nodeId = nodeId
    this.#link = link
    this.#log = log
    this.#leaseMs = leaseMs
    this.#orders = new Orders({ link, nodeId, clock, log })
    this.#watches = new Watches({ link, nodeId, clock, log })
    this.#presence = new Presence({
      link,
      clock,
      leaseMs,
      self: { nodeId, startedAt: clock.now(), roles: [...roles], version, storeId },
      onSuperseded: (chargePointId, epoch) => {
        for (const handler of this.#supersededHandlers) handler(chargePointId, epoch)
      },
      onLapse: () => this.#runReturnHandlers(),
    })
    this.#hearing = new Hearing({
      say: (echo) => this.#tell(nodeId, { type: "Echo", echo }),
      isWhole: () => link.isWhole,
    })
  }

  /** Listens, then shows itself: whoever sees this node can reach it. */
  async start(): Promise<void> {
    await this.#link.listen(NODE_CHANNEL_PREFIX + this.nodeId, (text) => this.#hear(text))
    await this.#watches.start()
    await this.#presence.appear()
    this.#link.onReturn(async () => {
      await this.#presence.restore()
      await this.#watches.learn()
      await this.#runReturnHandlers()
    })
    this.#hearing.start()
    this.#renewal = setInterval(() => {
      this.#presence
        .renew()
        .catch((cause: unknown) => this.#log.debug({ err: cause }, "the node's lease was not renewed"))
    }, this.#leaseMs / RENEWALS_PER_LEASE)
  }

  /** Whether the other nodes can be reached now. */
  get isReady(): boolean {
    return this.#link.isReady
  }

  get isCertain(): boolean {
    return this.#hearing.isCertain
  }

  certain(): Promise<void> {
    return this.#hearing.certain()
  }

  nextEpoch(storedEpoch: number): Promise<number> {
    return this.#presence.nextEpoch(storedEpoch)
  }

  claim(chargePointId: string, epoch: number, formerNodeId: string | null): Promise<Claim | null> {
    return this.#presence.claim(chargePointId, epoch, formerNodeId)
  }

  /**
   * Registers an ownership whose epoch the store gave while Redis was away. A greater one wins: then this node hears
   * that it is superseded.
   */
  register(chargePointId: string, epoch: number): Promise<void> {
    return this.#presence.register(chargePointId, epoch)
  }

  release(chargePointId: string, epoch: number): Promise<void> {
    return this.#presence.release(chargePointId, epoch)
  }

  async ownerOf(chargePointId: string): Promise<Ownership | null> {
    return (await this.#presence.ownersOf([chargePointId])).get(chargePointId) ?? null
  }

  ownersOf(chargePointIds: readonly string[]): Promise<Map<string, Ownership>> {
    return this.#presence.ownersOf(chargePointIds)
  }

  /**
   * What this node holds it orders of itself: while it is certain to hear of every newer owner, Redis could name nobody
   * else who may speak to the charge point, for who takes it speaks only when this node has let go or doubts.
   */
  order(chargePointId: string, order: CommandOrder): Promise<CommandResult | null> {
    const isHere = this.#presence.holds(chargePointId) && this.isCertain && !this.#orders.isUnderWay(chargePointId)
    return isHere ? this.#orders.orderHere(order) : this.#orders.order(chargePointId, order)
  }

  call(nodeId: string, order: CommandOrder): Promise<CommandResult> {
    return this.#orders.call(nodeId, order)
  }

  onOrder(handler: (order: CommandOrder) => Promise<CommandResult>): void {
    this.#orders.onOrder(handler)
  }

  onSuperseded(handler: (chargePointId: string, epoch: number) => void): void {
    this.#supersededHandlers.push(handler)
  }

  disconnect(chargePointId: string, reason: DisconnectReason): Promise<void> {
    return this.#tellOwner(chargePointId, { type: "Disconnect", chargePointId, reason })
  }

  tellUpdated(chargePointId: string): void {
    this.#tellOwner(chargePointId, { type: "Updated", chargePointId }).catch((cause: unknown) =>
      this.#log.debug({ err: cause, chargePointId }, "the owner was not told of an update"),
    )
  }

  onUpdated(handler: (chargePointId: string) => void): void {
    this.#updatedHandlers.push(handler)
  }

  onDisconnect(handler: (chargePointId: string, reason: DisconnectReason) => void): void {
    this.#disconnectHandlers.push(handler)
  }

  nodes(): Promise<NodePresence[]> {
    return this.#presence.nodes()
  }

  lapsedNodes(): Promise<string[]> {
    return this.#presence.lapsedNodes()
  }

  watchMessages(chargePointId: string, handler: (rows: MessageRow[]) => void): Promise<AsyncDisposable> {
    return this.#watches.watch(chargePointId, handler)
  }

  isWatched(chargePointId: string): boolean {
    return this.#watches.isWatched(chargePointId)
  }

  publishMessages(chargePointId: string, rows: readonly MessageRow[]): void {
    this.#watches.publish(chargePointId, rows)
  }

  onReturn(handler: () => Promise<void> | void): void {
    this.#returnHandlers.push(handler)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#renewal)
    this.#hearing.stop()
    this.#watches.close()
    this.#orders.close()
    await this.#presence.leave().catch(() => undefined) // without Redis the lease runs out by itself
    this.#link.close()
  }

  async #tellOwner(chargePointId: string, message: NodeMessage): Promise<void> {
    const owner = await this.#presence.ownerTogether(chargePointId)
    if (owner !== undefined) await this.#tell(owner.nodeId, message)
  }

  #tell(nodeId: string, message: NodeMessage): Promise<number> {
    return this.#link.say(NODE_CHANNEL_PREFIX + nodeId, JSON.stringify(message))
  }

  async #runReturnHandlers(): Promise<void> {
    for (const handler of this.#returnHandlers) await handler()
  }

  #letGo({ chargePointId, epoch, claimant }: SupersededMessage): void {
    this.#presence.noteSuperseded(chargePointId, epoch)
    if (claimant === undefined) return
    const { nodeId } = this
    this.#tell(claimant, { type: "Yielded", chargePointId, epoch, nodeId }).catch((cause: unknown) =>
      this.#log.debug({ err: cause, chargePointId }, "the new owner was not told that the old one has let go"),
    )
  }

  #hear(text: string): void {
    try {
      const message = JSON.parse(text) as NodeMessage
      switch (message.type) {
        case "Order":
        case "Reply":
          void this.#orders.hear(message)
          break
        case "Watched":
          this.#watches.noteAcknowledged(message.watchId)
          break
        case "Superseded":
          this.#letGo(message)
          break
        case "Yielded":
          this.#presence.noteYielded(message.chargePointId, message.epoch, message.nodeId)
          break
        case "Echo":
          this.#hearing.hear(message.echo)
          break
        case "Disconnect":
          for (const handler of this.#disconnectHandlers) handler(message.chargePointId, message.reason)
          break
        case "Updated":
          for (const handler of this.#updatedHandlers) handler(message.chargePointId)
      }
    } catch (cause) {
      this.#log.error({ err: cause }, "a message from another node was not understood")
    }
  }
}
