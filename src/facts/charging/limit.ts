/** Limits in amperes and in watts, and what it takes to hold one against another. OCPP 1.6 §7.12–7.14. */
import type { ChargingRateUnit } from "../../ocpp/types.ts"

/** What may be drawn: A per phase, or W in total, on at most so many phases. */
export interface Limit {
  limit: number
  unit: ChargingRateUnit
  numberPhases: number
}

/** What the operator states of a charge point's supply. */
export interface Supply {
  /** V, phase to neutral. */
  voltageV: number
  phases: number
}

/** A and W cannot be held against each other: the charge point's voltage or phases are not stated. */
export class CannotCompare extends Error {
  override readonly name = "CannotCompare"

  constructor() {
    super("cannot compare amperes with watts: the charge point's voltageV and phases are not both stated")
  }
}

/** The limit in this unit when so many phases are used. @throws CannotCompare */
export function inUnit(
  { limit, unit }: Limit,
  wanted: ChargingRateUnit,
  phases: number,
  supply: Supply | null,
): number {
  if (unit === wanted) return limit
  if (supply === null) throw new CannotCompare()
  return unit === "A" ? limit * supply.voltageV * phases : limit / (supply.voltageV * phases)
}

/** At most one decimal digit, and never more than what was meant. */
export function inTenths(limit: number): number {
  // What is a whole number of tenths but for binary arithmetic is that number.
  return Math.floor(limit * 10 + 1e-6) / 10
}
