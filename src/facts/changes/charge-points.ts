import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { inferEnd } from "../inferred-end.ts"
import { latest } from "../instants.ts"
import { loadLessons } from "../learning/index.ts"
import { CHARGE_POINT_DELETED, leaveQueue } from "../queue.ts"
import { endReservation } from "../reservations.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

const subjects = (input: { chargePointId: string }) => [chargePointSubject(input.chargePointId)]

export const createChargePoint: ChangeOf<"createChargePoint"> = {
  subjects: ({ chargePoint }) => [chargePointSubject(chargePoint.id)],
  async load(facts, inputs) {
    await loadTold(
      facts,
      inputs.map(({ chargePoint }) => chargePoint.id),
    )
    await facts.chargePoints.loadByIdentity(inputs.map(({ chargePoint }) => chargePoint.identity))
  },
  apply(facts, { chargePoint }) {
    if (facts.chargePoints.get(chargePoint.id) ?? facts.chargePoints.byIdentity(chargePoint.identity)) {
      return { alreadyExists: true }
    }
    facts.chargePoints.put(chargePoint)
    tellChargePoint(facts, "Created", chargePoint, chargePoint.createdAt)
    return { chargePoint }
  },
}

export const updateChargePoint: ChangeOf<"updateChargePoint"> = {
  subjects,
  load: (facts, inputs) =>
    loadTold(
      facts,
      inputs.map((input) => input.chargePointId),
    ),
  apply(facts, { organisationId, chargePointId, at, change }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    const chargePoint = { ...row, ...change }
    if (Bun.deepEquals(chargePoint, row)) return { chargePoint }
    facts.chargePoints.put(chargePoint)
    tellChargePoint(facts, "Updated", chargePoint, at, { was: row })
    return { chargePoint }
  },
}

/**
 * What still ran on it is over as far as anybody can know: nothing will be heard of it any more. What waited to be sent
 * to it is not meant for another one of the same name. Said again, it ends what
 * its socket brought in between.
 */
export const deleteChargePoint: ChangeOf<"deleteChargePoint"> = {
  subjects,
  async load(facts, inputs) {
    const chargePointIds = inputs.map((input) => input.chargePointId)
    await loadTold(facts, chargePointIds)
    await facts.configurationKeys.loadOf(chargePointIds)
    await facts.chargingProfiles.loadOf(chargePointIds)
    await facts.transactions.loadUnended(chargePointIds)
    await facts.commands.loadQueued(chargePointIds)
    await loadLessons(
      facts,
      chargePointIds.flatMap((id) => facts.commands.queued(id)),
    )
    await facts.reservations.loadOpen(chargePointIds)
  },
  apply(facts, { organisationId, chargePointId, at }) {
    const chargePoint = facts.chargePoints.get(chargePointId)
    if (chargePoint && chargePoint.organisationId !== organisationId) return { notFound: true }
    for (const transaction of facts.transactions.unended(chargePointId)) {
      if (transaction.state !== "Active" || transaction.organisationId !== organisationId) continue
      inferEnd(facts, transaction, latest(at, transaction.registerAt) ?? at, at)
    }
    if (!chargePoint) return { notFound: true }
    for (const command of facts.commands.queued(chargePointId)) {
      leaveQueue(facts, { ...command, state: "Cancelled", answeredAt: at, error: CHARGE_POINT_DELETED }, at)
    }
    for (const reservation of facts.reservations.open(chargePointId))
      endReservation(facts, reservation, "Cancelled", "Deleted", at)
    tellChargePoint(facts, "Deleted", chargePoint, at)
    for (const connector of facts.connectors.of(chargePointId)) facts.connectors.delete(connector)
    for (const key of facts.configurationKeys.of(chargePointId)) facts.configurationKeys.delete(key)
    for (const { commandId } of facts.chargingProfiles.of(chargePointId)) facts.chargingProfiles.delete(commandId)
    facts.chargePoints.delete(chargePointId)
    const { identity } = chargePoint
    facts.deletedChargePoints.add({ id: chargePointId, organisationId, identity, deletedAt: at })
    return { chargePoint }
  },
}
