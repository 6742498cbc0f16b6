/** What we ask of a charge point: sent by the node that holds its socket, answered by itself, kept with its life cycle. */
import type { Log } from "../log.ts"
import { isCentralSystemAction } from "../ocpp/index.ts"
import { commandRowOf, resultOf } from "./command-rows.ts"
import { CommandSender } from "./command-sender.ts"
import type { Lines } from "./lines.ts"
import {
  type Bus,
  BusUnavailable,
  type Clock,
  type CommandOrder,
  type CommandResult,
  type Store,
  StoreUnavailable,
} from "./ports.ts"
import type { Viewer } from "./viewer.ts"

/** A wish, checked against the action's schema by whoever took it. */
export interface CommandWish {
  chargePointId: string
  identity: string
  action: string
  request: unknown
  /** A wish that carries the key of an earlier one is that earlier one: no second CALL is sent. */
  idempotencyKey?: string | undefined
  /** How long the charge point may take, ms; the node's default where left out. */
  timeoutMs?: number | undefined
}

export interface CommandsOptions {
  store: Pick<Store, "change" | "read">
  bus: Pick<Bus, "nodeId" | "ownerOf" | "call" | "onOrder">
  /** The charge points on this node's line. */
  lines: Pick<Lines, "get">
  clock: Clock
  log: Log
  callTimeoutMs: number
}

export interface Commands {
  /**
   * Sends one CALL, never a second one, and resolves to the charge point's own answer or to why there is none. Does not
   * reject. RemoteStart- and RemoteStopTransaction are refused until the charge point has been accepted, and everything
   * where it is rejected. OCPP 1.6 §4.2.
   */
  send(viewer: Pick<Viewer, "organisationId" | "name">, wish: CommandWish): Promise<CommandResult>
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
  /** Commands that this node waits for, by organisation and idempotencyKey. */
  readonly #running = new Map<string, Promise<CommandResult>>()

  constructor(options: CommandsOptions) {
    this.#options = options
  }

  send(viewer: Pick<Viewer, "organisationId" | "name">, wish: CommandWish): Promise<CommandResult> {
    if (wish.idempotencyKey === undefined) return this.#sendOrExplain(viewer, wish)
    const key = JSON.stringify([viewer.organisationId, wish.idempotencyKey])
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const result = this.#sendOrExplain(viewer, wish).finally(() => this.#running.delete(key))
    this.#running.set(key, result)
    return result
  }

  async #sendOrExplain(viewer: Pick<Viewer, "organisationId" | "name">, wish: CommandWish): Promise<CommandResult> {
    try {
      return await this.#send(viewer, wish)
    } catch (cause) {
      if (cause instanceof BusUnavailable) return { kind: "Unavailable", reason: "the way between the nodes is down" }
      if (cause instanceof StoreUnavailable) return { kind: "Unavailable", reason: "the store is down" }
      this.#options.log.error({ err: cause, action: wish.action, identity: wish.identity }, "a command failed")
      return { kind: "Unavailable", reason: "an unforeseen failure" }
    }
  }

  async #send(viewer: Pick<Viewer, "organisationId" | "name">, wish: CommandWish): Promise<CommandResult> {
    const { store, bus } = this.#options
    const { chargePointId, action, idempotencyKey } = wish
    if (idempotencyKey !== undefined) {
      const command = await store.read.commandByIdempotencyKey(viewer.organisationId, idempotencyKey)
      if (command !== undefined) return { kind: "Repeated", command }
    }
    const reason = await this.#whyNotNow(viewer.organisationId, chargePointId, action)
    if (reason !== undefined) return { kind: "NotAllowedNow", reason }
    const order = this.#orderFor(viewer, wish)
    const owner = await bus.ownerOf(chargePointId)
    if (owner === null) return this.#recordOffline(order)
    try {
      return await bus.call(owner.nodeId, order)
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause
      return this.#resultFromBooks(order)
    }
  }

  /** Pending: neither RemoteStart nor RemoteStop; Rejected: nothing. OCPP 1.6 §4.2. */
  async #whyNotNow(organisationId: string, chargePointId: string, action: string): Promise<string | undefined> {
    const [chargePoint] = await this.#options.store.read.chargePointsByIds([chargePointId])
    if (chargePoint?.organisationId !== organisationId) return "the charge point is gone"
    if (!isCentralSystemAction(action)) return `${action} is no operation of the central system`
    if (chargePoint.registrationStatus === "Rejected") return "the charge point is rejected"
    const isAccepted = chargePoint.registrationStatus === "Accepted" && chargePoint.acceptedAt !== null
    const isRemote = action === "RemoteStartTransaction" || action === "RemoteStopTransaction"
    return isRemote && !isAccepted ? "the charge point has not been accepted yet" : undefined
  }

  #orderFor(viewer: Pick<Viewer, "organisationId" | "name">, wish: CommandWish): CommandOrder {
    const { clock, callTimeoutMs } = this.#options
    const requestedAt = clock.now()
    return {
      commandId: crypto.randomUUID(),
      organisationId: viewer.organisationId,
      chargePointId: wish.chargePointId,
      action: wish.action,
      request: wish.request,
      requestedBy: viewer.name,
      requestedAt,
      deadlineAt: requestedAt + (wish.timeoutMs ?? callTimeoutMs),
      idempotencyKey: wish.idempotencyKey ?? null,
    }
  }

  /** Nobody holds its socket. */
  async #recordOffline(order: CommandOrder): Promise<CommandResult> {
    const { store, clock } = this.#options
    const error = JSON.stringify({ code: "Offline", description: "the charge point is not connected" })
    const command = commandRowOf(order, { state: "Failed", answeredAt: clock.now(), error })
    const outcome = await store.change("recordCommand", { command })
    return { kind: outcome.repeated ? "Repeated" : "Offline", command: outcome.command }
  }

  /** No word came back from the node: the books know whether the command was sent, and what became of it. */
  async #resultFromBooks(order: CommandOrder): Promise<CommandResult> {
    const [command] = await this.#options.store.read.commandsByIds([order.commandId])
    if (command === undefined) return { kind: "Unavailable", reason: "the charge point's node cannot be reached" }
    if (this.#options.clock.now() >= command.deadlineAt) return resultOf(command) ?? { kind: "Timeout", command }
    // Under way: whoever asked may follow it, and must not take it for something that did not happen.
    return resultOf(command) ?? { kind: "Repeated", command }
  }
}
