import { action } from "../action.ts"
import { IdTagInfo, dateTime, idToken, integer, object, optional } from "../types.ts"

/** A transaction has begun; the answer gives it its id. May be about the past. OCPP 1.6 §4.8. */
export const StartTransaction = action({
  name: "StartTransaction",
  from: "charge-point",
  request: object({
    connectorId: integer,
    idTag: idToken,
    meterStart: integer, // Wh
    timestamp: dateTime,
    reservationId: optional(integer), // the reservation that ends with this start
  }),
  confirmation: object({ idTagInfo: IdTagInfo, transactionId: integer }),
})
