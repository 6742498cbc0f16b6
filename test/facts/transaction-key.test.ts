import { expect, test } from "bun:test"
import { readingsOf, startKeyOf } from "../../src/facts/transaction-key.ts"
import { meterValue, minute, start, time } from "../support/charging.ts"

const key = (change: Parameters<typeof start>[0] = {}, uniqueId = "a") => start(change, {}, uniqueId).startKey

test("a start is the same whatever its message id, its idTag's letter case and its spelling of the instant", () => {
  expect(key({ idTag: "04a1 ", timestamp: "2026-03-14T13:00:00.000+01:00" }, "b")).toBe(key({ timestamp: time(0) }))
})

const others: [string, Parameters<typeof start>[0]][] = [
  ["another connector", { connectorId: 2 }],
  ["another idTag", { idTag: "04A2" }],
  ["another register", { meterStart: 1001 }],
  ["another minute", { timestamp: time(1) }],
  ["another fraction of a second", { timestamp: time(0.001) }],
]
test.each(others)("%s makes another start", (_, change) => {
  expect(key(change)).not.toBe(key())
})

test("before 2010 the clock is not set, and the message id joins the key", () => {
  const timestamp = "2009-12-31T23:59:59Z"
  expect(key({ timestamp }, "a")).toBe(key({ timestamp }, "a"))
  expect(key({ timestamp }, "a")).not.toBe(key({ timestamp }, "b"))
  expect(key({ timestamp: "2010-01-01T00:00:00Z" }, "a")).toBe(key({ timestamp: "2010-01-01T00:00:00Z" }, "b"))
})

test("a key stays short whatever was sent", () => {
  const request = { connectorId: 1, idTag: "x".repeat(9000), meterStart: 0, timestamp: "1970-01-01T00:00:00Z" }
  expect(startKeyOf(request, 0, "y".repeat(9000)).length).toBeLessThan(100)
})

test("a reading is named by connector, transaction, instant and content", () => {
  const digest = (minutes: number, wh: number, connectorId: number, transactionId: number | null) =>
    readingsOf([meterValue(minutes, wh)], { connectorId, transactionId })[0]?.digest
  const one = digest(0, 5, 1, 7)
  expect(one).toMatch(/^[0-9a-f]{16}$/)
  expect(digest(0, 5, 1, 7)).toBe(one)
  const others = [digest(1, 5, 1, 7), digest(0, 6, 1, 7), digest(0, 5, 2, 7), digest(0, 5, 1, 8), digest(0, 5, 1, null)]
  expect(new Set([one, ...others]).size).toBe(6)
})

test("readings keep the charge point's words with the standard's defaults left out", () => {
  const sampled = [
    { value: "1.5", unit: "kWh", context: "Sample.Periodic", format: "Raw" },
    { value: "230.1", measurand: "Voltage", phase: "L1-N", unit: "V", context: "Sample.Clock" },
  ] as const
  expect(readingsOf([meterValue(3, [...sampled])], { connectorId: 1, transactionId: null })).toMatchObject([
    {
      at: minute(3),
      sampledValues:
        '[{"value":"1.5","unit":"kWh"},{"value":"230.1","context":"Sample.Clock","measurand":"Voltage","phase":"L1-N","unit":"V"}]',
      registerWh: 1500,
    },
  ])
})
