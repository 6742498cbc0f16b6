import { action } from "../action.ts"
import { empty, integer, object } from "../types.ts"

/** Asks for the version of the local list: 0 is an empty list, −1 none at all. OCPP 1.6 §5.10. */
export const GetLocalListVersion = action({
  name: "GetLocalListVersion",
  from: "central-system",
  request: empty,
  confirmation: object({ listVersion: integer }),
})
