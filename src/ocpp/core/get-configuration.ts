import * as v from "valibot"
import { action } from "../action.ts"
import { KeyValue, ciString, object, optional } from "../types.ts"

/** Asks for the named configuration keys, or for all when none is named. OCPP 1.6 §5.8. */
export const GetConfiguration = action({
  name: "GetConfiguration",
  from: "central-system",
  request: object({ key: optional(v.array(ciString(50))) }),
  confirmation: object({ configurationKey: optional(v.array(KeyValue)), unknownKey: optional(v.array(ciString(50))) }),
})
