import * as v from "valibot"
import { action } from "../action.ts"
import { AuthorizationData, integer, object, optional } from "../types.ts"

/** Replaces or updates the list of idTags a Charge Point may accept by itself. OCPP 1.6 §5.15. */
export const SendLocalList = action({
  name: "SendLocalList",
  from: "central-system",
  request: object({
    listVersion: integer, // of the list after this update; neither 0 nor −1
    updateType: v.picklist(["Differential", "Full"]),
    localAuthorizationList: optional(v.array(AuthorizationData)),
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Failed", "NotSupported", "VersionMismatch"]) }),
})
