import { describe, expect, test } from "bun:test"
import { enumWords, meantWord } from "../../src/ocpp/enum-words.ts"
import type { CentralSystemActionName, ChargePointActionName } from "../../src/ocpp/index.ts"
import type { JsonSchema } from "../../src/ocpp/message.ts"
import { confirmationMessage, requestMessage } from "../../src/ocpp/message.ts"
import { readConfirmation, readRequest } from "../../src/ocpp/validate.ts"

const timestamp = "2026-03-01T10:00:00Z"
const start = { connectorId: 1, idTag: "04A1", meterStart: 0, timestamp }
const stop = { transactionId: 7, meterStop: 100, timestamp }
const status = { connectorId: 1, errorCode: "NoError", status: "Charging" }
const readings = (...sampledValue: object[]) => ({ connectorId: 1, meterValue: [{ timestamp, sampledValue }] })

function understand(action: ChargePointActionName, payload: unknown) {
  const read = readRequest(action, payload, "tolerant")
  if (!read.ok) throw read.error
  const { request, deviations } = read
  return { request: request as object, deviations, noted: deviations.map(({ kind, path }) => `${kind} ${path}`) }
}

function understandAnswer(action: CentralSystemActionName, payload: unknown) {
  const read = readConfirmation(action, payload, "tolerant")
  if (!read.ok) throw read.error
  const { confirmation, deviations } = read
  return { confirmation: confirmation as object, deviations, noted: deviations.map(({ kind }) => kind as string) }
}

test("a clean request is handed on as it came", () => {
  const read = readRequest("StartTransaction", start, "tolerant")
  expect(read).toMatchObject({ ok: true, deviations: [] })
  expect(read.ok && (read.request as object)).toBe(start)
})

describe("instants", () => {
  test.each([
    ["without a zone are UTC", "2026-03-01T10:00:00", "2026-03-01T10:00:00.000Z", "zone-missing"],
    ["with an offset of hours", "2026-03-01T10:00:00+02", "2026-03-01T08:00:00.000Z", "date-time-form"],
    ["with an offset without a colon", "2026-03-01T10:00:00.5-0530", "2026-03-01T15:30:00.500Z", "date-time-form"],
    ["with a blank for the T", "2026-03-01 10:00:00Z", "2026-03-01T10:00:00.000Z", "date-time-form"],
    ["without seconds", "2026-03-01T10:00Z", "2026-03-01T10:00:00.000Z", "date-time-form"],
    ["with a decimal comma", "2026-03-01T10:00:00,25Z", "2026-03-01T10:00:00.250Z", "date-time-form"],
    ["in the basic format", "20260301T100000Z", "2026-03-01T10:00:00.000Z", "date-time-form"],
    ["in a leap second", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z", "date-time-form"],
  ])("%s", (_what, written, meant, kind) => {
    const { request, noted } = understand("StartTransaction", { ...start, timestamp: written })
    expect(request).toEqual({ ...start, timestamp: meant })
    expect(noted).toEqual([`${kind} StartTransaction.req.timestamp`])
  })

  test.each(["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-03-01T10:00:00.123456+02:00"])(
    "%s is a usual one, whatever the year",
    (written) => {
      const { request, noted } = understand("StartTransaction", { ...start, timestamp: written })
      expect(request).toEqual({ ...start, timestamp: written })
      expect(noted).toEqual([])
    },
  )

  test("strict takes what the official schema takes, and hands on an instant everybody can read", () => {
    expect(readRequest("StartTransaction", { ...start, timestamp: "2026-03-01 10:00:00" }, "strict")).toMatchObject({
      ok: true,
      request: { timestamp: "2026-03-01T10:00:00.000Z" },
    })
  })
})

describe("words", () => {
  test.each([
    ["errorCode", "Error", "OtherError"],
    ["errorCode", "VendorSpecific17", "OtherError"],
    ["errorCode", "noerror", "NoError"],
    ["status", "suspendedEv", "SuspendedEV"],
    ["status", "Suspended_EVSE", "SuspendedEVSE"],
    ["status", "Occupied", "Preparing"],
  ])("StatusNotification %s %s means %s", (field, written, meant) => {
    expect(understand("StatusNotification", { ...status, [field]: written }).request).toMatchObject({ [field]: meant })
  })

  test.each([
    ["unit", "kwh", "kWh"],
    ["unit", "°C", "Celsius"],
    ["unit", "%", "Percent"],
    ["context", "sample.periodic", "Sample.Periodic"],
    ["context", "Whenever", "Other"],
    ["phase", "L1N", "L1-N"],
    ["measurand", "SOC", "SoC"],
    ["measurand", "energy.active.import.register", "Energy.Active.Import.Register"],
  ])("a sampled value's %s %s means %s", (field, written, meant) => {
    const { request } = understand("MeterValues", readings({ value: "1", [field]: written }))
    expect(request).toEqual(readings({ value: "1", [field]: meant }))
  })

  test("a frequency in Hz loses its unit, which goes without saying", () => {
    const { request, noted } = understand("MeterValues", readings({ value: "50", measurand: "Frequency", unit: "Hz" }))
    expect(request).toEqual(readings({ value: "50", measurand: "Frequency" }))
    expect(noted).toEqual(["misspelled-word MeterValues.req.meterValue[].sampledValue[].unit"])
  })

  test.each([
    ["an unknown measurand would pass for an energy register", { measurand: "Power.Magic" }],
    ["an unknown phase would pass for a total", { phase: "L9" }],
    ["an energy in an unknown unit would pass for Wh", { unit: "GWh" }],
  ])("%s: the value is left out, the message kept", (_why, field) => {
    const { request, noted } = understand("MeterValues", readings({ value: "1", ...field }, { value: "2" }))
    expect(request).toEqual(readings({ value: "2" }))
    expect(noted).toContain("unreadable-entry MeterValues.req.meterValue[].sampledValue[]")
    expect(understand("MeterValues", readings({ value: "1", ...field })).request).toEqual({
      connectorId: 1,
      meterValue: [],
    })
  })

  test("an unknown reason is Other", () => {
    expect(understand("StopTransaction", { ...stop, reason: "Boredom" }).request).toEqual({ ...stop, reason: "Other" })
  })

  test("no known misspelling is a word of the standard, and each means one", () => {
    const enumsOf = (schema: JsonSchema, field: string): string[][] => [
      ...(schema.properties?.[field]?.enum ? [schema.properties[field].enum] : []),
      ...[...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : [])].flatMap((inner) =>
        enumsOf(inner, field),
      ),
    ]
    for (const [path, words] of Object.entries(enumWords)) {
      const [action = "", part, name] = path.split(".")
      const schemas = name
        ? [(part === "req" ? requestMessage : confirmationMessage)(action as ChargePointActionName).jsonSchema]
        : (["StatusNotification", "MeterValues", "StopTransaction"] as const).map((a) => requestMessage(a).jsonSchema)
      const enums = schemas.flatMap((schema) => enumsOf(schema, name ?? path))
      expect(enums).not.toBeEmpty()
      for (const options of enums) {
        for (const [wrong, right] of Object.entries(words)) {
          expect(options).not.toContain(wrong)
          expect(meantWord(options, path, name ?? path, wrong)).toBe(right)
          if (right !== null) expect(options).toContain(right)
        }
      }
    }
  })
})

describe("fields", () => {
  test("numbers and booleans become the text they should have been", () => {
    expect(understand("MeterValues", readings({ value: 12.5 })).request).toEqual(readings({ value: "12.5" }))
    expect(understand("StatusNotification", { ...status, vendorErrorCode: 0 }).request).toMatchObject({
      vendorErrorCode: "0",
    })
  })

  test("text becomes the number it should have been", () => {
    const { request } = understand("StopTransaction", { ...stop, transactionId: "7", meterStop: " 100.0 " })
    expect(request).toEqual(stop)
  })

  test("an integer too large to be exact becomes the largest that is", () => {
    for (const meterStart of [2 ** 53, 1e300, "9".repeat(400)]) {
      const { request, noted } = understand("StartTransaction", { ...start, meterStart })
      expect(request).toEqual({ ...start, meterStart: Number.MAX_SAFE_INTEGER })
      expect(noted).toContain("out-of-bounds StartTransaction.req.meterStart")
    }
  })

  test("a name in other letter case is that name, unless the right one is there", () => {
    const { idTag, ...others } = start
    const { request, noted } = understand("StartTransaction", { ...others, idtag: idTag })
    expect(request).toEqual(start)
    expect(noted).toEqual(["field-name StartTransaction.req.idTag"])
    expect(understand("StartTransaction", { ...start, idtag: "other" }).request).toEqual(start)
  })

  test("a field named __proto__ is an extra field and nothing more", () => {
    const { request, noted } = understand("Heartbeat", JSON.parse('{"__proto__":{"admin":true}}'))
    expect(request).toEqual({})
    expect(Object.getPrototypeOf(request)).toBe(Object.prototype)
    expect(noted).toEqual(["extra-field Heartbeat.req.__proto__"])
  })

  test("an optional field that says nothing is absent", () => {
    const { request } = understand("StopTransaction", { ...stop, reason: "", idTag: null, transactionData: null })
    expect(request).toEqual(stop)
  })

  test("an optional field that makes no sense does not lose the message", () => {
    const { request, noted } = understand("StopTransaction", { ...stop, idTag: { id: 1 }, transactionData: "none" })
    expect(request).toEqual(stop)
    expect(noted).toEqual([
      "unreadable-field StopTransaction.req.idTag",
      "unreadable-field StopTransaction.req.transactionData",
    ])
  })

  test("transactionId 0 and −1 are numbers like any other", () => {
    for (const transactionId of [0, -1]) {
      expect(understand("StopTransaction", { ...stop, transactionId })).toMatchObject({
        request: { transactionId },
        noted: [],
      })
    }
  })

  test("a vendor's object becomes the text of its JSON", () => {
    expect(understand("DataTransfer", { vendorId: "com.example", data: { a: 1 } }).request).toEqual({
      vendorId: "com.example",
      data: '{"a":1}',
    })
  })
})

describe("answers of Charge Points", () => {
  test("a configuration with booleans as text, numbers as values and no word about writing", () => {
    const { confirmation, noted } = understandAnswer("GetConfiguration", {
      configurationKey: [
        { key: "HeartbeatInterval", readonly: "false", value: 300 },
        { key: "NumberOfConnectors", readonly: 1, value: null },
        { key: "Vendor" },
      ],
      unknownKey: "Foo",
    })
    expect(confirmation).toEqual({
      configurationKey: [
        { key: "HeartbeatInterval", readonly: false, value: "300" },
        { key: "NumberOfConnectors", readonly: true },
        { key: "Vendor", readonly: false },
      ],
      unknownKey: ["Foo"],
    })
    expect(noted).toEqual(["wrong-type", "wrong-type", "empty-field", "missing-field", "not-a-list"])
  })

  test("no value of a configuration key is shown", () => {
    const { deviations } = understandAnswer("GetConfiguration", {
      configurationKey: [{ key: "AuthorizationKey", readonly: false, value: 12345678, note: "x" }],
    })
    expect(deviations.length).toBeGreaterThan(0)
    expect(JSON.stringify(deviations)).not.toContain("12345678")
  })

  test("a schedule without periods", () => {
    const { confirmation } = understandAnswer("GetCompositeSchedule", {
      status: "Accepted",
      chargingSchedule: { chargingRateUnit: "A" },
    })
    expect(confirmation).toEqual({
      status: "Accepted",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [] },
    })
  })

  test("a schedule with a period that makes no sense is no schedule", () => {
    const { confirmation, noted } = understandAnswer("GetCompositeSchedule", {
      status: "Accepted",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }, {}] },
    })
    expect(confirmation).toEqual({ status: "Accepted" })
    expect(noted).toEqual(["unreadable-field"])
  })

  test("a limit with too many decimals is kept", () => {
    const answer = {
      status: "Accepted",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 7.36 }] },
    }
    expect(understandAnswer("GetCompositeSchedule", answer)).toMatchObject({
      confirmation: answer,
      noted: ["too-precise"],
    })
  })
})

test("a deviation is noted once for all entries, with a short example", () => {
  const sampledValue = Array.from({ length: 50 }, () => ({ value: "1", context: "x".repeat(500) }))
  const { deviations } = understand("MeterValues", readings(...sampledValue))
  expect(deviations).toEqual([
    {
      kind: "unknown-word",
      path: "MeterValues.req.meterValue[].sampledValue[].context",
      example: `${"x".repeat(120)}…`,
    },
  ])
})

test("a flood of extra fields is not reported in full", () => {
  const flood = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field${i}`, i]))
  expect(understand("Heartbeat", flood).deviations.length).toBeLessThan(100)
})
