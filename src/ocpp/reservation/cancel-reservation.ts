import { action } from "../action.ts"
import { AcceptedOrRejected, integer, object } from "../types.ts"

/** Ends a reservation; Rejected when the Charge Point does not know it. OCPP 1.6 §5.1. */
export const CancelReservation = action({
  name: "CancelReservation",
  from: "central-system",
  request: object({ reservationId: integer }),
  confirmation: object({ status: AcceptedOrRejected }),
})
