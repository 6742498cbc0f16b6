/** A bound that the prose of the standard has and the official JSON schemas lack. */
export interface TextOnlyBound {
  /** As the standard names messages: `StartTransaction.req`. */
  readonly message: string
  /** Field names from the payload down; "[]" stands for every entry of a list. */
  readonly path: readonly string[]
  /** The least value of a number. Below it: PropertyConstraintViolation. */
  readonly minimum?: number
  /** The least length of a list. Below it: OccurenceConstraintViolation. */
  readonly minItems?: number
  readonly clause: string
}

/** All that `strict` refuses beyond the official schemas, and nothing else. Only what a Charge Point sends is bound. */
export const textOnlyBounds: readonly TextOnlyBound[] = [
  { message: "StartTransaction.req", path: ["connectorId"], minimum: 1, clause: "OCPP 1.6 §6.45: connectorId > 0" },
  { message: "StatusNotification.req", path: ["connectorId"], minimum: 0, clause: "OCPP 1.6 §6.47: connectorId >= 0" },
  { message: "MeterValues.req", path: ["connectorId"], minimum: 0, clause: "OCPP 1.6 §6.31: connectorId >= 0" },
  { message: "MeterValues.req", path: ["meterValue"], minItems: 1, clause: "OCPP 1.6 §6.31: meterValue 1..*" },
  {
    message: "MeterValues.req",
    path: ["meterValue", "[]", "sampledValue"],
    minItems: 1,
    clause: "OCPP 1.6 §7.33: sampledValue 1..*",
  },
  {
    message: "StopTransaction.req",
    path: ["transactionData", "[]", "sampledValue"],
    minItems: 1,
    clause: "OCPP 1.6 §7.33: sampledValue 1..*",
  },
  {
    message: "GetCompositeSchedule.conf",
    path: ["chargingSchedule", "chargingSchedulePeriod"],
    minItems: 1,
    clause: "OCPP 1.6 §7.13: chargingSchedulePeriod 1..*",
  },
]
