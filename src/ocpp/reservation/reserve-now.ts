import * as v from "valibot"
import { action } from "../action.ts"
import { dateTime, idToken, integer, object, optional } from "../types.ts"

/** Keeps a connector, or with 0 any one, for an idTag until expiryDate. OCPP 1.6 §5.13. */
export const ReserveNow = action({
  name: "ReserveNow",
  from: "central-system",
  request: object({
    connectorId: integer,
    expiryDate: dateTime,
    idTag: idToken,
    parentIdTag: optional(idToken), // its whole group may use the reservation
    reservationId: integer, // a known one is replaced
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"]) }),
})
