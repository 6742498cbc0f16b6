import * as v from "valibot"
import { action } from "../action.ts"
import { IdTagInfo, MeterValue, Reason, dateTime, idToken, integer, object, optional } from "../types.ts"

/** A transaction has ended; this cannot be refused. May be about the past. OCPP 1.6 §4.10. */
export const StopTransaction = action({
  name: "StopTransaction",
  from: "charge-point",
  request: object({
    transactionId: integer,
    meterStop: integer, // Wh
    timestamp: dateTime,
    idTag: optional(idToken), // absent when the Charge Point stopped by itself
    reason: optional(Reason),
    transactionData: optional(v.array(MeterValue)),
  }),
  confirmation: object({ idTagInfo: optional(IdTagInfo) }),
})
