// The power that a reading tells, for the sums over a fleet. OCPP 1.6 §7.31.
import type { SampledValue } from "../ocpp/types.ts"

/** No charge point delivers more; one that says so must not make the sum over its fleet overflow. */
const MAX_POWER_W = 1e9

/**
 * W delivered by the connector as a whole: Power.Active.Import without a phase, else the sum over its phases; null where
 * the reading tells none.
 */
export function powerWOf(sampledValues: readonly SampledValue[]): number | null {
  const powers = sampledValues.filter(isDelivered)
  if (powers.length === 0) return null
  const whole = powers.findLast(({ phase }) => phase === undefined)
  const parts = whole === undefined ? powers.filter(({ phase }) => /^L[123](-N)?$/.test(phase ?? "")) : [whole]
  const watts = parts.map(wattsOf).filter((value) => Math.abs(value) <= MAX_POWER_W)
  return watts.length === 0 ? null : watts.reduce((sum, value) => sum + value, 0)
}

/** What a charge point that measures several places gives out to the vehicle. */
const isDelivered = ({ measurand, location }: SampledValue): boolean =>
  measurand === "Power.Active.Import" && (location === undefined || location === "Outlet")

function wattsOf({ value, unit, format }: SampledValue): number {
  if (format === "SignedData" || value.trim() === "") return Number.NaN
  return Number(value) * (unit === "kW" ? 1000 : 1)
}
