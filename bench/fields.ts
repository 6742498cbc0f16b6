/** Reads the fields of a request and refuses, with the CALLERROR the standard has for it, what is not there. OCPP-J §4.2.3. */
import type { ChargingProfile } from "./charging-profiles.ts"
import { CallError, isPayload, type Payload } from "./wire.ts"

const wrongType = (field: string, type: string) => new CallError("TypeConstraintViolation", `${field} is no ${type}`)
const missing = (field: string) => new CallError("ProtocolError", `${field} is missing`)

export function optionalText(payload: Payload, field: string): string | undefined {
  const value = payload[field]
  if (value !== undefined && typeof value !== "string") throw wrongType(field, "string")
  return value
}

export function text(payload: Payload, field: string): string {
  const value = optionalText(payload, field)
  if (value === undefined) throw missing(field)
  return value
}

export function optionalInteger(payload: Payload, field: string): number | undefined {
  const value = payload[field]
  if (value === undefined) return undefined
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(field, "integer")
  return value
}

export function integer(payload: Payload, field: string): number {
  const value = optionalInteger(payload, field)
  if (value === undefined) throw missing(field)
  return value
}

export function object(payload: Payload, field: string): Payload {
  const value = payload[field]
  if (value === undefined) throw missing(field)
  if (!isPayload(value)) throw wrongType(field, "object")
  return value
}

/** A list, empty when left out; what its items are is the caller's to know. */
export function list(payload: Payload, field: string): unknown[] {
  const value = payload[field] ?? []
  if (!Array.isArray(value)) throw wrongType(field, "array")
  return value
}

/** A word out of a few; anything else is a PropertyConstraintViolation. */
export function word<W extends string>(payload: Payload, field: string, ...words: W[]): W {
  const value = text(payload, field)
  const found = words.find((one) => one === value)
  if (found === undefined) throw new CallError("PropertyConstraintViolation", `${field} is ${value}`)
  return found
}

/** A charging profile whose parts are all there. OCPP 1.6 §7.8. */
export function chargingProfile(payload: Payload, field: string): ChargingProfile {
  const profile = object(payload, field)
  const schedule = object(profile, "chargingSchedule")
  integer(profile, "chargingProfileId")
  integer(profile, "stackLevel")
  word(profile, "chargingProfilePurpose", "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")
  word(profile, "chargingProfileKind", "Absolute", "Recurring", "Relative")
  word(schedule, "chargingRateUnit", "A", "W")
  for (const period of list(schedule, "chargingSchedulePeriod")) {
    if (!isPayload(period)) throw wrongType("chargingSchedulePeriod", "object")
    integer(period, "startPeriod")
    if (typeof period["limit"] !== "number") throw wrongType("limit", "number")
  }
  return payload[field] as ChargingProfile
}
