/** Commands that wait are sent: one after the other for each charge point, oldest wish first. */
import { answerTimeMs } from "../facts/queue.ts"
import type { CommandRow } from "../facts/rows.ts"
import { resultOf } from "./command-rows.ts"
import { type Bus, BusUnavailable, type Clock, type CommandResult, type Store } from "./ports.ts"

export interface QueueDeliveryOptions {
  store: Pick<Store, "read">
  bus: Pick<Bus, "ownerOf" | "call">
  clock: Clock
}

/** A queue that is worked off here. */
interface Work {
  /** Whether it was asked for again meanwhile. */
  again: boolean
  /** The node whose answer is waited for. */
  nodeId?: string
  /** Waits for that no longer. */
  giveUp?: () => void
}

export class QueueDelivery implements AsyncDisposable {
  readonly #options: QueueDeliveryOptions
  /** By the charge point's id. */
  readonly #running = new Map<string, Work>()
  #isStopping = false

  constructor(options: QueueDeliveryOptions) {
    this.#options = options
  }

  /**
   * Sends what waits for the charge point, until nothing waits or the next one cannot be sent now. Any number of these
   * may run at once, on any nodes: what may leave, and in which order, is decided by `sendQueuedCommand`.
   * @throws StoreUnavailable, BusUnavailable
   */
  async workOff(chargePointId: string): Promise<void> {
    const running = this.#running.get(chargePointId)
    if (running !== undefined) return this.#askAgain(chargePointId, running)
    const here: Work = { again: true }
    this.#running.set(chargePointId, here)
    try {
      while (here.again && !this.#isStopping) {
        here.again = false
        await this.#sendWaiting(chargePointId, here)
      }
    } finally {
      this.#running.delete(chargePointId)
    }
  }

  /**
   * Orders one command at the node that holds its charge point; resolves to its end, or to where it stands where it has
   * none. @throws BusUnavailable, StoreUnavailable
   */
  async order(command: CommandRow, sealed: string, needsAcceptance: boolean): Promise<CommandResult> {
    const owner = await this.#options.bus.ownerOf(command.chargePointId)
    return owner === null ? { kind: "Queued", command } : this.#orderAt(owner.nodeId, command, sealed, needsAcceptance)
  }

  /** What runs goes on at the nodes that hold the charge points; nothing more is ordered. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
  }

  async #orderAt(
    nodeId: string,
    command: CommandRow,
    sealed: string,
    needsAcceptance: boolean,
  ): Promise<CommandResult> {
    const { bus, clock } = this.#options
    // Its turn may come as late as an answer may; from then on the answer has its own time.
    const deadlineAt = clock.now() + 2 * answerTimeMs(command)
    try {
      const result = await bus.call(nodeId, {
        commandId: command.id,
        command,
        sealed,
        needsAcceptance,
        deadlineAt,
      })
      if (result.kind !== "Unavailable") return result
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause
    }
    return this.#asInTheBooks(command)
  }

  /** A node that died over an order never answers: when its charge point is held elsewhere, nobody waits for that. */
  async #askAgain(chargePointId: string, running: Work): Promise<void> {
    running.again = true
    const owner = await this.#options.bus.ownerOf(chargePointId)
    if (owner !== null && running.nodeId !== undefined && owner.nodeId !== running.nodeId) running.giveUp?.()
  }

  async #sendWaiting(chargePointId: string, here: Work): Promise<void> {
    const { store, bus } = this.#options
    for (let before: string | undefined; !this.#isStopping;) {
      const next = await store.read.nextQueuedCommand(chargePointId)
      // Still the same: it cannot be sent now.
      if (next === undefined || next.command.id === before) return
      before = next.command.id
      const owner = await bus.ownerOf(chargePointId)
      if (owner === null) return
      const givenUp = Promise.withResolvers<void>()
      here.nodeId = owner.nodeId
      here.giveUp = givenUp.resolve
      const ordered = this.#orderAt(owner.nodeId, next.command, next.sealed, true)
      ordered.catch(() => undefined)
      await Promise.race([ordered, givenUp.promise])
    }
  }

  async #asInTheBooks({ id }: CommandRow): Promise<CommandResult> {
    const [command] = await this.#options.store.read.commandsByIds([id])
    if (command === undefined) return { kind: "Unavailable", reason: "the command is gone from the books" }
    if (command.state === "Queued") return { kind: "Queued", command }
    return resultOf(command) ?? { kind: "Repeated", command }
  }
}
