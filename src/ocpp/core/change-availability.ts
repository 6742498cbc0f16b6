import * as v from "valibot"
import { action } from "../action.ts"
import { integer, object } from "../types.ts"

/** Takes a connector, or with 0 the whole Charge Point, in or out of operation. OCPP 1.6 §5.2. */
export const ChangeAvailability = action({
  name: "ChangeAvailability",
  from: "central-system",
  request: object({ connectorId: integer, type: v.picklist(["Inoperative", "Operative"]) }),
  confirmation: object({ status: v.picklist(["Accepted", "Rejected", "Scheduled"]) }),
})
