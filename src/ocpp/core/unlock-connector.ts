import * as v from "valibot"
import { action } from "../action.ts"
import { integer, object } from "../types.ts"

/** Releases a cable that is stuck; not meant for ending transactions. OCPP 1.6 §5.18. */
export const UnlockConnector = action({
  name: "UnlockConnector",
  from: "central-system",
  request: object({ connectorId: integer }),
  confirmation: object({ status: v.picklist(["Unlocked", "UnlockFailed", "NotSupported"]) }),
})
