import { action } from "../action.ts"
import { AcceptedOrRejected, ChargingProfile, idToken, integer, object, optional } from "../types.ts"

/** Asks the Charge Point to start a transaction for this idTag; Accepted means that it will try. OCPP 1.6 §5.11. */
export const RemoteStartTransaction = action({
  name: "RemoteStartTransaction",
  from: "central-system",
  request: object({
    idTag: idToken,
    connectorId: optional(integer),
    chargingProfile: optional(ChargingProfile), // purpose TxProfile, without transactionId
  }),
  confirmation: object({ status: AcceptedOrRejected }),
})
