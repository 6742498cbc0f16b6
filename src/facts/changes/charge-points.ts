import type { ChangeOf } from "../catalogue.ts"
import type { ChargePointChangeKind } from "../events.ts"
import { chargePointState, chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { inferEnd } from "../inferred-end.ts"
import { latest } from "../instants.ts"
import type { ChargePointRow } from "../rows.ts"

const subjects = (input: { chargePointId: string }) => [chargePointSubject(input.chargePointId)]

function tell(facts: Facts, kind: ChargePointChangeKind, row: ChargePointRow, at: number) {
  const body = { type: "ChargePoint", kind, chargePoint: chargePointState(row) } as const
  facts.tell(row.organisationId, chargePointSubject(row.id), at, body)
}

export const createChargePoint: ChangeOf<"createChargePoint"> = {
  subjects: ({ chargePoint }) => [chargePointSubject(chargePoint.id)],
  async load(facts, inputs) {
    await facts.chargePoints.load(inputs.map(({ chargePoint }) => chargePoint.id))
    await facts.chargePoints.loadByIdentity(inputs.map(({ chargePoint }) => chargePoint.identity))
  },
  apply(facts, { chargePoint }) {
    if (facts.chargePoints.get(chargePoint.id) ?? facts.chargePoints.byIdentity(chargePoint.identity)) {
      return { alreadyExists: true }
    }
    facts.chargePoints.put(chargePoint)
    tell(facts, "Created", chargePoint, chargePoint.createdAt)
    return { chargePoint }
  },
}

export const updateChargePoint: ChangeOf<"updateChargePoint"> = {
  subjects,
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
  apply(facts, { organisationId, chargePointId, at, change }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    const chargePoint = { ...row, ...change }
    if (Bun.deepEquals(chargePoint, row)) return { chargePoint }
    facts.chargePoints.put(chargePoint)
    tell(facts, "Updated", chargePoint, at)
    return { chargePoint }
  },
}

/**
 * What still ran on it is over as far as anybody can know: nothing will be heard of it any more. Said again, it ends what
 * its socket brought in between.
 */
export const deleteChargePoint: ChangeOf<"deleteChargePoint"> = {
  subjects,
  async load(facts, inputs) {
    const chargePointIds = inputs.map((input) => input.chargePointId)
    await facts.chargePoints.load(chargePointIds)
    await facts.connectors.loadOf(chargePointIds)
    await facts.configurationKeys.loadOf(chargePointIds)
    await facts.transactions.loadUnended(chargePointIds)
  },
  apply(facts, { organisationId, chargePointId, at }) {
    const chargePoint = facts.chargePoints.get(chargePointId)
    if (chargePoint && chargePoint.organisationId !== organisationId) return { notFound: true }
    for (const transaction of facts.transactions.unended(chargePointId)) {
      if (transaction.state !== "Active" || transaction.organisationId !== organisationId) continue
      inferEnd(facts, transaction, latest(at, transaction.registerAt) ?? at, at)
    }
    if (!chargePoint) return { notFound: true }
    for (const connector of facts.connectors.of(chargePointId)) facts.connectors.delete(connector)
    for (const key of facts.configurationKeys.of(chargePointId)) facts.configurationKeys.delete(key)
    facts.chargePoints.delete(chargePointId)
    tell(facts, "Deleted", chargePoint, at)
    return { chargePoint }
  },
}
