import * as v from "valibot"
import { action } from "../action.ts"
import { integer, object, optional } from "../types.ts"

/** Asks the Charge Point to send a message it could have sent by itself. OCPP 1.6 §5.17. */
export const TriggerMessage = action({
  name: "TriggerMessage",
  from: "central-system",
  request: object({
    requestedMessage: v.picklist([
      "BootNotification",
      "DiagnosticsStatusNotification",
      "FirmwareStatusNotification",
      "Heartbeat",
      "MeterValues",
      "StatusNotification",
    ]),
    connectorId: optional(integer), // all of them when left out
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Rejected", "NotImplemented"]) }),
})
