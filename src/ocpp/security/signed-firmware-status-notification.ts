import * as v from "valibot"
import { action } from "../action.ts"
import { empty, integer, object, optional } from "../types.ts"

/** How far a signed firmware update has come. OCPP 1.6 security white paper, use case L01. */
export const SignedFirmwareStatusNotification = action({
  name: "SignedFirmwareStatusNotification",
  from: "charge-point",
  request: object({
    status: v.picklist([
      "Downloaded",
      "DownloadFailed",
      "Downloading",
      "DownloadScheduled",
      "DownloadPaused",
      "Idle",
      "InstallationFailed",
      "Installing",
      "Installed",
      "InstallRebooting",
      "InstallScheduled",
      "InstallVerificationFailed",
      "InvalidSignature",
      "SignatureVerified",
    ]),
    requestId: optional(integer), // absent only when Idle
  }),
  confirmation: empty,
})
