import * as v from "valibot"
import { action } from "../action.ts"
import { integer, object, optional } from "../types.ts"

/** TriggerMessage with the messages of the security extension. OCPP 1.6 security white paper §5.5. */
export const ExtendedTriggerMessage = action({
  name: "ExtendedTriggerMessage",
  from: "central-system",
  request: object({
    requestedMessage: v.picklist([
      "BootNotification",
      "LogStatusNotification",
      "FirmwareStatusNotification", // here the signed one
      "Heartbeat",
      "MeterValues",
      "SignChargePointCertificate",
      "StatusNotification",
    ]),
    connectorId: optional(integer),
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Rejected", "NotImplemented"]) }),
})
