/** A profile that came with an accepted RemoteStartTransaction belongs to the transaction that follows. OCPP 1.6 §5.11. */
import { accepted, install, loadHeld, waitsFor } from "../charging/held.ts"
import { idTagKeyOf } from "../id-tags.ts"
import type { Learner } from "./learner.ts"

/** The charge point may have told of the transaction before its confirmation was in the books. */
export const remoteStartTransaction: Learner<"RemoteStartTransaction"> = {
  load: (facts, ended) =>
    loadHeld(
      facts,
      ended.filter(({ request }) => request.chargingProfile !== undefined).map(({ command }) => command.chargePointId),
    ),
  learn(facts, { command, request, confirmation, at }) {
    const { chargingProfile: profile, connectorId = null, idTag } = request
    // Of another purpose it should have been refused: nobody knows what the charge point did with it.
    if (profile?.chargingProfilePurpose !== "TxProfile" || confirmation?.status !== "Accepted") return
    const belongs = { connectorId, transactionId: null, idTagKey: idTagKeyOf(idTag), acceptedAt: at }
    const waiting = accepted(command, profile, belongs)
    const started = facts.transactions
      .unended(command.chargePointId)
      .find((row) => row.state === "Active" && row.startReceivedAt >= (command.sentAt ?? at) && waitsFor(waiting, row))
    install(
      facts,
      started
        ? { ...waiting, connectorId: started.connectorId, transactionId: started.transactionId, idTagKey: null }
        : waiting,
    )
  },
}
