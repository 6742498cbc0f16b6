import { action } from "../action.ts"
import { AcceptedOrRejected, empty, object } from "../types.ts"

/** Empties the Charge Point's authorization cache. OCPP 1.6 §5.4. */
export const ClearCache = action({
  name: "ClearCache",
  from: "central-system",
  request: empty,
  confirmation: object({ status: AcceptedOrRejected }),
})
