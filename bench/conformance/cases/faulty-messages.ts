/** Faulty messages of charge points, and what each level makes of them. */
import { another, answered, BOOT, bootOf, code } from "../further-charge-point.ts"
import { check } from "../stage.ts"
import type { Stage } from "../stage.ts"
import { idTagStatus } from "../states.ts"

/** A faulty message and what each level makes of it: the code of a CALLERROR, or `CALLRESULT`. */
interface Fault {
  what: string
  action: string
  payload: unknown
  strict: string
  tolerant: string
  /** Of a CALLRESULT, or of its idTagInfo. */
  status?: string
}

/** The least that a MeterValue can be. */
export const METER_VALUE = { timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: "1" }] }

const FAULTS: readonly Fault[] = [
  {
    what: "a required field is missing",
    action: "Authorize",
    payload: {},
    strict: "ProtocolError",
    tolerant: "ProtocolError",
  },
  {
    what: "a number where a string is due",
    action: "Authorize",
    payload: { idTag: 12345678 },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
    status: "Invalid",
  },
  {
    what: "an object where a string is due",
    action: "Authorize",
    payload: { idTag: { value: "A" } },
    strict: "TypeConstraintViolation",
    tolerant: "TypeConstraintViolation",
  },
  {
    what: "a string where an integer is due",
    action: "StatusNotification",
    payload: { connectorId: "1", errorCode: "NoError", status: "Available" },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an unknown enum word in a descriptive field",
    action: "StatusNotification",
    payload: { connectorId: 1, errorCode: "Error", status: "Available" },
    strict: "PropertyConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an additional field",
    action: "Heartbeat",
    payload: { extra: true },
    strict: "FormationViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "a free text that is too long",
    action: "BootNotification",
    payload: { ...BOOT, chargePointSerialNumber: "S".repeat(33) },
    strict: "PropertyConstraintViolation",
    tolerant: "CALLRESULT",
    status: "Accepted",
  },
  {
    what: "a list that must not be empty",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [] },
    strict: "OccurenceConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an object where a list is due",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: METER_VALUE },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    // The official schema's date-time leaves the zone open.
    what: "a timestamp without its zone",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [{ ...METER_VALUE, timestamp: "2026-01-01T00:00:00" }] },
    strict: "CALLRESULT",
    tolerant: "CALLRESULT",
  },
  {
    what: "a timestamp that is none",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [{ ...METER_VALUE, timestamp: "yesterday" }] },
    strict: "PropertyConstraintViolation",
    tolerant: "PropertyConstraintViolation",
  },
  {
    what: "a payload that is a list",
    action: "Heartbeat",
    payload: ["not", "an", "object"],
    strict: "FormationViolation",
    tolerant: "FormationViolation",
  },
]

/** Sends each of them, and in the end something proper: the connection must have stayed open. */
export async function sendFaultyMessages(stage: Stage, leniency: "strict" | "tolerant"): Promise<void> {
  const chargePoint = await another(stage, leniency, { leniency: leniency.toUpperCase() })
  await bootOf(chargePoint)
  for (const fault of FAULTS) {
    const reply = await chargePoint.provoke(fault.action, fault.payload)
    check(code(reply) === fault[leniency], `${fault.what}: ${code(reply)}, not ${fault[leniency]}`)
    if (fault.status === undefined || !("payload" in reply)) continue
    const told = reply.payload["status"] ?? idTagStatus(reply.payload)
    check(told === fault.status, `${fault.what}: ${String(told)} was told, not ${fault.status}`)
  }
  answered(await chargePoint.provoke("Heartbeat", {}))
}
