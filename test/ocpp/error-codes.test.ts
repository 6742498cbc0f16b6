import { describe, expect, test } from "bun:test"
import { OcppError, ocppErrorCodes, readErrorCode, type OcppErrorCode } from "../../src/ocpp/errors.ts"
import { textOnlyBounds } from "../../src/ocpp/text-only-bounds.ts"
import { checkOutbound, readConfirmation, readRequest } from "../../src/ocpp/validate.ts"
import { isOfficial } from "./official.ts"

const timestamp = "2026-03-01T10:00:00Z"
const start = { connectorId: 1, idTag: "04A1", meterStart: 1200, timestamp }
const status = { connectorId: 1, errorCode: "NoError", status: "Available" }
const boot = { chargePointVendor: "Vendor", chargePointModel: "Model" }
const readings = (sampledValue: unknown) => ({ connectorId: 1, meterValue: [{ timestamp, sampledValue }] })
const long = "x".repeat(26)

interface Case {
  readonly what: string
  readonly action: string
  readonly payload: unknown
  readonly strict: OcppErrorCode
  /** Where the description points. */
  readonly at: string
  /** What a tolerant Central System makes of it: the request it understands, or the same refusal. */
  readonly tolerant: object | "refused"
  readonly deviations?: string[]
}

const cases: Case[] = [
  {
    what: "a missing required field",
    action: "StartTransaction",
    payload: { connectorId: 1, meterStart: 1200, timestamp },
    strict: "ProtocolError",
    at: "idTag",
    tolerant: "refused",
  },
  {
    what: "a missing field deep inside",
    action: "MeterValues",
    payload: readings([{ value: "1" }, { unit: "Wh" }]),
    strict: "ProtocolError",
    at: "meterValue[0].sampledValue[1].value",
    tolerant: readings([{ value: "1" }]),
    deviations: ["unreadable-entry"],
  },
  {
    what: "readings of which none has a value",
    action: "MeterValues",
    payload: readings([{ unit: "Wh" }]),
    strict: "ProtocolError",
    at: "meterValue[0].sampledValue[0].value",
    tolerant: "refused",
  },
  {
    what: "an extra field",
    action: "Heartbeat",
    payload: { uptime: 12 },
    strict: "FormationViolation",
    at: "uptime",
    tolerant: {},
    deviations: ["extra-field"],
  },
  {
    what: "an extra field deep inside",
    action: "MeterValues",
    payload: readings([{ value: "1", phases: 3 }]),
    strict: "FormationViolation",
    at: "meterValue[0].sampledValue[0].phases",
    tolerant: readings([{ value: "1" }]),
    deviations: ["extra-field"],
  },
  {
    what: "a payload that is a list",
    action: "Heartbeat",
    payload: [],
    strict: "FormationViolation",
    at: "",
    tolerant: "refused",
  },
  {
    what: "a payload that is a string",
    action: "BootNotification",
    payload: "hello",
    strict: "FormationViolation",
    at: "",
    tolerant: "refused",
  },
  {
    what: "a number where a string is due",
    action: "StartTransaction",
    payload: { ...start, idTag: 1234 },
    strict: "TypeConstraintViolation",
    at: "idTag",
    tolerant: { ...start, idTag: "1234" },
    deviations: ["wrong-type"],
  },
  {
    what: "a string where a number is due",
    action: "StartTransaction",
    payload: { ...start, meterStart: "1200" },
    strict: "TypeConstraintViolation",
    at: "meterStart",
    tolerant: start,
    deviations: ["wrong-type"],
  },
  {
    what: "a string that is no number where a number is due",
    action: "StartTransaction",
    payload: { ...start, meterStart: "twelve" },
    strict: "TypeConstraintViolation",
    at: "meterStart",
    tolerant: "refused",
  },
  {
    what: "a fraction where a whole number is due",
    action: "StartTransaction",
    payload: { ...start, meterStart: 1200.4 },
    strict: "TypeConstraintViolation",
    at: "meterStart",
    tolerant: start,
    deviations: ["rounded"],
  },
  {
    what: "a connector that is not a whole number",
    action: "StartTransaction",
    payload: { ...start, connectorId: 1.5 },
    strict: "TypeConstraintViolation",
    at: "connectorId",
    tolerant: "refused",
  },
  {
    what: "null in a required field",
    action: "StartTransaction",
    payload: { ...start, idTag: null },
    strict: "TypeConstraintViolation",
    at: "idTag",
    tolerant: "refused",
  },
  {
    what: "null in an optional field",
    action: "StartTransaction",
    payload: { ...start, reservationId: null },
    strict: "TypeConstraintViolation",
    at: "reservationId",
    tolerant: start,
    deviations: ["empty-field"],
  },
  {
    what: "an object where a list is due",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: { timestamp, sampledValue: [{ value: "1" }] } },
    strict: "TypeConstraintViolation",
    at: "meterValue",
    tolerant: readings([{ value: "1" }]),
    deviations: ["not-a-list"],
  },
  {
    what: "a list where an object is due",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [[{ timestamp, sampledValue: [{ value: "1" }] }]] },
    strict: "TypeConstraintViolation",
    at: "meterValue[0]",
    tolerant: readings([{ value: "1" }]),
    deviations: ["not-a-list"],
  },
  {
    what: "an unknown status",
    action: "StatusNotification",
    payload: { ...status, status: "Resting" },
    strict: "PropertyConstraintViolation",
    at: "status",
    tolerant: "refused",
  },
  {
    what: "an unknown errorCode",
    action: "StatusNotification",
    payload: { ...status, errorCode: "Error" },
    strict: "PropertyConstraintViolation",
    at: "errorCode",
    tolerant: { ...status, errorCode: "OtherError" },
    deviations: ["misspelled-word"],
  },
  {
    what: "a number where a word is due",
    action: "StatusNotification",
    payload: { ...status, status: 3 },
    strict: "TypeConstraintViolation",
    at: "status",
    tolerant: "refused",
  },
  {
    what: "a text that is too long",
    action: "BootNotification",
    payload: { ...boot, chargeBoxSerialNumber: long },
    strict: "PropertyConstraintViolation",
    at: "chargeBoxSerialNumber",
    tolerant: { ...boot, chargeBoxSerialNumber: long },
    deviations: ["too-long"],
  },
  {
    what: "an idTag that is too long",
    action: "Authorize",
    payload: { idTag: long },
    strict: "PropertyConstraintViolation",
    at: "idTag",
    tolerant: { idTag: long },
    deviations: ["too-long"],
  },
  {
    what: "an instant that is none",
    action: "StartTransaction",
    payload: { ...start, timestamp: "2026-02-30T10:00:00Z" },
    strict: "PropertyConstraintViolation",
    at: "timestamp",
    tolerant: "refused",
  },
  {
    what: "an optional instant that is none",
    action: "StatusNotification",
    payload: { ...status, timestamp: "now" },
    strict: "PropertyConstraintViolation",
    at: "timestamp",
    tolerant: status,
    deviations: ["unreadable-field"],
  },
  {
    what: "a connectorId that the text of the standard forbids",
    action: "StartTransaction",
    payload: { ...start, connectorId: 0 },
    strict: "PropertyConstraintViolation",
    at: "connectorId",
    tolerant: { ...start, connectorId: 0 },
    deviations: ["out-of-bounds"],
  },
  {
    what: "an empty list of readings",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [] },
    strict: "OccurenceConstraintViolation",
    at: "meterValue",
    tolerant: { connectorId: 1, meterValue: [] },
    deviations: ["empty-list"],
  },
  {
    what: "a reading without values",
    action: "MeterValues",
    payload: readings([]),
    strict: "OccurenceConstraintViolation",
    at: "meterValue[0].sampledValue",
    tolerant: { connectorId: 1, meterValue: [] },
    deviations: ["empty-list"],
  },
  {
    what: "an action of nobody",
    action: "FormatDisk",
    payload: {},
    strict: "NotImplemented",
    at: "",
    tolerant: "refused",
  },
  {
    what: "an action in other letter case",
    action: "heartbeat",
    payload: {},
    strict: "NotImplemented",
    at: "",
    tolerant: "refused",
  },
  {
    what: "the name of something every object has",
    action: "constructor",
    payload: {},
    strict: "NotImplemented",
    at: "",
    tolerant: "refused",
  },
  {
    what: "an action only the Central System may start",
    action: "Reset",
    payload: { type: "Hard" },
    strict: "NotSupported",
    at: "",
    tolerant: "refused",
  },
]

for (const { what, action, payload, strict, at, tolerant, deviations } of cases) {
  const pointsAt = (error: OcppError) =>
    at === "" ? !error.description.includes(":") : error.description.startsWith(`${at}: `)

  test(`strict answers ${what} (${action}) with ${strict}`, () => {
    const read = readRequest(action, payload, "strict")
    if (read.ok) throw new Error("expected a refusal")
    expect(read.error.code).toBe(strict)
    expect(read.error).toSatisfy(pointsAt)
  })

  if (tolerant === "refused") {
    test(`tolerant answers ${what} (${action}) with ${strict}, too`, () => {
      const read = readRequest(action, payload, "tolerant")
      if (read.ok) throw new Error("expected a refusal")
      expect(read.error.code).toBe(strict)
      expect(read.error).toSatisfy(pointsAt)
    })
  } else {
    test(`tolerant understands ${what} (${action}) and reports it`, () => {
      const read = readRequest(action, payload, "tolerant")
      if (!read.ok) throw read.error
      expect<object>(read.request).toEqual(tolerant)
      expect(read.deviations.map(({ kind }) => kind as string)).toEqual(deviations ?? [])
    })
  }
}

describe("the bounds that only the text of the standard has", () => {
  const stop = { transactionId: 7, meterStop: 100, timestamp }
  const broken = [
    ["StartTransaction", "connectorId", { ...start, connectorId: 0 }],
    ["StatusNotification", "connectorId", { ...status, connectorId: -1 }],
    ["MeterValues", "connectorId", { ...readings([{ value: "1" }]), connectorId: -1 }],
    ["MeterValues", "meterValue", { connectorId: 1, meterValue: [] }],
    ["MeterValues", "meterValue[0].sampledValue", readings([])],
    [
      "StopTransaction",
      "transactionData[1].sampledValue",
      {
        ...stop,
        transactionData: [
          { timestamp, sampledValue: [{ value: "1" }] },
          { timestamp, sampledValue: [] },
        ],
      },
    ],
  ] as const

  test.each(broken)("%s: %s", (action, path, payload) => {
    const read = readRequest(action, payload, "strict")
    if (read.ok) throw new Error("expected a refusal")
    expect(read.error.code).toBe(
      path === "connectorId" ? "PropertyConstraintViolation" : "OccurenceConstraintViolation",
    )
    expect(read.error.description).toStartWith(`${path}: `)
    expect(read.error.description).toContain("OCPP 1.6 §")
    expect(isOfficial(`${action}.req`, payload)).toBe(true)
  })

  test("GetCompositeSchedule.conf: chargingSchedule.chargingSchedulePeriod", () => {
    const payload = { status: "Accepted", chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [] } }
    expect(readConfirmation("GetCompositeSchedule", payload, "strict")).toMatchObject({
      ok: false,
      error: { code: "OccurenceConstraintViolation" },
    })
    expect(isOfficial("GetCompositeSchedule.conf", payload)).toBe(true)
  })

  test("connector 0 may report its status and its meter", () => {
    expect(readRequest("StatusNotification", { ...status, connectorId: 0 }, "strict").ok).toBe(true)
    expect(readRequest("MeterValues", { ...readings([{ value: "1" }]), connectorId: 0 }, "strict").ok).toBe(true)
  })

  test("are these and no others", () => {
    expect(textOnlyBounds).toHaveLength(broken.length + 1)
  })
})

test("the ten codes are spelled as 1.6 spells them", () => {
  expect(ocppErrorCodes).toHaveLength(10)
  for (const code of ocppErrorCodes) expect(readErrorCode(code)).toBe(code)
})

test("the corrected spellings of later versions are understood", () => {
  expect(readErrorCode("FormatViolation")).toBe("FormationViolation")
  expect(readErrorCode("OccurrenceConstraintViolation")).toBe("OccurenceConstraintViolation")
  expect(readErrorCode("Whatever")).toBeUndefined()
})

test("what is no OcppError leaves as InternalError without its text", () => {
  const cause = new Error("password=hunter2")
  const error = OcppError.from(cause)
  expect(error).toMatchObject({ name: "OcppError", code: "InternalError", description: "", details: {}, cause })
  const refusal = new OcppError("SecurityError", "not accepted yet")
  expect(OcppError.from(refusal)).toBe(refusal)
})

test("a confirmation is read at the same levels", () => {
  expect(readConfirmation("Reset", { status: "accepted" }, "strict")).toMatchObject({
    ok: false,
    error: { code: "PropertyConstraintViolation" },
  })
  expect(readConfirmation("Reset", { status: "accepted" }, "tolerant")).toMatchObject({
    ok: true,
    confirmation: { status: "Accepted" },
    deviations: [{ kind: "misspelled-word", path: "Reset.conf.status", example: "accepted" }],
  })
})

test("only the official schema binds what we send", () => {
  expect(checkOutbound("UnlockConnector", "request", { connectorId: -1 })).toEqual([])
  expect(checkOutbound("ReserveNow", "request", { connectorId: 0 }).map(({ path }) => path)).toEqual([
    "expiryDate",
    "idTag",
    "reservationId",
  ])
  expect(checkOutbound("RemoteStartTransaction", "request", { idTag: "04A1", connectorId: undefined })).toEqual([])
  expect(
    checkOutbound("RemoteStartTransaction", "request", { connectorId: undefined }).map(({ path }) => path),
  ).toEqual(["idTag"])
})

test("a limit has one decimal digit, counted in decimal", () => {
  const profile = (limit: number) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Relative",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  })
  for (const limit of [0, 6, 0.1, 0.3, 21.4, 8.1, 1000000.7, -0.6]) {
    expect(checkOutbound("SetChargingProfile", "request", profile(limit))).toEqual([])
  }
  for (const limit of [0.05, 21.45, 16.001, 0.1 + 0.2]) {
    expect(checkOutbound("SetChargingProfile", "request", profile(limit))).toMatchObject([
      {
        code: "PropertyConstraintViolation",
        path: "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit",
      },
    ])
  }
})
