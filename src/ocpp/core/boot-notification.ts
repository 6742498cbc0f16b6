import * as v from "valibot"
import { action } from "../action.ts"
import { ciString, dateTime, integer, object, optional } from "../types.ts"

/** Whether the Charge Point takes part. OCPP 1.6 §7.38. */
export const RegistrationStatus = v.picklist(["Accepted", "Pending", "Rejected"])
export type RegistrationStatus = v.InferOutput<typeof RegistrationStatus>

/** After every (re)boot the Charge Point introduces itself and asks to be let in. OCPP 1.6 §4.2. */
export const BootNotification = action({
  name: "BootNotification",
  from: "charge-point",
  request: object({
    chargePointVendor: ciString(20),
    chargePointModel: ciString(20),
    chargePointSerialNumber: optional(ciString(25)),
    chargeBoxSerialNumber: optional(ciString(25)), // deprecated
    firmwareVersion: optional(ciString(50)),
    iccid: optional(ciString(20)),
    imsi: optional(ciString(20)),
    meterType: optional(ciString(25)),
    meterSerialNumber: optional(ciString(25)),
  }),
  confirmation: object({
    status: RegistrationStatus,
    currentTime: dateTime,
    interval: integer, // s: the heartbeat if Accepted, else the wait before asking again
  }),
})
