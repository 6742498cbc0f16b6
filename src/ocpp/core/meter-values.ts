import * as v from "valibot"
import { action } from "../action.ts"
import { MeterValue, empty, integer, object, optional } from "../types.ts"

/** Readings of a connector's meter, or with 0 of the main meter. OCPP 1.6 §4.7. */
export const MeterValues = action({
  name: "MeterValues",
  from: "charge-point",
  request: object({
    connectorId: integer,
    transactionId: optional(integer),
    meterValue: v.array(MeterValue),
  }),
  confirmation: empty,
})
