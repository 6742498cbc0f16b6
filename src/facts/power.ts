// The power that a reading tells, for the sums over a fleet. OCPP 1.6 §7.31.
import type { SampledValue } from "../ocpp/types.ts"

/** No charge point delivers more; one that says so must not make the sum over its fleet overflow. */
const MAX_POWER_W = 1e9

/**
 * W delivered by the connector as a whole: Power.Active.Import without a phase, else the sum over its phases; null where
 * the reading tells none.
 */
export function powerWOf(sampledValues: readonly SampledValue[]): number | null {
  let only: SampledValue | undefined
  for (const sampled of sampledValues) {
    if (!isDelivered(sampled)) continue
    if (only !== undefined) return summedWOf(sampledValues)
    only = sampled
  }
  // By far the most readings: nothing to choose between, nothing to gather.
  if (only === undefined || (only.phase !== undefined && !isPart(only))) return null
  const watts = wattsOf(only)
  // As the sum that it is: nobody delivers −0 W.
  return isPlausible(watts) ? 0 + watts : null
}

function summedWOf(sampledValues: readonly SampledValue[]): number | null {
  const powers = sampledValues.filter(isDelivered)
  const whole = powers.findLast(({ phase }) => phase === undefined)
  const parts = whole === undefined ? powers.filter(isPart) : [whole]
  const watts = parts.map(wattsOf).filter(isPlausible)
  return watts.length === 0 ? null : watts.reduce((sum, value) => sum + value, 0)
}

/** What a charge point that measures several places gives out to the vehicle. */
const isDelivered = ({ measurand, location }: SampledValue): boolean =>
  measurand === "Power.Active.Import" && (location === undefined || location === "Outlet")

/** One of the phases that make up the whole. */
const isPart = ({ phase }: SampledValue): boolean => /^L[123](-N)?$/.test(phase ?? "")

const isPlausible = (watts: number): boolean => Math.abs(watts) <= MAX_POWER_W

function wattsOf({ value, unit, format }: SampledValue): number {
  if (format === "SignedData" || value.trim() === "") return Number.NaN
  return Number(value) * (unit === "kW" ? 1000 : 1)
}
