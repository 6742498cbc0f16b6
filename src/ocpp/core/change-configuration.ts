import * as v from "valibot"
import { action } from "../action.ts"
import { ciString, object } from "../types.ts"

/** Sets one configuration key; the value is always text. OCPP 1.6 §5.3. */
export const ChangeConfiguration = action({
  name: "ChangeConfiguration",
  from: "central-system",
  request: object({ key: ciString(50), value: ciString(500) }),
  confirmation: object({ status: v.picklist(["Accepted", "Rejected", "RebootRequired", "NotSupported"]) }),
})
