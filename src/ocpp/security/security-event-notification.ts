import { action } from "../action.ts"
import { ciString, dateTime, empty, object, optional } from "../types.ts"

/** Something happened that matters for security; may be about the past. OCPP 1.6 security white paper, use case A04. */
export const SecurityEventNotification = action({
  name: "SecurityEventNotification",
  from: "charge-point",
  request: object({
    type: ciString(50), // an open list of names
    timestamp: dateTime,
    techInfo: optional(ciString(255)),
  }),
  confirmation: empty,
})
