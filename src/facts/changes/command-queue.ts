import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { loadLessons } from "../learning/index.ts"
import { answerTimeMs, CHARGE_POINT_DELETED, compareInQueue, isAccepted, leaveQueue, QUEUE_LIMIT } from "../queue.ts"
import type { CommandRow, SealedRequestRow } from "../rows.ts"

const subjects = (input: { chargePointId: string }) => [chargePointSubject(input.chargePointId)]

function joinQueue(facts: Facts, command: CommandRow, request: SealedRequestRow, at: number) {
  facts.commands.put(command)
  facts.sealedRequests.put(request)
  facts.tell(command.organisationId, chargePointSubject(command.chargePointId), at, { type: "Command", command })
}

/** Loads the commands, and what they teach where they end. */
async function loadCommands(facts: Facts, inputs: readonly { commandId: string }[]): Promise<void> {
  await facts.commands.load(inputs.map(({ commandId }) => commandId))
  await loadLessons(
    facts,
    inputs.flatMap(({ commandId }) => facts.commands.get(commandId) ?? []),
  )
}

/** Whether the command is the next to be sent. */
const isFirst = (facts: Facts, command: CommandRow): boolean =>
  facts.commands
    .queued(command.chargePointId)
    .every((other) => other.id === command.id || compareInQueue(command, other) < 0)

export const queueCommand: ChangeOf<"queueCommand"> = {
  subjects: ({ command }) => [chargePointSubject(command.chargePointId)],
  async load(facts, inputs) {
    const chargePointIds = inputs.map(({ command }) => command.chargePointId)
    await facts.chargePoints.load(chargePointIds)
    await facts.commands.load(inputs.map(({ command }) => command.id))
    await facts.commands.loadQueued(chargePointIds)
    await facts.commands.loadByIdempotencyKey(
      inputs.flatMap(({ command: { organisationId, idempotencyKey } }) =>
        idempotencyKey === null ? [] : [{ organisationId, idempotencyKey }],
      ),
    )
  },
  apply(facts, { command, request }) {
    const { id, organisationId, chargePointId, idempotencyKey, requestedAt } = command
    const stored =
      facts.commands.get(id) ??
      (idempotencyKey === null ? undefined : facts.commands.byIdempotencyKey(organisationId, idempotencyKey))
    if (stored) return { command: stored, repeated: true, isFirst: false }
    if (facts.chargePoints.get(chargePointId)?.organisationId !== organisationId) return { notFound: true }
    if (facts.commands.queued(chargePointId).length >= QUEUE_LIMIT) return { queueFull: true }
    joinQueue(facts, command, request, requestedAt)
    return { command, repeated: false, isFirst: isFirst(facts, command) }
  },
}

export const sendQueuedCommand: ChangeOf<"sendQueuedCommand"> = {
  subjects,
  async load(facts, inputs) {
    const chargePointIds = inputs.map((input) => input.chargePointId)
    await loadCommands(facts, inputs)
    await facts.commands.loadQueued(chargePointIds)
    await facts.chargePoints.load(chargePointIds)
  },
  apply(facts, { organisationId, commandId, chargePointId, nodeId, epoch, needsAcceptance, at }) {
    const row = facts.commands.get(commandId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    if (row.state !== "Queued") return { command: row, isSent: false }
    if (isOver(row, at)) return { command: expire(facts, row, at), isSent: false }
    const chargePoint = facts.chargePoints.get(chargePointId)
    const mayBeSent =
      chargePoint !== undefined &&
      chargePoint.epoch <= epoch &&
      (!needsAcceptance || isAccepted(chargePoint)) &&
      isFirst(facts, row)
    if (!mayBeSent) return { command: row, isSent: false }
    const command: CommandRow = { ...row, state: "Sent", sentAt: at, deadlineAt: at + answerTimeMs(row), nodeId }
    leaveQueue(facts, command, at)
    return { command, isSent: true }
  },
}

export const requeueCommand: ChangeOf<"requeueCommand"> = {
  subjects,
  async load(facts, inputs) {
    await loadCommands(facts, inputs)
    await facts.commands.loadLastSent(inputs.map((input) => input.chargePointId))
    await facts.chargePoints.load(inputs.map((input) => input.chargePointId))
  },
  apply(facts, { organisationId, commandId, chargePointId, nodeId, at, request }) {
    const row = facts.commands.get(commandId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    // Whoever took it for lost has spoken; and only the node that was to send it knows that no frame left.
    if (row.state !== "Sent" || row.nodeId !== nodeId || row.sentAt === null || row.expiresAt === null) {
      return { command: row }
    }
    // Its turn is over: sent now it would come behind what was asked for later.
    const last = facts.commands.lastSent(chargePointId)
    if (last && compareInQueue(row, last) < 0) return { command: row }
    const answerMs = row.deadlineAt - row.sentAt
    const queued: CommandRow = {
      ...row,
      state: "Queued",
      sentAt: null,
      nodeId: null,
      deadlineAt: row.expiresAt + answerMs,
    }
    if (!facts.chargePoints.get(chargePointId)) {
      const command: CommandRow = { ...queued, state: "Cancelled", answeredAt: at, error: CHARGE_POINT_DELETED }
      leaveQueue(facts, command, at)
      return { command }
    }
    if (isOver(queued, at)) return { command: expire(facts, queued, at) }
    joinQueue(facts, queued, request, at)
    return { command: queued }
  },
}

export const dropQueuedCommand: ChangeOf<"dropQueuedCommand"> = {
  subjects,
  load: loadCommands,
  apply(facts, { organisationId, commandId, state, at }) {
    const row = facts.commands.get(commandId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    if (row.state !== "Queued" || (state === "Expired" && !isOver(row, at))) return { command: row, moved: false }
    if (isOver(row, at)) return { command: expire(facts, row, at), moved: state === "Expired" }
    const command: CommandRow = { ...row, state, answeredAt: at }
    leaveQueue(facts, command, at)
    return { command, moved: true }
  },
}

const isOver = ({ expiresAt }: CommandRow, at: number): boolean => expiresAt !== null && expiresAt <= at

function expire(facts: Facts, row: CommandRow, at: number): CommandRow {
  const command: CommandRow = { ...row, state: "Expired", answeredAt: at }
  leaveQueue(facts, command, at)
  return command
}
