import * as v from "valibot"
import { action } from "../action.ts"
import { AcceptedOrRejected, object } from "../types.ts"

/** Restarts the Charge Point: Soft ends transactions first, Hard need not. OCPP 1.6 §5.14. */
export const Reset = action({
  name: "Reset",
  from: "central-system",
  request: object({ type: v.picklist(["Hard", "Soft"]) }),
  confirmation: object({ status: AcceptedOrRejected }),
})
