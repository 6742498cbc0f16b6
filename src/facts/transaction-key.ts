// How a message that a charge point says twice is known for the same. The standard has no word on repetitions.
import type { RequestOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"
import type { MeterValue, SampledValue } from "../ocpp/types.ts"
import type { Reading } from "./catalogue.ts"
import { registerWhOf } from "./energy.ts"
import { idTagKeyOf } from "./id-tags.ts"
import { instantOf, isClockSet } from "./instants.ts"
import { powerWOf } from "./power.ts"

/** 16 hex digits that stand for a text, the same on every node and after every restart. */
export function digestOf(text: string): string {
  const digits = Bun.hash.xxHash64(text).toString(16)
  return digits.length === 16 ? digits : digits.padStart(16, "0")
}

/**
 * What makes a StartTransaction the same one when it comes again, also under another message id: connector, idTag,
 * instant (epoch ms) and meterStart. While the clock is not set every start looks alike; then the message id tells.
 */
export function startKeyOf(
  request: RequestOf<FromChargePoint["StartTransaction"]>,
  startedAt: number,
  uniqueId: string,
): string {
  const parts = [request.connectorId, startedAt, request.meterStart, boundedKey(idTagKeyOf(request.idTag))]
  return (isClockSet(startedAt) ? parts : [...parts, boundedKey(uniqueId)]).join("|")
}

/** Texts from outside may be of any length and hold what SQL cannot; a key that lies in an index may not. */
const boundedKey = (text: string) => (text.length <= 64 && text.isWellFormed() ? text : digestOf(text))

/**
 * The MeterValues of one message, ready to be stored. `transactionId` is the one that the message names, or null.
 * StopTransaction names no connector: there it is 0, and the rule puts that of the transaction in its place.
 */
export const readingsOf = (
  meterValues: readonly MeterValue[],
  { connectorId, transactionId }: { connectorId: number; transactionId: number | null },
): Reading[] =>
  meterValues.map(({ timestamp, sampledValue }) => {
    const at = instantOf(timestamp)
    const sampledValues = JSON.stringify(sampledValue.map(withoutDefaults))
    const digest = readingDigest({ at, sampledValues }, connectorId, transactionId)
    return { digest, at, sampledValues, registerWh: registerWhOf(sampledValue), powerW: powerWOf(sampledValue) }
  })

/** Names a reading by connector, transaction as the message names it, instant and content. */
export const readingDigest = (
  { at, sampledValues }: Pick<Reading, "at" | "sampledValues">,
  connectorId: number,
  transactionId: number | null,
): string => digestOf(`${connectorId}|${transactionId}|${at}|${sampledValues}`)

/** One spelling for what the standard makes equal: its defaults left out, fields in one order. OCPP 1.6 §7.43. */
function withoutDefaults({ value, context, format, measurand, phase, location, unit }: SampledValue): {
  [Field in keyof SampledValue]: SampledValue[Field] | undefined
} {
  const isEnergy = measurand === undefined || measurand.startsWith("Energy.")
  // Written out, because every reading comes through here: what is undefined does not show in its JSON.
  return {
    value,
    context: context === "Sample.Periodic" ? undefined : context,
    format: format === "Raw" ? undefined : format,
    measurand: measurand === "Energy.Active.Import.Register" ? undefined : measurand,
    phase,
    location: location === "Outlet" ? undefined : location,
    unit: isEnergy && unit === "Wh" ? undefined : unit,
  }
}
