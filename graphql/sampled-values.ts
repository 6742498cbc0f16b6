import type { MeterValueRow } from "../src/facts/rows.ts"
import type { SampledValue } from "../src/ocpp/types.ts"

/** The values of a reading with the standard's defaults filled in. OCPP 1.6 §7.43. */
export function sampledValuesOf({ sampledValues }: MeterValueRow): SampledValue[] {
  const reported: SampledValue[] = JSON.parse(sampledValues)
  return reported.map((value) => withDefaults(value))
}

/** The unit has a default only where energy is meant. */
function withDefaults(reported: SampledValue): SampledValue {
  const measurand = reported.measurand ?? "Energy.Active.Import.Register"
  const unit = reported.unit ?? (measurand.startsWith("Energy.") ? "Wh" : undefined)
  return {
    ...reported,
    measurand,
    context: reported.context ?? "Sample.Periodic",
    location: reported.location ?? "Outlet",
    format: reported.format ?? "Raw",
    ...(unit && { unit }),
  }
}

/** The value as a number, where it is written as one. */
export function numericValueOf({ value, format }: SampledValue): number | null {
  const number = format === "SignedData" || !/\d/.test(value) ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : null
}
