import * as v from "valibot"
import { action } from "../action.ts"
import { empty, integer, object, optional } from "../types.ts"

/** How far the upload of a log has come. OCPP 1.6 security white paper, use case N01. */
export const LogStatusNotification = action({
  name: "LogStatusNotification",
  from: "charge-point",
  request: object({
    status: v.picklist([
      "BadMessage",
      "Idle",
      "NotSupportedOperation",
      "PermissionDenied",
      "Uploaded",
      "UploadFailure",
      "Uploading",
    ]),
    requestId: optional(integer),
  }),
  confirmation: empty,
})
