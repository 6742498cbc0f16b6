/** A profile that the charge point accepted is held from then on. OCPP 1.6 §5.16. */
import { accepted, install, loadHeld } from "../charging/held.ts"
import type { Learner } from "./learner.ts"

/**
 * A TxProfile belongs to the transaction it names, else to the one that runs on its connector, else to the one that the
 * charge point knows of and has not told yet.
 */
export const setChargingProfile: Learner<"SetChargingProfile"> = {
  load: (facts, ended) =>
    loadHeld(
      facts,
      ended.map(({ command }) => command.chargePointId),
    ),
  learn(facts, { command, request, confirmation, at }) {
    if (confirmation?.status !== "Accepted") return
    const { connectorId, csChargingProfiles: profile } = request
    const running = facts.transactions
      .unended(command.chargePointId)
      .findLast((transaction) => transaction.state === "Active" && transaction.connectorId === connectorId)
    const transactionId =
      profile.chargingProfilePurpose === "TxProfile" ? (profile.transactionId ?? running?.transactionId ?? null) : null
    install(facts, accepted(command, profile, { connectorId, transactionId, idTagKey: null, acceptedAt: at }))
  },
}
