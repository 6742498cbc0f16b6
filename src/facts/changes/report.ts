import type { ChangeOf } from "../catalogue.ts"
import { chargePointState, chargePointSubject } from "../events.ts"

/** Reports are kept in any order and from any epoch: they tell what has happened, not what is. */
export const report: ChangeOf<"report"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
  apply(facts, { id, organisationId, chargePointId, action, payload, receivedAt }) {
    facts.reports.add({ id, organisationId, chargePointId, action, payload, receivedAt })
    const row = facts.chargePoints.get(chargePointId)
    if (!row) return { recorded: true }
    const body = { type: "ChargePoint", kind: "Report", chargePoint: chargePointState(row), action } as const
    facts.tell(organisationId, chargePointSubject(chargePointId), receivedAt, body)
    return { recorded: true }
  },
}
