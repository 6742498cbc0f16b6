import * as v from "valibot"
import { action } from "../action.ts"
import { empty, object } from "../types.ts"

/** How far a firmware update has come. OCPP 1.6 §4.5. */
export const FirmwareStatusNotification = action({
  name: "FirmwareStatusNotification",
  from: "charge-point",
  request: object({
    status: v.picklist([
      "Downloaded",
      "DownloadFailed",
      "Downloading",
      "Idle",
      "InstallationFailed",
      "Installing",
      "Installed",
    ]),
  }),
  confirmation: empty,
})
