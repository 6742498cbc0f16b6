/** What was cleared is held no longer. OCPP 1.6 §5.5. */
import { loadHeld, uninstall } from "../charging/held.ts"
import type { Learner } from "./learner.ts"

export const clearChargingProfile: Learner<"ClearChargingProfile"> = {
  load: (facts, ended) =>
    loadHeld(
      facts,
      ended.map(({ command }) => command.chargePointId),
    ),
  learn(facts, { command, request, confirmation, at }) {
    // Unknown says that nothing there is meant: what the books still had of it was wrong, and either answer puts it right.
    if (confirmation !== null) uninstall(facts, command.chargePointId, request, at)
  },
}
