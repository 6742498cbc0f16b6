/** The power that a reading tells, for the sums over a fleet. */

/** As much of a SampledValue as matters here. OCPP 1.6 §7.43. */
interface Sample {
  value: string
  measurand?: string
  phase?: string
  location?: string
  unit?: string
  format?: string
}

/** No charge point delivers more; one that says so must not make the sum over its fleet overflow. */
const MAX_POWER_W = 1e9

/** What a charge point that measures several places gives out to the vehicle. */
const isDelivered = ({ location }: Sample): boolean => location === undefined || location === "Outlet"

/**
 * W delivered by the connector as a whole: Power.Active.Import without a phase, else the sum over its phases; null where
 * the reading tells none. `sampledValues` is the JSON of a stored reading, defaults left out. OCPP 1.6 §7.31.
 */
export function powerOf(sampledValues: string): number | null {
  if (!sampledValues.includes("Power.Active.Import")) return null
  const samples: Sample[] = JSON.parse(sampledValues)
  const powers = samples.filter((sample) => sample.measurand === "Power.Active.Import" && isDelivered(sample))
  const whole = powers.findLast(({ phase }) => phase === undefined)
  const parts =
    whole === undefined ? powers.filter(({ phase }) => phase === undefined || /^L[123](-N)?$/.test(phase)) : [whole]
  const watts = parts.map(wattsOf).filter((value) => Math.abs(value) <= MAX_POWER_W)
  return watts.length === 0 ? null : watts.reduce((sum, value) => sum + value, 0)
}

function wattsOf({ value, unit, format }: Sample): number {
  if (format === "SignedData" || value.trim() === "") return Number.NaN
  return Number(value) * (unit === "kW" ? 1000 : 1)
}
