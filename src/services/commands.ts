/** What we ask of a charge point: sent by the node that holds its socket, answered by itself, kept with its life cycle. */
import { isAccepted } from "../facts/queue.ts"
import type { ChargePointRow, CommandRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { isCentralSystemAction } from "../ocpp/index.ts"
import { CommandQueue, type Delivery, faultIn } from "./command-queue.ts"
import { commandRowOf, repetitionOf, resultOf } from "./command-rows.ts"
import { CommandSender } from "./command-sender.ts"
import type { Lines } from "./lines.ts"
import {
  type Bus,
  BusUnavailable,
  type Clock,
  type CommandResult,
  type DirectOrder,
  type QueueJobs,
  type Store,
  StoreUnavailable,
} from "./ports.ts"
import { QueueDelivery } from "./queue-delivery.ts"
import type { Seals } from "./seals.ts"
import type { Viewer } from "./viewer.ts"

/** A wish, checked against the action's schema by whoever took it. */
export interface CommandWish {
  chargePointId: string
  identity: string
  /** Its row where that has just been read; read anew where left out. */
  chargePoint?: ChargePointRow | undefined
  action: string
  request: unknown
  /** Its command's id, where something in the books names it already. */
  commandId?: string | undefined
  /** What was asked for, by which repetitions are recognised; the request where left out. A link in it is drawn anew. */
  asked?: unknown
  /** A wish that carries the key of an earlier one is that earlier one: no second CALL is sent. */
  idempotencyKey?: string | undefined
  /** How long the charge point may take, ms; the node's default where left out. */
  timeoutMs?: number | undefined
  /** Left out: it is sent now or never. */
  delivery?: Delivery | undefined
}

export interface CommandsOptions {
  store: Pick<Store, "change" | "read">
  bus: Pick<Bus, "nodeId" | "ownerOf" | "order" | "call" | "onOrder">
  /** The charge points on this node's line. */
  lines: Pick<Lines, "get">
  jobs: QueueJobs
  seals: Seals
  clock: Clock
  log: Log
  callTimeoutMs: number
  /** How long a command waits that names no end of its waiting, ms. */
  queueExpiryMs: number
}

type Asker = Pick<Viewer, "organisationId" | "name">

export interface Commands {
  /**
   * Sends one CALL, never a second one, and resolves to the charge point's own answer or to why there is none. Does not
   * reject. RemoteStart- and RemoteStopTransaction are refused (or wait) until the charge point has been accepted, and
   * everything is refused where it is rejected: that is the operator's own word, not an absence. OCPP 1.6 §4.2.
   */
  send(viewer: Asker, wish: CommandWish): Promise<CommandResult>
  /** See `CommandQueue.cancel`. */
  cancel: CommandQueue["cancel"]
}

/** Opens the way of commands, and takes the orders that other nodes send to this one. */
export function createCommands(options: CommandsOptions): Commands {
  const commands = new BusCommands(options)
  const sender = new CommandSender(options)
  options.bus.onOrder((order) => sender.send(order))
  return commands
}

class BusCommands implements Commands {
  readonly #options: CommandsOptions
  readonly #queue: CommandQueue
  /** Commands that this node waits for, by organisation and idempotencyKey. */
  readonly #running = new Map<string, { order: DirectOrder; result: Promise<CommandResult> }>()

  constructor(options: CommandsOptions) {
    this.#options = options
    this.#queue = new CommandQueue({ ...options, delivery: new QueueDelivery(options) })
  }

  send(viewer: Asker, wish: CommandWish): Promise<CommandResult> {
    const order = this.#orderFor(viewer, wish)
    if (order.idempotencyKey === null) return this.#sendOrExplain(order, wish)
    const key = JSON.stringify([order.organisationId, order.idempotencyKey])
    const running = this.#running.get(key)
    if (running !== undefined) {
      const repetition = repetitionOf(commandRowOf(running.order, { state: "Sent" }), order)
      return repetition.kind === "Repeated" ? running.result : Promise.resolve(repetition)
    }
    const result = this.#sendOrExplain(order, wish).finally(() => this.#running.delete(key))
    this.#running.set(key, { order, result })
    return result
  }

  cancel(viewer: Pick<Viewer, "organisationId">, commandId: string): Promise<{ command: CommandRow; moved: boolean }> {
    return this.#queue.cancel(viewer, commandId)
  }

  async #sendOrExplain(order: DirectOrder, wish: CommandWish): Promise<CommandResult> {
    try {
      return await this.#send(order, wish)
    } catch (cause) {
      if (cause instanceof BusUnavailable) return { kind: "Unavailable", reason: "the way between the nodes is down" }
      if (cause instanceof StoreUnavailable) return { kind: "Unavailable", reason: "the store is down" }
      this.#options.log.error({ err: cause, action: wish.action, identity: wish.identity }, "a command failed")
      return { kind: "Unavailable", reason: "an unforeseen failure" }
    }
  }

  async #send(
    order: DirectOrder,
    { chargePoint: known, delivery = { whenOffline: "Fail" } }: CommandWish,
  ): Promise<CommandResult> {
    const { store, queueExpiryMs } = this.#options
    const { organisationId, chargePointId, action, idempotencyKey, requestedAt } = order
    if (idempotencyKey !== null) {
      const command = await store.read.commandByIdempotencyKey(organisationId, idempotencyKey)
      if (command !== undefined) return repetitionOf(command, order)
    }
    const fault = faultIn(delivery, requestedAt)
    if (fault !== undefined) return fault
    const chargePoint = known ?? (await store.read.chargePointsByIds([chargePointId]))[0]
    const reason = whyNever(organisationId, chargePoint, action)
    if (chargePoint === undefined || reason !== undefined) {
      return { kind: "NotAllowedNow", reason: reason ?? "the charge point is gone" }
    }
    const needsAcceptance = action === "RemoteStartTransaction" || action === "RemoteStopTransaction"
    const mayGoNow = !needsAcceptance || isAccepted(chargePoint)
    if (delivery.whenOffline === "Queue") {
      const { uselessFrom = 0 } = delivery
      const waits = delivery.expiresAt ?? requestedAt + queueExpiryMs
      // Somebody who asks for what is over already means it.
      const expiresAt = uselessFrom > requestedAt ? Math.min(waits, uselessFrom) : waits
      return this.#queue.add(order, { expiresAt, mayGoNow, needsAcceptance, online: chargePoint.online })
    }
    if (!mayGoNow) return { kind: "NotAllowedNow", reason: "the charge point has not been accepted yet" }
    return this.#sendNow(order)
  }

  async #sendNow(order: DirectOrder): Promise<CommandResult> {
    try {
      const result = await this.#options.bus.order(order.chargePointId, order)
      return result ?? (await this.#recordOffline(order))
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause
      return this.#resultFromBooks(order)
    }
  }

  #orderFor(viewer: Asker, wish: CommandWish): DirectOrder {
    const { clock, callTimeoutMs, seals } = this.#options
    const requestedAt = clock.now()
    return {
      // Grows with every wish on this node, so that wishes of the same instant keep their order.
      commandId: wish.commandId ?? Bun.randomUUIDv7(),
      organisationId: viewer.organisationId,
      chargePointId: wish.chargePointId,
      action: wish.action,
      request: wish.request,
      requestedBy: viewer.name,
      requestedAt,
      deadlineAt: requestedAt + (wish.timeoutMs ?? callTimeoutMs),
      idempotencyKey: wish.idempotencyKey ?? null,
      requestDigest: wish.idempotencyKey === undefined ? null : seals.digest(wish.asked ?? wish.request),
    }
  }

  /** Nobody holds its socket. */
  async #recordOffline(order: DirectOrder): Promise<CommandResult> {
    const { store, clock } = this.#options
    const error = JSON.stringify({ code: "Offline", description: "the charge point is not connected" })
    const command = commandRowOf(order, { state: "Failed", answeredAt: clock.now(), error })
    const outcome = await store.change("recordCommand", { command })
    return outcome.repeated ? repetitionOf(outcome.command, order) : { kind: "Offline", command: outcome.command }
  }

  /** No word came back from the node: the books know whether the command was sent, and what became of it. */
  async #resultFromBooks(order: DirectOrder): Promise<CommandResult> {
    const [command] = await this.#options.store.read.commandsByIds([order.commandId])
    if (command === undefined) return { kind: "Unavailable", reason: "the charge point's node cannot be reached" }
    if (this.#options.clock.now() >= command.deadlineAt) return resultOf(command) ?? { kind: "Timeout", command }
    // Under way: whoever asked may follow it, and must not take it for something that did not happen.
    return resultOf(command) ?? { kind: "Repeated", command }
  }
}

/** Why the charge point is asked nothing of this kind, now or later. OCPP 1.6 §4.2. */
function whyNever(organisationId: string, chargePoint: ChargePointRow | undefined, action: string): string | undefined {
  if (chargePoint?.organisationId !== organisationId) return "the charge point is gone"
  if (!isCentralSystemAction(action)) return `${action} is no operation of the central system`
  return chargePoint.registrationStatus === "Rejected" ? "the charge point is rejected" : undefined
}
