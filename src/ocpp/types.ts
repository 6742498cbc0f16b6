import * as v from "valibot"
import { isDateTime } from "./date-time.ts"
import { isUri } from "./uri.ts"

// Every restriction stands here twice: as a check for Valibot and, beside it, as the JSON Schema keyword that the compiled
// form is made of. A test holds the two together.

/** Whether a text has at most `max` characters, as JSON Schema counts: one outside the basic plane is one, not two. */
export function fits(text: string, max: number): boolean {
  if (text.length <= max) return true
  if (text.length > 2 * max) return false
  let characters = 0
  for (const _ of text) characters++
  return characters <= max
}

/** Text of at most `max` characters; where the standard says CiString, letter case carries no meaning. OCPP 1.6 §7.15–7.19. */
export const ciString = (max: number) =>
  v.pipe(
    v.string(),
    v.check((text) => fits(text, max), `longer than ${max} characters`),
    v.metadata({ maxLength: max }),
  )

/** Text without a bound. */
export const text = v.string()

/** A whole number. The standard gives it no bounds; see text-only-bounds.ts for those the prose adds. */
export const integer = v.pipe(v.number(), v.integer())

/** Whether a number has at most one decimal digit. Asked of the decimal notation: in binary, 21.4 is no multiple of 0.1. */
export const isTenths = (value: number) => Number.isFinite(value) && Number(value.toFixed(1)) === value

/** A number with at most one decimal digit. OCPP 1.6 §7.13, §7.14. */
export const decimal = v.pipe(
  v.number(),
  v.check(isTenths, "more than one decimal digit"),
  v.metadata({ multipleOf: 0.1 }),
)

/** An instant in ISO 8601. OCPP 1.6 §3.14. What a room above receives always carries a zone. */
export const dateTime = v.pipe(v.string(), v.check(isDateTime, "not a date-time"), v.metadata({ format: "date-time" }))

/** An absolute URI, as the target of an upload or the source of a download. */
export const uri = v.pipe(v.string(), v.check(isUri, "not a URI"), v.metadata({ format: "uri" }))

// To JavaScript a list is an object too, and Valibot follows it; to JSON and OCPP it is not.
const notAList = v.custom<unknown>((value) => !Array.isArray(value), "a list")

/** An object with these fields and no others. OCPP-J errata §3.2. */
export const object = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(notAList, v.strictObject(entries))

/** A field that may be left out; it is then absent, never null or undefined. */
export const optional = <Schema extends v.GenericSchema>(schema: Schema) => v.exactOptional(schema)

/** A list that holds at least one entry. */
export const nonEmptyList = <Schema extends v.GenericSchema>(entry: Schema) => v.pipe(v.array(entry), v.minLength(1))

/** A payload without any field. */
export const empty = object({})

/** OCPP 1.6 §7.28: at most 20 characters of any content, compared without regard to letter case. */
export const idToken = ciString(20)

/** OCPP 1.6 §7.2. */
export const AuthorizationStatus = v.picklist(["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"])
export type AuthorizationStatus = v.InferOutput<typeof AuthorizationStatus>

/** What the Central System knows about an idTag. Without expiryDate it has no end. OCPP 1.6 §7.27. */
export const IdTagInfo = object({
  status: AuthorizationStatus,
  expiryDate: optional(dateTime),
  parentIdTag: optional(idToken),
})
export type IdTagInfo = v.InferOutput<typeof IdTagInfo>

/** One entry of a local authorization list; without idTagInfo a differential update deletes it. OCPP 1.6 §7.1. */
export const AuthorizationData = object({ idTag: idToken, idTagInfo: optional(IdTagInfo) })
export type AuthorizationData = v.InferOutput<typeof AuthorizationData>

/** One configuration key of a Charge Point. OCPP 1.6 §7.29. */
export const KeyValue = object({ key: ciString(50), readonly: v.boolean(), value: optional(ciString(500)) })
export type KeyValue = v.InferOutput<typeof KeyValue>

/** OCPP 1.6 §7.6. */
export const ChargePointErrorCode = v.picklist([
  "ConnectorLockFailure",
  "EVCommunicationError",
  "GroundFailure",
  "HighTemperature",
  "InternalError",
  "LocalListConflict",
  "NoError",
  "OtherError",
  "OverCurrentFailure",
  "OverVoltage",
  "PowerMeterFailure",
  "PowerSwitchFailure",
  "ReaderFailure",
  "ResetFailure",
  "UnderVoltage",
  "WeakSignal",
])
export type ChargePointErrorCode = v.InferOutput<typeof ChargePointErrorCode>

/** The status of a connector; connector 0 knows only Available, Unavailable and Faulted. OCPP 1.6 §7.7. */
export const ChargePointStatus = v.picklist([
  "Available",
  "Preparing",
  "Charging",
  "SuspendedEVSE",
  "SuspendedEV",
  "Finishing",
  "Reserved",
  "Unavailable",
  "Faulted",
])
export type ChargePointStatus = v.InferOutput<typeof ChargePointStatus>

/** Why a transaction ended; Local when left out. OCPP 1.6 §7.36. */
export const Reason = v.picklist([
  "EmergencyStop",
  "EVDisconnected",
  "HardReset",
  "Local",
  "Other",
  "PowerLoss",
  "Reboot",
  "Remote",
  "SoftReset",
  "UnlockCommand",
  "DeAuthorized",
])
export type Reason = v.InferOutput<typeof Reason>

/** Answer of a Charge Point that either does it or does not. */
export const AcceptedOrRejected = v.picklist(["Accepted", "Rejected"])

/** What the installed root certificates of a Charge Point are for. Security white paper §6. */
export const CertificateUse = v.picklist(["CentralSystemRootCertificate", "ManufacturerRootCertificate"])
export type CertificateUse = v.InferOutput<typeof CertificateUse>

/** Names one certificate by hashes (hexadecimal) of its issuer and by its serial number. Security white paper §6.1. */
export const CertificateHashData = object({
  hashAlgorithm: v.picklist(["SHA256", "SHA384", "SHA512"]),
  issuerNameHash: ciString(128),
  issuerKeyHash: ciString(128),
  serialNumber: ciString(40),
})
export type CertificateHashData = v.InferOutput<typeof CertificateHashData>

/** Why a value was sampled; Sample.Periodic when left out. OCPP 1.6 §7.35. */
export const ReadingContext = v.picklist([
  "Interruption.Begin",
  "Interruption.End",
  "Sample.Clock",
  "Sample.Periodic",
  "Transaction.Begin",
  "Transaction.End",
  "Trigger",
  "Other",
])
export type ReadingContext = v.InferOutput<typeof ReadingContext>

/** What was measured; Energy.Active.Import.Register when left out. OCPP 1.6 §7.31. */
export const Measurand = v.picklist([
  "Energy.Active.Export.Register",
  "Energy.Active.Import.Register",
  "Energy.Reactive.Export.Register",
  "Energy.Reactive.Import.Register",
  "Energy.Active.Export.Interval",
  "Energy.Active.Import.Interval",
  "Energy.Reactive.Export.Interval",
  "Energy.Reactive.Import.Interval",
  "Power.Active.Export",
  "Power.Active.Import",
  "Power.Offered",
  "Power.Reactive.Export",
  "Power.Reactive.Import",
  "Power.Factor",
  "Current.Import",
  "Current.Export",
  "Current.Offered",
  "Voltage",
  "Frequency",
  "Temperature",
  "SoC",
  "RPM",
])
export type Measurand = v.InferOutput<typeof Measurand>

/** Which phase; the whole of all phases when left out. OCPP 1.6 §7.34. */
export const Phase = v.picklist(["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"])
export type Phase = v.InferOutput<typeof Phase>

/** Where it was measured; Outlet when left out. OCPP 1.6 §7.30. */
export const Location = v.picklist(["Cable", "EV", "Inlet", "Outlet", "Body"])
export type Location = v.InferOutput<typeof Location>

/** Unit of the value; Wh when left out and energy is meant. Celcius is the standard's first spelling. OCPP 1.6 §7.45. */
export const UnitOfMeasure = v.picklist([
  "Wh",
  "kWh",
  "varh",
  "kvarh",
  "W",
  "kW",
  "VA",
  "kVA",
  "var",
  "kvar",
  "A",
  "V",
  "K",
  "Celcius",
  "Celsius",
  "Fahrenheit",
  "Percent",
])
export type UnitOfMeasure = v.InferOutput<typeof UnitOfMeasure>

/** Plain decimal text, or a signed binary block; Raw when left out. OCPP 1.6 §7.50. */
export const ValueFormat = v.picklist(["Raw", "SignedData"])
export type ValueFormat = v.InferOutput<typeof ValueFormat>

/** One value of one meter. Every field but the value has a default. OCPP 1.6 §7.43. */
export const SampledValue = object({
  value: text,
  context: optional(ReadingContext),
  format: optional(ValueFormat),
  measurand: optional(Measurand),
  phase: optional(Phase),
  location: optional(Location),
  unit: optional(UnitOfMeasure),
})
export type SampledValue = v.InferOutput<typeof SampledValue>

/** The values sampled at one instant. OCPP 1.6 §7.33. */
export const MeterValue = object({ timestamp: dateTime, sampledValue: v.array(SampledValue) })
export type MeterValue = v.InferOutput<typeof MeterValue>

/** What a profile limits: the whole Charge Point, any transaction, or one. OCPP 1.6 §7.10, §3.13.1. */
export const ChargingProfilePurpose = v.picklist(["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"])
export type ChargingProfilePurpose = v.InferOutput<typeof ChargingProfilePurpose>

/** Absolute and Recurring need startSchedule; Relative starts with the transaction. OCPP 1.6 §7.9. */
export const ChargingProfileKind = v.picklist(["Absolute", "Recurring", "Relative"])
export type ChargingProfileKind = v.InferOutput<typeof ChargingProfileKind>

/** Only with kind Recurring. OCPP 1.6 §7.37. */
export const RecurrencyKind = v.picklist(["Daily", "Weekly"])
export type RecurrencyKind = v.InferOutput<typeof RecurrencyKind>

/** A is per phase, W is the total. OCPP 1.6 §7.12. */
export const ChargingRateUnit = v.picklist(["A", "W"])
export type ChargingRateUnit = v.InferOutput<typeof ChargingRateUnit>

/** From `startPeriod` (s after the schedule's start) on, the limit in the schedule's unit. OCPP 1.6 §7.14. */
export const ChargingSchedulePeriod = object({
  startPeriod: integer, // s
  limit: decimal,
  numberPhases: optional(integer), // 3 when left out
})
export type ChargingSchedulePeriod = v.InferOutput<typeof ChargingSchedulePeriod>

/** Limits over time; the last period lasts until the duration ends, or for ever without one. OCPP 1.6 §7.13. */
export const ChargingSchedule = object({
  duration: optional(integer), // s
  startSchedule: optional(dateTime),
  chargingRateUnit: ChargingRateUnit,
  chargingSchedulePeriod: v.array(ChargingSchedulePeriod),
  minChargingRate: optional(decimal),
})
export type ChargingSchedule = v.InferOutput<typeof ChargingSchedule>

/** A schedule with its purpose, its place in the stack and its validity. OCPP 1.6 §7.8. */
export const ChargingProfile = object({
  chargingProfileId: integer,
  transactionId: optional(integer),
  stackLevel: integer,
  chargingProfilePurpose: ChargingProfilePurpose,
  chargingProfileKind: ChargingProfileKind,
  recurrencyKind: optional(RecurrencyKind),
  validFrom: optional(dateTime),
  validTo: optional(dateTime),
  chargingSchedule: ChargingSchedule,
})
export type ChargingProfile = v.InferOutput<typeof ChargingProfile>
