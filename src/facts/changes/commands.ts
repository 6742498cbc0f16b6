import type { ChangeOf, InputOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { learn, loadLessons } from "../learning/index.ts"
import { leaveQueue } from "../queue.ts"
import type { CommandRow, ConfigurationKeyRow } from "../rows.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

const tell = (facts: Facts, command: CommandRow, at: number) =>
  facts.tell(command.organisationId, chargePointSubject(command.chargePointId), at, { type: "Command", command })

const hasEnded = ({ answeredAt }: CommandRow): boolean => answeredAt !== null

export const recordCommand: ChangeOf<"recordCommand"> = {
  subjects: ({ command }) => [chargePointSubject(command.chargePointId)],
  async load(facts, inputs) {
    await facts.commands.load(inputs.map(({ command }) => command.id))
    await facts.commands.loadByIdempotencyKey(
      inputs.flatMap(({ command: { organisationId, idempotencyKey } }) =>
        idempotencyKey === null ? [] : [{ organisationId, idempotencyKey }],
      ),
    )
    await loadLessons(facts, inputs.map(({ command }) => command).filter(hasEnded))
  },
  apply(facts, { command }) {
    const { id, organisationId, idempotencyKey } = command
    const stored =
      facts.commands.get(id) ??
      (idempotencyKey === null ? undefined : facts.commands.byIdempotencyKey(organisationId, idempotencyKey))
    if (stored) return { command: stored, repeated: true }
    facts.commands.put(command)
    tell(facts, command, command.answeredAt ?? command.sentAt ?? command.requestedAt)
    if (hasEnded(command)) learn(facts, command)
    return { command, repeated: false }
  },
}

export const endCommand: ChangeOf<"endCommand"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await facts.commands.load(inputs.map((input) => input.commandId))
    await loadLessons(
      facts,
      inputs.flatMap(({ commandId }) => facts.commands.get(commandId) ?? []),
    )
    const teaching = inputs.filter((input) => input.configurationKeys.length > 0)
    if (teaching.length === 0) return
    await loadTold(
      facts,
      teaching.map((input) => input.chargePointId),
    )
    await facts.configurationKeys.load(teaching.flatMap((input) => input.configurationKeys))
  },
  apply(facts, input) {
    const row = facts.commands.get(input.commandId)
    if (row?.organisationId !== input.organisationId) return { notFound: true }
    if (row.state !== "Sent" && !(row.state === "Queued" && input.state === "Failed")) {
      return { command: row, moved: false }
    }
    const command: CommandRow = {
      ...row,
      state: input.state,
      answeredAt: input.at,
      confirmation: input.confirmation,
      error: input.error && JSON.stringify(input.error),
    }
    if (row.state === "Queued") {
      leaveQueue(facts, command, input.at)
      return { command, moved: true }
    }
    facts.commands.put(command)
    tell(facts, command, input.at)
    learnConfiguration(facts, command.action, input)
    learn(facts, command)
    return { command, moved: true }
  },
}

/** Takes over what the confirmation says of configuration keys. OCPP 1.6 §5.3, §5.8. */
function learnConfiguration(facts: Facts, action: string, input: InputOf<"endCommand">) {
  if (input.configurationKeys.length === 0) return
  const chargePoint = facts.chargePoints.get(input.chargePointId)
  if (!chargePoint) return
  let changed = false
  for (const reported of input.configurationKeys) {
    const before = facts.configurationKeys.get(reported)
    // Only a new setting or a reboot ends the wait for a reboot; being asked for the value does not.
    const rebootRequired = reported.rebootRequired || (action !== "ChangeConfiguration" && !!before?.rebootRequired)
    const key: ConfigurationKeyRow = { ...reported, rebootRequired }
    facts.configurationKeys.put(key)
    changed ||= !before || !Bun.deepEquals({ ...key, reportedAt: before.reportedAt }, before)
  }
  if (!changed) return
  tellChargePoint(facts, "Configuration", chargePoint, input.at)
}
