/** Orders at the node that holds the socket: written down, sent once, answered, written down again. */
import { answerTimeMs } from "../facts/queue.ts"
import type { CommandError, CommandRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { RequestOf } from "../ocpp/action.ts"
import { CallRefused, CallTimeout, ConversationClosed } from "../ocpp/call-queue.ts"
import { UnreadableConfirmation } from "../ocpp/conversation.ts"
import { OcppError } from "../ocpp/errors.ts"
import { type CentralSystemActionName, type FromCentralSystem, isCentralSystemAction } from "../ocpp/index.ts"
import { commandRowOf, repetitionOf, resultOf } from "./command-rows.ts"
import { configurationKeysFrom } from "./configuration-keys.ts"
import type { Line, Lines } from "./lines.ts"
import { maskPayload } from "./masking.ts"
import {
  type Bus,
  type Clock,
  type CommandOrder,
  type CommandResult,
  type DirectOrder,
  type QueuedOrder,
  type Store,
  StoreUnavailable,
} from "./ports.ts"
import { BrokenSeal, type Seals } from "./seals.ts"

interface SenderOptions {
  store: Pick<Store, "change">
  bus: Pick<Bus, "nodeId">
  lines: Pick<Lines, "get">
  seals: Pick<Seals, "open">
  clock: Clock
  log: Log
}

/** How a command ended. */
interface End {
  state: "Answered" | "Failed" | "TimedOut"
  confirmation?: unknown
  error?: CommandError
}

/** A CALL as it goes on the line. */
interface Outgoing {
  commandId: string
  organisationId: string
  chargePointId: string
  action: CentralSystemActionName
  request: RequestOf<FromCentralSystem[CentralSystemActionName]>
}

/** What the line made of a CALL. `isSent`: a frame left, or may have left. */
type Outcome = { isRecorded: boolean; isSent: boolean } & ({ confirmation: unknown } | { cause: unknown })

const RETRY_MS = 250

/** The books do not let the command go: it is there already, or no longer waits; thrown to keep the frame here. */
class NotToBeSent extends Error {
  override readonly name = "NotToBeSent"
  readonly command: CommandRow
  constructor(command: CommandRow) {
    super("the books do not let the command go")
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
    try {
      return "sealed" in order ? await this.#sendQueued(order) : await this.#sendDirect(order)
    } catch (cause) {
      if (cause instanceof StoreUnavailable) return { kind: "Unavailable", reason: "the store is down" }
      this.#options.log.error({ err: cause, commandId: order.commandId }, "a command failed")
      return { kind: "Unavailable", reason: "an unforeseen failure" }
    }
  }

  async #sendDirect(order: DirectOrder): Promise<CommandResult> {
    const { clock } = this.#options
    const { action, chargePointId, organisationId } = order
    const line = this.#lineOf(chargePointId, organisationId)
    if (line === undefined || !isCentralSystemAction(action))
      return this.#recordUnsent(order, { state: "Failed", error: OFFLINE })
    const remainingMs = order.deadlineAt - clock.now()
    if (remainingMs <= 0) return this.#recordUnsent(order, { state: "Failed", error: timedOut(false) })
    const outgoing: Outgoing = { ...order, action, request: order.request as Outgoing["request"] }
    const outcome = await callOn(line, outgoing, {
      timeoutMs: remainingMs,
      untilMs: { answered: remainingMs },
      record: () => this.#recordSent(order),
    })
    if ("cause" in outcome && outcome.cause instanceof NotToBeSent) return repetitionOf(outcome.cause.command, order)
    const end = endOf(outcome)
    return outcome.isRecorded ? this.#recordEnd(outgoing, end, order.deadlineAt) : this.#recordUnsent(order, end)
  }

  /** Whatever keeps the frame here leaves the command waiting, unless the books say that it no longer does. */
  async #sendQueued(order: QueuedOrder): Promise<CommandResult> {
    const { command } = order
    const { action, chargePointId, organisationId } = command
    const line = this.#lineOf(chargePointId, organisationId)
    if (line === undefined || !isCentralSystemAction(action)) return { kind: "Queued", command }
    const outgoing = this.#unsealed(order, action)
    if (outgoing === undefined) return this.#recordEnd({ ...placeOf(command), action, request: {} }, UNREADABLE, 0)
    const answerMs = answerTimeMs(command)
    let deadlineAt = order.deadlineAt
    const outcome = await callOn(line, outgoing, {
      timeoutMs: answerMs,
      untilMs: { sent: answerMs },
      record: async () => {
        deadlineAt = await this.#recordQueuedSent(order, line)
      },
    })
    if ("cause" in outcome && !outcome.isSent) return this.#goOnWaiting(order, outcome)
    return this.#recordEnd(outgoing, endOf(outcome), deadlineAt)
  }

  #lineOf(chargePointId: string, organisationId: string): Line | undefined {
    const line = this.#options.lines.get(chargePointId)
    return line?.organisationId === organisationId ? line : undefined
  }

  #unsealed({ command, sealed }: QueuedOrder, action: CentralSystemActionName): Outgoing | undefined {
    try {
      return { ...placeOf(command), action, request: JSON.parse(this.#options.seals.open(sealed, command.id)) }
    } catch (cause) {
      if (!(cause instanceof BrokenSeal)) throw cause
      this.#options.log.error({ err: cause, commandId: command.id }, "what a queued command sends cannot be read")
      return undefined
    }
  }

  async #recordSent(order: DirectOrder): Promise<void> {
    const { store, bus, clock } = this.#options
    const command = commandRowOf(order, { state: "Sent", sentAt: clock.now(), nodeId: bus.nodeId })
    const outcome = await store.change("recordCommand", { command })
    if (outcome.repeated) throw new NotToBeSent(outcome.command)
  }

  /** Resolves to the deadline that the command has from now on, ms. */
  async #recordQueuedSent({ command, needsAcceptance }: QueuedOrder, { epoch }: Line): Promise<number> {
    const { store, bus, clock } = this.#options
    const outcome = await store.change("sendQueuedCommand", {
      ...placeOf(command),
      nodeId: bus.nodeId,
      epoch,
      needsAcceptance,
      at: clock.now(),
    })
    if ("notFound" in outcome) throw new NotToBeSent(command)
    if (!outcome.isSent) throw new NotToBeSent(outcome.command)
    return outcome.command.deadlineAt
  }

  async #goOnWaiting(order: QueuedOrder, { isRecorded, cause }: { isRecorded: boolean; cause: unknown }) {
    const { store, bus, clock } = this.#options
    const { command, sealed } = order
    if (cause instanceof NotToBeSent) return whereItStands(cause.command)
    if (!(cause instanceof ConversationClosed || cause instanceof DeadlinePassed)) throw cause
    if (!isRecorded) return whereItStands(command)
    const request = { commandId: command.id, organisationId: command.organisationId, sealed }
    const outcome = await this.#patiently(order.deadlineAt, () =>
      store.change("requeueCommand", { ...placeOf(command), nodeId: bus.nodeId, at: clock.now(), request }),
    )
    return whereItStands("notFound" in outcome ? command : outcome.command)
  }

  /** No frame left. */
  async #recordUnsent(order: DirectOrder, { state, error }: End): Promise<CommandResult> {
    const { store, clock } = this.#options
    const command = commandRowOf(order, { state, answeredAt: clock.now(), error: JSON.stringify(error ?? OFFLINE) })
    const outcome = await store.change("recordCommand", { command })
    if (outcome.repeated) return repetitionOf(outcome.command, order)
    return resultOf(outcome.command) ?? { kind: "Offline", command: outcome.command }
  }

  async #recordEnd(
    outgoing: Outgoing,
    { state, confirmation, error }: End,
    deadlineAt: number,
  ): Promise<CommandResult> {
    const { store, clock } = this.#options
    const { organisationId, commandId, chargePointId } = outgoing
    const at = clock.now()
    const outcome = await this.#patiently(deadlineAt, () =>
      store.change("endCommand", {
        organisationId,
        commandId,
        chargePointId,
        state,
        at,
        confirmation: confirmation === undefined ? null : JSON.stringify(maskPayload(confirmation)),
        error: error ?? null,
        configurationKeys: confirmation === undefined ? [] : configurationKeysFrom({ ...outgoing, confirmation, at }),
      }),
    )
    if ("notFound" in outcome) return { kind: "Unavailable", reason: "the command is gone from the books" }
    return resultOf(outcome.command) ?? { kind: "Timeout", command: outcome.command }
  }

  /** The charge point will not say it again: its answer is worth some patience with the store. */
  async #patiently<Result>(deadlineAt: number, write: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await write()
      } catch (cause) {
        if (!(cause instanceof StoreUnavailable) || this.#options.clock.now() >= deadlineAt) throw cause
        await Bun.sleep(RETRY_MS)
      }
    }
  }
}

interface CallLimits {
  /** How long the charge point may take, from the moment the frame leaves, ms. */
  timeoutMs: number
  /** After how long from now the CALL is given up that is not sent, or not answered, by then; ms. */
  untilMs: { sent: number } | { answered: number }
  /** Sent in the books before the frame leaves: after a crash nobody sends it again. */
  record(): Promise<void>
}

/** Puts a CALL on the line; never rejects. */
async function callOn(line: Line, { action, request }: Outgoing, { timeoutMs, untilMs, record }: CallLimits) {
  const giveUp = new AbortController()
  const isForTurn = "sent" in untilMs
  const timer = setTimeout(() => giveUp.abort(new DeadlinePassed()), isForTurn ? untilMs.sent : untilMs.answered)
  let recording: Promise<void> | undefined
  let isRecorded = false
  let isSent = false
  const answer = await line
    .call(action, request, {
      timeoutMs,
      signal: giveUp.signal,
      beforeSend: () => {
        recording = record().then(() => {
          isRecorded = true
          if (isForTurn) clearTimeout(timer)
        })
        return recording
      },
      onSent: () => {
        isSent = true
      },
    })
    .then(
      (confirmation: unknown) => ({ confirmation }),
      (cause: unknown) => ({ cause }),
    )
  clearTimeout(timer)
  // A CALL that is given up while the books are written fails before that is done.
  await recording?.catch(() => undefined)
  isSent ||= "cause" in answer && answer.cause instanceof ConversationClosed && answer.cause.sent
  return { ...answer, isRecorded, isSent } satisfies Outcome
}

const placeOf = ({ id: commandId, organisationId, chargePointId }: CommandRow) => ({
  commandId,
  organisationId,
  chargePointId,
})

const whereItStands = (command: CommandRow): CommandResult => ({
  kind: command.state === "Queued" ? "Queued" : "Repeated",
  command,
})

const OFFLINE: CommandError = { code: "Offline", description: "the charge point is not connected" }

const UNREADABLE: End = {
  state: "Failed",
  error: { code: "Unavailable", description: "what was to be sent can no longer be read" },
}

const timedOut = (sent: boolean): CommandError => ({
  code: "Timeout",
  description: sent ? "the charge point did not answer in time" : "the deadline passed before the CALL's turn came",
})

/** A charge point may repeat in its own words what it was asked. */
const masked = (description: string): string => String(maskPayload(description))

/** How a CALL leaves the command. What was sent and not answered has an unknown outcome: TimedOut. */
function endOf(outcome: Outcome): End {
  if ("confirmation" in outcome) return { state: "Answered", confirmation: outcome.confirmation }
  const { cause, isSent } = outcome
  if (cause instanceof CallRefused) {
    const error: CommandError = {
      code: "CallError",
      callErrorCode: cause.writtenCode || cause.code,
      description: masked(cause.description),
    }
    return { state: "Failed", error }
  }
  if (cause instanceof UnreadableConfirmation) {
    const callErrorCode = cause.cause instanceof OcppError ? cause.cause.code : "FormationViolation"
    return {
      state: "Failed",
      error: { code: "InvalidConfirmation", callErrorCode, description: masked(cause.message) },
    }
  }
  if (cause instanceof CallTimeout || cause instanceof DeadlinePassed)
    return { state: isSent ? "TimedOut" : "Failed", error: timedOut(isSent) }
  if (cause instanceof ConversationClosed) {
    if (!isSent) return { state: "Failed", error: OFFLINE }
    return { state: "TimedOut", error: { code: "Disconnected", description: "the connection ended before the answer" } }
  }
  throw cause
}
