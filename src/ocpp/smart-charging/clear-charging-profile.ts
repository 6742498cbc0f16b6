import * as v from "valibot"
import { action } from "../action.ts"
import { ChargingProfilePurpose, integer, object, optional } from "../types.ts"

/** Removes the profiles that match every field given, or all when none is. OCPP 1.6 §5.5. */
export const ClearChargingProfile = action({
  name: "ClearChargingProfile",
  from: "central-system",
  request: object({
    id: optional(integer), // when given, the other fields are ignored
    connectorId: optional(integer),
    chargingProfilePurpose: optional(ChargingProfilePurpose),
    stackLevel: optional(integer),
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Unknown"]) }),
})
