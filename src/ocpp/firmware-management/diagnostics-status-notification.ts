import * as v from "valibot"
import { action } from "../action.ts"
import { empty, object } from "../types.ts"

/** How far the upload of diagnostics has come. OCPP 1.6 §4.4. */
export const DiagnosticsStatusNotification = action({
  name: "DiagnosticsStatusNotification",
  from: "charge-point",
  request: object({ status: v.picklist(["Idle", "Uploaded", "UploadFailed", "Uploading"]) }),
  confirmation: empty,
})
