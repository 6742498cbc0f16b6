import { expect, test } from "bun:test"
import { meterValue, meterValues, minute, start, stop, time } from "../support/charging.ts"
import { MemoryFacts, together } from "../support/facts.ts"

async function withTransaction() {
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start({ connectorId: 1, timestamp: time(0) }))
  return facts
}

test("a message tells its readings and the energy of the running transaction in one event", async () => {
  const facts = await withTransaction()
  const message = meterValues({ transactionId: 1 }, [meterValue(1, 1100), meterValue(2, 1200)])
  expect(await facts.change("reportMeterValues", message)).toEqual({ stored: 2, transactionId: 1 })
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 200, registerAt: minute(2), registerWh: 1200 }])
  const energy = { energyWh: 200, energyNote: null, registerAt: minute(2), registerWh: 1200 }
  expect(facts.events.slice(1)).toMatchObject([
    { type: "MeterValues", connectorId: 1, transactionId: 1, readings: [{ at: minute(1) }, { at: minute(2) }], energy },
  ])
})

test("the energy of a transaction that has ended is told in an event of its own, with all of the transaction", async () => {
  const facts = await withTransaction()
  await facts.change("startTransaction", start({ timestamp: time(30), meterStart: 2000 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(10, 1600)]))
  await facts.change("stopTransaction", stop({ transactionId: 1, timestamp: time(30), meterStop: 900 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(20, 1800)]))
  expect(facts.events.slice(-5)).toMatchObject([
    { type: "MeterValues", transactionId: 1 },
    { type: "Transaction", kind: "Updated", transaction: { state: "EndedInferred", energyWh: 600, meterStop: null } },
    { type: "Transaction", kind: "Stopped", transaction: { energyWh: 600 } },
    { type: "MeterValues", transactionId: 1 },
    { type: "Transaction", kind: "Updated", transaction: { state: "Ended", energyWh: 800, meterStop: 900 } },
  ])
  expect(facts.events.filter((event) => "energy" in event)).toBeEmpty()
})

test("an energy that stays the same is no news", async () => {
  const facts = await withTransaction()
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(1, 1100)]))
  const told = facts.events.length
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(2, 1100)]))
  await facts.change(
    "reportMeterValues",
    meterValues({ transactionId: 1 }, [meterValue(3, [{ value: "16", measurand: "Current.Import", unit: "A" }])]),
  )
  expect(facts.events.slice(told)).toMatchObject([{ type: "MeterValues" }, { type: "MeterValues" }])
  expect(facts.events.slice(told).filter((event) => "energy" in event)).toBeEmpty()
})

test("a replayed reading is stored once and told once", async () => {
  const facts = await withTransaction()
  const message = meterValues({ transactionId: 1 }, [meterValue(1, 1100), meterValue(1, 1100)])
  await facts.change("reportMeterValues", message)
  const told = facts.events.length
  expect(await facts.change("reportMeterValues", { ...message, receivedAt: minute(700) })).toMatchObject({ stored: 0 })
  expect(facts.rows("meterValues")).toHaveLength(1)
  expect(facts.events).toHaveLength(told)
})

test("two copies in one commit group are stored once", async () => {
  const facts = await withTransaction()
  const message = meterValues({ transactionId: 1 }, [meterValue(1, 1100)])
  expect(await facts.group(together("reportMeterValues", message, message))).toMatchObject([
    { stored: 1 },
    { stored: 0 },
  ])
})

test("values spelled with the standard's defaults are the same reading as without", async () => {
  const facts = await withTransaction()
  const measurand = "Energy.Active.Import.Register"
  const spelled = { value: "1100", measurand, unit: "Wh", context: "Sample.Periodic", location: "Outlet" } as const
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(1, [spelled])]))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(1, 1100)]))
  expect(facts.rows("meterValues")).toMatchObject([{ sampledValues: '[{"value":"1100"}]' }])
})

test.each([null, 0, -1, 4711])(
  "readings under transaction %p go to the one that ran on the connector then",
  async (id) => {
    const facts = await withTransaction()
    const message = meterValues({ transactionId: id }, [meterValue(5, 1500)])
    expect(await facts.change("reportMeterValues", message)).toEqual({ stored: 1, transactionId: 1 })
    expect(facts.rows("transactions")).toMatchObject([{ energyWh: 500 }])
  },
)

const alone: [string, Parameters<typeof meterValues>[0], minutes: number][] = [
  ["from before every transaction", {}, -5],
  ["of another connector", { connectorId: 2 }, 5],
  ["of the main meter", { connectorId: 0 }, 5],
  ["of the main meter with transaction 0", { connectorId: 0, transactionId: 0 }, 5],
]
test.each(alone)("readings %s are kept without a transaction", async (_, change, minutes) => {
  const facts = await withTransaction()
  const outcome = await facts.change("reportMeterValues", meterValues(change, [meterValue(minutes, 1500)]))
  expect(outcome).toEqual({ stored: 1, transactionId: null })
  expect(facts.rows("meterValues")).toMatchObject([{ transactionId: null }])
  expect(facts.rows("strayMessages")).toBeEmpty()
})

test("readings of the main meter that name the transaction are its own", async () => {
  const facts = await withTransaction()
  await facts.change("reportMeterValues", meterValues({ connectorId: 0, transactionId: 1 }, [meterValue(5, 1500)]))
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 500 }])
})

test("nameless readings of one message are sorted by the transaction that ran at each instant", async () => {
  const facts = await withTransaction()
  await facts.change("startTransaction", start({ timestamp: time(10), meterStart: 2000 }))
  await facts.change(
    "reportMeterValues",
    meterValues({}, [meterValue(-1, 900), meterValue(5, 1500), meterValue(15, 2500)]),
  )
  expect(facts.rows("meterValues").map((row) => row.transactionId)).toEqual([null, 1, 2])
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 500 }, { energyWh: 500 }])
  const told = facts.events.slice(-4)
  expect(told).toMatchObject([
    { type: "MeterValues", transactionId: null, readings: [{ at: minute(-1) }] },
    { type: "MeterValues", transactionId: 1, readings: [{ at: minute(5) }] },
    { type: "Transaction", kind: "Updated", transaction: { transactionId: 1, state: "EndedInferred", energyWh: 500 } },
    { type: "MeterValues", transactionId: 2, readings: [{ at: minute(15) }], energy: { energyWh: 500 } },
  ])
  expect(told.map((event) => "energy" in event)).toEqual([false, false, false, true])
})

test("readings that name another charge point's transaction are kept without it, and shown once", async () => {
  const facts = await withTransaction()
  for (const at of [1, 2]) {
    const message = meterValues({ transactionId: 1 }, [meterValue(at, 9000)], { chargePointId: "cp2" })
    const outcome = await facts.change("reportMeterValues", message)
    expect(outcome).toEqual({ stored: 1, transactionId: null, stray: "OtherChargePoint" })
  }
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: null }])
  expect(facts.rows("meterValues")).toMatchObject([{ chargePointId: "cp2", transactionId: null }, {}])
  expect(facts.rows("strayMessages")).toMatchObject([{ action: "MeterValues", transactionId: 1 }])
})

test("readings for a transaction that nobody knows are kept, and shown", async () => {
  const facts = new MemoryFacts()
  const outcome = await facts.change("reportMeterValues", meterValues({ transactionId: 77 }, [meterValue(1, 5)]))
  expect(outcome).toEqual({ stored: 1, transactionId: null, stray: "UnknownTransaction" })
  expect(facts.rows("strayMessages")).toMatchObject([{ transactionId: 77, reason: "UnknownTransaction" }])
})

test("readings after the stop are kept with the transaction and change nothing", async () => {
  const facts = await withTransaction()
  await facts.change("stopTransaction", stop({ transactionId: 1, meterStop: 5000 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(61, 5000)]))
  expect(facts.rows("transactions")).toMatchObject([{ state: "Ended", energyWh: 4000 }])
  expect(facts.events.at(-1)).toMatchObject({ type: "MeterValues", transactionId: 1 })
})
