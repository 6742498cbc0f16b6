import { action } from "../action.ts"
import {
  AcceptedOrRejected,
  ChargingRateUnit,
  ChargingSchedule,
  dateTime,
  integer,
  object,
  optional,
} from "../types.ts"

/** Asks what limits will hold for the next `duration` seconds, all profiles together. OCPP 1.6 §5.7. */
export const GetCompositeSchedule = action({
  name: "GetCompositeSchedule",
  from: "central-system",
  request: object({
    connectorId: integer, // 0: the grid connection
    duration: integer, // s, from receipt
    chargingRateUnit: optional(ChargingRateUnit),
  }),
  confirmation: object({
    status: AcceptedOrRejected,
    connectorId: optional(integer),
    scheduleStart: optional(dateTime), // the periods count from here
    chargingSchedule: optional(ChargingSchedule),
  }),
})
