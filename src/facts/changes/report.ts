import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"
import { loadTransfers, noteProgress } from "../transfers.ts"

/** Reports are kept in any order and from any epoch: they tell what has happened, not what is. */
export const report: ChangeOf<"report"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await loadTold(
      facts,
      inputs.map((input) => input.chargePointId),
    )
    await loadTransfers(facts, inputs)
  },
  apply(facts, { id, organisationId, chargePointId, action, payload, receivedAt }) {
    facts.reports.add({ id, organisationId, chargePointId, action, payload, receivedAt })
    noteProgress(facts, { chargePointId, action, payload, receivedAt })
    const row = facts.chargePoints.get(chargePointId)
    if (!row) return { recorded: true }
    tellChargePoint(facts, "Report", row, receivedAt, { action })
    return { recorded: true }
  },
}
