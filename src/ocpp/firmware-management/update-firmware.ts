import { action } from "../action.ts"
import { dateTime, empty, integer, object, optional, uri } from "../types.ts"

/** Where new firmware is, and the earliest moment to fetch it. OCPP 1.6 §5.19. */
export const UpdateFirmware = action({
  name: "UpdateFirmware",
  from: "central-system",
  request: object({
    location: uri,
    retrieveDate: dateTime,
    retries: optional(integer),
    retryInterval: optional(integer), // s
  }),
  confirmation: empty,
})
