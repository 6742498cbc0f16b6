import { action } from "../action.ts"
import { ciString, dateTime, integer, object, optional, uri } from "../types.ts"

/** Asks for diagnostics to be uploaded; an answer without fileName means there are none. OCPP 1.6 §5.9. */
export const GetDiagnostics = action({
  name: "GetDiagnostics",
  from: "central-system",
  request: object({
    location: uri, // the folder to upload to
    retries: optional(integer),
    retryInterval: optional(integer), // s
    startTime: optional(dateTime),
    stopTime: optional(dateTime),
  }),
  confirmation: object({ fileName: optional(ciString(255)) }),
})
