import { action } from "../action.ts"
import {
  ChargePointErrorCode,
  ChargePointStatus,
  ciString,
  dateTime,
  empty,
  integer,
  object,
  optional,
} from "../types.ts"

/** The state of a connector, or with 0 of the Charge Point, has changed. OCPP 1.6 §4.9. */
export const StatusNotification = action({
  name: "StatusNotification",
  from: "charge-point",
  request: object({
    connectorId: integer,
    errorCode: ChargePointErrorCode,
    status: ChargePointStatus,
    info: optional(ciString(50)),
    timestamp: optional(dateTime), // the time of receipt when left out
    vendorId: optional(ciString(255)),
    vendorErrorCode: optional(ciString(50)),
  }),
  confirmation: empty,
})
