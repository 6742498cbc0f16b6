import * as v from "valibot"
import { action } from "../action.ts"
import { ChargingProfile, integer, object } from "../types.ts"

/** Installs one charging profile on a connector, or with 0 on the Charge Point. OCPP 1.6 §5.16. */
export const SetChargingProfile = action({
  name: "SetChargingProfile",
  from: "central-system",
  request: object({
    connectorId: integer,
    csChargingProfiles: ChargingProfile, // one, whatever the name says
  }),
  confirmation: object({ status: v.picklist(["Accepted", "Rejected", "NotSupported"]) }),
})
