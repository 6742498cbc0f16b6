/** Events as they are carried: what their heads say, and that texts of before are still understood. */
import { expect, test } from "bun:test"
import { chargePointSubject, type Event } from "../../src/facts/events.ts"
import { readEvents, readRecorded, record, writeHeads, writeTexts } from "../../src/facts/recorded.ts"

const common = { organisationId: "default", subject: chargePointSubject("cp1"), version: 7, at: 8 }
const readings: Event = {
  type: "MeterValues",
  chargePointId: "cp1",
  connectorId: 1,
  transactionId: 4,
  readings: [{ at: 5, digest: "00" }],
  ...common,
}
const energy = { energyWh: 1, energyNote: null, registerAt: 5, registerWh: 2 }

test("readings that bring a transaction's energy are told as both, and found as both", () => {
  const recorded = record({ ...readings, energy })
  expect(recorded.types).toEqual(["MeterValues", "Transaction"])
  expect(recorded).toMatchObject({ type: "MeterValues", tellsEnergy: true, chargePointId: "cp1", transactionId: 4 })
  expect(record(readings).types).toEqual(["MeterValues"])
  expect(record(readings).tellsEnergy).toBe(false)
})

test("an event is the same after it was written down, and its text leaves out what its subject says", () => {
  const elsewhere = { ...readings, chargePointId: "cp2" }
  const events = [readings, { ...readings, energy }, elsewhere]
  const recorded = events.map(record)
  const carried = readRecorded(writeHeads(recorded), writeTexts(recorded))
  expect(carried.map(({ event }) => event)).toEqual(events)
  expect(carried.map(({ types }) => types)).toEqual(recorded.map(({ types }) => types))
  expect(readEvents(writeTexts(recorded))).toEqual(events)
  expect(carried.map(({ event }) => record(event).text)).toEqual(recorded.map(({ text }) => text))
  expect(recorded.map(({ text }) => text.includes("chargePointId"))).toEqual([false, false, true])
})

test("readings written down by an earlier version are understood", () => {
  const text = `{"type":"MeterValues","chargePointId":"cp1","connectorId":1,"transactionId":4,"readings":[{"at":5,"connectorId":1,"digest":"00"}],"organisationId":"default","subject":"charge-point:cp1","version":7,"at":8}`
  const [event] = readEvents(`[${text}]`)
  expect(event).toMatchObject(readings)
  expect(record(event!).types).toEqual(["MeterValues"])
})

test("events are carried on together, apart, in part and in another order, with their own heads and texts", () => {
  const events = Array.from({ length: 6 }, (_, index): Event => ({ ...readings, version: index + 1, at: index }))
  const [one, other] = [events.slice(0, 3), events.slice(3)].map((some) => {
    const written = some.map(record)
    return readRecorded(writeHeads(written), writeTexts(written))
  })
  const [a, b, c] = one!
  const [d, e, f] = other!
  const lists = [
    [],
    [a],
    [b, c],
    [a, b],
    [a, b, c],
    [a, c, b],
    [a, b, c, d, e, f],
    [c, d, e, f],
    [a, b, c, e, f],
    [d, a, b, c],
  ]
  for (const list of lists) {
    const some = list.map((event) => event!)
    const carried = readRecorded(writeHeads(some), writeTexts(some))
    expect(carried.map(({ event }) => event)).toEqual(some.map(({ event }) => event))
    expect(carried.map(({ version }) => version)).toEqual(some.map(({ event }) => event.version))
    expect(carried.map(({ text }) => text)).toEqual(some.map(({ text }) => text))
  }
})
