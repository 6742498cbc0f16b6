import * as v from "valibot"
import { action } from "../action.ts"
import { ciString, dateTime, integer, object, optional } from "../types.ts"

/** Asks for a diagnostics or security log to be uploaded. OCPP 1.6 security white paper, use case N01. */
export const GetLog = action({
  name: "GetLog",
  from: "central-system",
  request: object({
    logType: v.picklist(["DiagnosticsLog", "SecurityLog"]),
    requestId: integer,
    log: object({
      remoteLocation: ciString(512),
      oldestTimestamp: optional(dateTime),
      latestTimestamp: optional(dateTime),
    }),
    retries: optional(integer),
    retryInterval: optional(integer), // s
  }),
  confirmation: object({
    status: v.picklist(["Accepted", "Rejected", "AcceptedCanceled"]), // AcceptedCanceled: in place of a running upload
    filename: optional(ciString(255)),
  }),
})
