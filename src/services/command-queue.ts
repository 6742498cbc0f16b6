/** Commands that may wait: put down with their secrets sealed, sent at once where that is possible, taken back. */
import { QUEUE_LIMIT } from "../facts/queue.ts"
import type { CommandRow, CommandState } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { commandRowOf, repetitionOf } from "./command-rows.ts"
import type { Clock, CommandResult, DirectOrder, QueueJobs, Store } from "./ports.ts"
import type { QueueDelivery } from "./queue-delivery.ts"
import { CommandNotFound } from "./refusals.ts"
import type { Seals } from "./seals.ts"
import type { Viewer } from "./viewer.ts"

/** Whether a command may wait where it cannot be sent at once. */
export interface Delivery {
  whenOffline: "Fail" | "Queue"
  /** Until when it may wait, epoch ms; the node's default where left out. */
  expiresAt?: number | undefined
  /** From this instant on it would be of no use, epoch ms: where that is still to come it waits no longer. */
  uselessFrom?: number | undefined
}

/** How long a command may wait at most, ms. */
const MAX_EXPIRY_MS = 30 * 86_400_000

/** What is wrong with a delivery, or undefined. */
export function faultIn({ whenOffline, expiresAt }: Delivery, now: number): CommandResult | undefined {
  const fault = (reason: string): CommandResult => ({ kind: "InvalidInput", path: "delivery.expiresAt", reason })
  if (expiresAt === undefined) return undefined
  if (whenOffline === "Fail") return fault("only what is queued expires: it goes with whenOffline QUEUE")
  if (expiresAt <= now) return fault("must be in the future")
  return expiresAt > now + MAX_EXPIRY_MS ? fault("must be within 30 days") : undefined
}

/** On which terms a command waits. */
interface QueueTerms {
  /** Epoch ms. */
  expiresAt: number
  /** Whether the charge point's standing permits the command now. */
  mayGoNow: boolean
  needsAcceptance: boolean
  /** Whether the charge point is online by the books: when it comes, it is looked at what waits for it. */
  online: boolean
}

export interface CommandQueueOptions {
  store: Pick<Store, "change" | "read">
  jobs: QueueJobs
  seals: Pick<Seals, "seal">
  delivery: QueueDelivery
  clock: Clock
  log: Log
}

export class CommandQueue {
  readonly #options: CommandQueueOptions

  constructor(options: CommandQueueOptions) {
    this.#options = options
  }

  /**
   * Puts the command down as Queued, and sends it at once if `mayGoNow` and nothing waits before it. Resolves to the
   * charge point's answer, or to the command that waits. @throws StoreUnavailable: then it was not put down.
   */
  async add(order: DirectOrder, { expiresAt, mayGoNow, needsAcceptance, online }: QueueTerms): Promise<CommandResult> {
    const { store, seals, jobs } = this.#options
    const answerMs = order.deadlineAt - order.requestedAt
    const command = commandRowOf(order, { state: "Queued", expiresAt, deadlineAt: expiresAt + answerMs })
    const sealed = seals.seal(JSON.stringify(order.request), command.id)
    const request = { commandId: command.id, organisationId: command.organisationId, sealed }
    const outcome = await store.change("queueCommand", { command, request })
    if ("notFound" in outcome) return { kind: "NotAllowedNow", reason: "the charge point is gone" }
    if ("queueFull" in outcome) return { kind: "NotAllowedNow", reason: `${QUEUE_LIMIT} commands wait for it already` }
    if (outcome.repeated) return repetitionOf(outcome.command, order)
    void jobs.expireAt(command)
    if (outcome.isFirst && mayGoNow) return this.#sendNow(command, sealed, needsAcceptance)
    // Behind others that may be on their way: whoever sends those goes on with this one.
    if (online && mayGoNow) void jobs.prompt([command.chargePointId])
    return { kind: "Queued", command }
  }

  /**
   * Takes back a command that was not sent. Of this and the sending exactly one succeeds. `moved` tells which: the
   * command is Cancelled by this call, or stands where it stands. @throws CommandNotFound, StoreUnavailable
   */
  async cancel(
    { organisationId }: Pick<Viewer, "organisationId">,
    commandId: string,
  ): Promise<{ command: CommandRow; moved: boolean }> {
    const { store, clock } = this.#options
    const [known] = await store.read.commandsByIds([commandId])
    if (known?.organisationId !== organisationId) throw new CommandNotFound()
    const { chargePointId } = known
    const input = { organisationId, commandId, chargePointId, state: "Cancelled", at: clock.now() } as const
    const outcome = await store.change("dropQueuedCommand", input)
    if ("notFound" in outcome) throw new CommandNotFound()
    return outcome
  }

  async #sendNow(command: CommandRow, sealed: string, needsAcceptance: boolean): Promise<CommandResult> {
    const { delivery, log } = this.#options
    try {
      return await delivery.order(command, sealed, needsAcceptance)
    } catch (cause) {
      // It is in the books: a worker sends it when what is away has come back.
      log.debug({ err: cause, commandId: command.id }, "a command waits, as it could not be sent at once")
      return { kind: "Queued", command }
    }
  }
}

/** What keeps a command from being taken back, in words. */
export const whyNotCancelled = (state: CommandState): string => REASONS[state]

const REASONS: Record<CommandState, string> = {
  Queued: "it waits",
  Sent: "it has been sent",
  Answered: "it has been answered",
  Failed: "it has failed",
  TimedOut: "it has been sent, and no answer came in time",
  Expired: "it has expired",
  Cancelled: "it has been cancelled already",
}
