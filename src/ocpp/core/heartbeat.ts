import { action } from "../action.ts"
import { dateTime, empty, object } from "../types.ts"

/** Says that the Charge Point is alive, and asks what time it is. OCPP 1.6 §4.6. */
export const Heartbeat = action({
  name: "Heartbeat",
  from: "charge-point",
  request: empty,
  confirmation: object({ currentTime: dateTime }),
})
