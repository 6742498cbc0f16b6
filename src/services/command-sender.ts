/** Orders at the node that holds the socket: written down, sent once, answered, written down again. */
import type { CommandError, CommandRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { RequestOf } from "../ocpp/action.ts"
import { CallRefused, CallTimeout, ConversationClosed } from "../ocpp/call-queue.ts"
import { UnreadableConfirmation } from "../ocpp/conversation.ts"
import { OcppError } from "../ocpp/errors.ts"
import { type CentralSystemActionName, type FromCentralSystem, isCentralSystemAction } from "../ocpp/index.ts"
import { commandRowOf, resultOf } from "./command-rows.ts"
import { configurationKeysFrom } from "./configuration-keys.ts"
import type { Line, Lines } from "./lines.ts"
import { maskPayload } from "./masking.ts"
import { type Bus, type Clock, type CommandOrder, type CommandResult, type Store, StoreUnavailable } from "./ports.ts"

interface SenderOptions {
  store: Pick<Store, "change">
  bus: Pick<Bus, "nodeId">
  lines: Pick<Lines, "get">
  clock: Clock
  log: Log
}

/** How a command ended. */
interface End {
  state: "Answered" | "Failed" | "TimedOut"
  confirmation?: unknown
  error?: CommandError
}

const RETRY_MS = 250

/** The idempotencyKey belongs to a command that is in the books already; thrown to keep the frame here. */
class AlreadyRecorded extends Error {
  override readonly name = "AlreadyRecorded"
  readonly command: CommandRow
  constructor(command: CommandRow) {
    super("the command is in the books already")
    this.command = command
  }
}

/** The order's deadline passed while the CALL waited for its turn or its answer. */
class DeadlinePassed extends Error {
  override readonly name = "DeadlinePassed"
}

export class CommandSender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Sends the order's CALL, at most once, and resolves to what became of it. */
  async send(order: CommandOrder): Promise<CommandResult> {
    const { lines, log } = this.#options
    const line = lines.get(order.chargePointId)
    if (line === undefined || line.organisationId !== order.organisationId || !isCentralSystemAction(order.action))
      return this.#recordUnsent(order, { state: "Failed", error: OFFLINE })
    try {
      return await this.#sendOn(line, order.action, order)
    } catch (cause) {
      if (cause instanceof AlreadyRecorded) return { kind: "Repeated", command: cause.command }
      if (cause instanceof StoreUnavailable) return { kind: "Unavailable", reason: "the store is down" }
      log.error({ err: cause, action: order.action, identity: line.identity }, "a command failed")
      return { kind: "Unavailable", reason: "an unforeseen failure" }
    }
  }

  async #sendOn(line: Line, action: CentralSystemActionName, order: CommandOrder): Promise<CommandResult> {
    const { clock } = this.#options
    const remainingMs = order.deadlineAt - clock.now()
    if (remainingMs <= 0) return this.#recordUnsent(order, { state: "Failed", error: timedOut(false) })
    const giveUp = new AbortController()
    const timer = setTimeout(() => giveUp.abort(new DeadlinePassed()), remainingMs)
    let recorded = false
    let sent = false
    const end = await line
      .call(action, order.request as RequestOf<FromCentralSystem[typeof action]>, {
        timeoutMs: remainingMs,
        signal: giveUp.signal,
        // Sent in the books before the frame leaves: after a crash nobody sends it again.
        beforeSend: async () => {
          await this.#recordSent(order)
          recorded = true
        },
        onSent: () => {
          sent = true
        },
      })
      .then(
        (confirmation): End => ({ state: "Answered", confirmation }),
        (cause: unknown) => endAfter(cause, sent),
      )
      .finally(() => clearTimeout(timer))
    return recorded ? this.#recordEnd(order, end) : this.#recordUnsent(order, end)
  }

  async #recordSent(order: CommandOrder): Promise<void> {
    const { store, bus, clock } = this.#options
    const command = commandRowOf(order, { state: "Sent", sentAt: clock.now(), nodeId: bus.nodeId })
    const outcome = await store.change("recordCommand", { command })
    if (outcome.repeated) throw new AlreadyRecorded(outcome.command)
  }

  /** No frame left. */
  async #recordUnsent(order: CommandOrder, { state, error }: End): Promise<CommandResult> {
    const { store, clock } = this.#options
    const command = commandRowOf(order, { state, answeredAt: clock.now(), error: JSON.stringify(error ?? OFFLINE) })
    const outcome = await store.change("recordCommand", { command })
    if (outcome.repeated) return { kind: "Repeated", command: outcome.command }
    return resultOf(outcome.command) ?? { kind: "Offline", command: outcome.command }
  }

  async #recordEnd(order: CommandOrder, { state, confirmation, error }: End): Promise<CommandResult> {
    const { store, clock } = this.#options
    const { organisationId, chargePointId, commandId } = order
    const at = clock.now()
    const input = {
      organisationId,
      commandId,
      chargePointId,
      state,
      at,
      confirmation: confirmation === undefined ? null : JSON.stringify(maskPayload(confirmation)),
      error: error ?? null,
      configurationKeys: confirmation === undefined ? [] : configurationKeysFrom({ ...order, confirmation, at }),
    }
    for (;;) {
      try {
        const outcome = await store.change("endCommand", input)
        if ("notFound" in outcome) return { kind: "Unavailable", reason: "the command is gone from the books" }
        return resultOf(outcome.command) ?? { kind: "Timeout", command: outcome.command }
      } catch (cause) {
        // The charge point will not say it again: its answer is worth some patience with the store.
        if (!(cause instanceof StoreUnavailable) || clock.now() >= order.deadlineAt) throw cause
        await Bun.sleep(RETRY_MS)
      }
    }
  }
}

const OFFLINE: CommandError = { code: "Offline", description: "the charge point is not connected" }

const timedOut = (sent: boolean): CommandError => ({
  code: "Timeout",
  description: sent ? "the charge point did not answer in time" : "the deadline passed before the CALL's turn came",
})

/** How a failed CALL leaves the command. What was sent and not answered has an unknown outcome: TimedOut. */
function endAfter(cause: unknown, sent: boolean): End {
  if (cause instanceof CallRefused) {
    const error: CommandError = {
      code: "CallError",
      callErrorCode: cause.writtenCode || cause.code,
      description: cause.description,
    }
    return { state: "Failed", error }
  }
  if (cause instanceof UnreadableConfirmation) {
    const callErrorCode = cause.cause instanceof OcppError ? cause.cause.code : "FormationViolation"
    return { state: "Failed", error: { code: "InvalidConfirmation", callErrorCode, description: cause.message } }
  }
  if (cause instanceof CallTimeout || cause instanceof DeadlinePassed)
    return { state: sent ? "TimedOut" : "Failed", error: timedOut(sent) }
  if (cause instanceof ConversationClosed) {
    if (!sent) return { state: "Failed", error: OFFLINE }
    return { state: "TimedOut", error: { code: "Disconnected", description: "the connection ended before the answer" } }
  }
  throw cause
}
