/** Orders to the node that holds the socket: from node to node over Redis, and within one without a detour. */
import type { Log } from "../log.ts"
import { Script } from "../redis/script.ts"
import { BusUnavailable, type Clock, type CommandOrder, type CommandResult } from "../services/ports.ts"
import { LEASE_PREFIX, NODE_CHANNEL_PREFIX, ownerKey } from "./keys.ts"
import type { Link } from "./link.ts"

interface Asking {
  type: "Order"
  callId: string
  replyTo: string
  order: CommandOrder
}

export type OrderMessage = Asking | { type: "Reply"; callId: string; result: CommandResult }

// Who holds the charge point is asked and told in one round trip; false where nobody alive does, else how many heard it.
const ORDER = new Script(`
local held = redis.call('GET', KEYS[1])
if not held then return false end
local node = string.sub(held, string.find(held, ' ', 1, true) + 1)
if redis.call('EXISTS', ARGV[1] .. node) == 0 then return false end
return redis.call('PUBLISH', ARGV[2] .. node, ARGV[3])
`)

type OrderHandler = (order: CommandOrder) => Promise<CommandResult>

// The owner's own deadline comes first; what it then writes and says takes a moment.
const MARGIN_MS = 2_000
const REPLY_RETRY_MS = 100

export class Orders {
  readonly #link: Link
  readonly #nodeId: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #waiting = new Map<string, PromiseWithResolvers<CommandResult>>()
  /** How many orders of this node to a charge point are given to Redis and not answered yet. */
  readonly #underWay = new Map<string, number>()
  #handler: OrderHandler = async () => ({ kind: "Unavailable", reason: "this node holds no charge points" })
  #closed = false

  constructor({ link, nodeId, clock, log }: { link: Link; nodeId: string; clock: Clock; log: Log }) {
    this.#link = link
    this.#nodeId = nodeId
    this.#clock = clock
    this.#log = log
  }

  onOrder(handler: OrderHandler): void {
    this.#handler = handler
  }

  /** See `Bus.order`. @throws BusUnavailable also where no reply came until the deadline. */
  async order(chargePointId: string, order: CommandOrder): Promise<CommandResult | null> {
    this.#underWay.set(chargePointId, (this.#underWay.get(chargePointId) ?? 0) + 1)
    try {
      return await this.#answerTo(order, `the node that holds ${chargePointId}`, async (message) => {
        const args = [LEASE_PREFIX, NODE_CHANNEL_PREFIX, JSON.stringify(message)]
        return (await this.#link.ask((client) => ORDER.run(client, [ownerKey(chargePointId)], args))) as number | null
      })
    } finally {
      const others = (this.#underWay.get(chargePointId) ?? 1) - 1
      if (others > 0) this.#underWay.set(chargePointId, others)
      else this.#underWay.delete(chargePointId)
    }
  }

  /** Whether an order of this node to the charge point is on its way over Redis: a later one must not come before it. */
  isUnderWay(chargePointId: string): boolean {
    return this.#underWay.has(chargePointId)
  }

  /** The same for a charge point that this node is certain to hold itself. @throws BusUnavailable */
  orderHere(order: CommandOrder): Promise<CommandResult> {
    return this.#answerTo(order, "this node", async ({ callId }) => {
      void this.#resultOf(order).then((result) => this.#waiting.get(callId)?.resolve(result))
      return 1
    })
  }

  /** See `Bus.call`. @throws BusUnavailable also where no reply came until the deadline. */
  call(nodeId: string, order: CommandOrder): Promise<CommandResult> {
    return this.#answerTo(order, `node ${nodeId}`, (message) =>
      this.#link.say(NODE_CHANNEL_PREFIX + nodeId, JSON.stringify(message)),
    )
  }

  /** What is answered to an order; `say` gives how many heard it, or null where it was given to nobody. */
  async #answerTo<Heard extends number | null>(
    order: CommandOrder,
    whom: string,
    say: (message: Asking) => Promise<Heard>,
  ): Promise<CommandResult | (Heard & null)> {
    const callId = crypto.randomUUID()
    const reply = Promise.withResolvers<CommandResult>()
    reply.promise.catch(() => undefined)
    this.#waiting.set(callId, reply)
    const patienceMs = Math.max(0, order.deadlineAt - this.#clock.now()) + MARGIN_MS
    const timer = setTimeout(() => reply.reject(new BusUnavailable(`no reply from ${whom}`)), patienceMs)
    try {
      const heard = await say({ type: "Order", callId, replyTo: this.#nodeId, order })
      if (heard === null) return heard as Heard & null
      if (heard === 0) throw new BusUnavailable(`${whom} does not listen`)
      return await reply.promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(callId)
    }
  }

  /** Takes what another node, or this one, has said. */
  async hear(message: OrderMessage): Promise<void> {
    if (message.type === "Reply") {
      this.#waiting.get(message.callId)?.resolve(message.result)
      return
    }
    const result = await this.#resultOf(message.order)
    await this.#reply(message.replyTo, { type: "Reply", callId: message.callId, result }, message.order.deadlineAt)
  }

  close(): void {
    this.#closed = true
    for (const reply of this.#waiting.values()) reply.reject(new BusUnavailable("this node is stopping"))
  }

  #resultOf(order: CommandOrder): Promise<CommandResult> {
    return this.#handler(order).catch((cause: unknown): CommandResult => {
      this.#log.error({ err: cause, commandId: order.commandId }, "an order failed")
      return { kind: "Unavailable", reason: "the node that holds the charge point failed" }
    })
  }

  // The charge point has answered, so the reply is worth some patience with a Redis, or a listener, that is just away.
  async #reply(nodeId: string, message: OrderMessage, deadlineAt: number): Promise<void> {
    const text = JSON.stringify(message)
    while (!this.#closed) {
      const receivers = await this.#link.say(NODE_CHANNEL_PREFIX + nodeId, text).catch(() => 0)
      if (receivers > 0 || this.#clock.now() > deadlineAt) return
      await Bun.sleep(REPLY_RETRY_MS)
    }
  }
}
