import { expect, test } from "bun:test"
import { idTagRow, meterValue, meterValues, minute, start, stop, time } from "../support/charging.ts"
import { MemoryFacts, together } from "../support/facts.ts"

async function withTransaction(change: Parameters<typeof start>[0] = {}) {
  const facts = new MemoryFacts()
  facts.given({
    idTags: [
      idTagRow("04A1", { parentIdTag: "Family" }),
      idTagRow("04A2", { parentIdTag: "FAMILY" }),
      idTagRow("0BAD", { status: "Blocked" }),
    ],
  })
  await facts.change("startTransaction", start(change))
  return facts
}

test("a stop ends the transaction; without a reason it is Local, without an idTag there is no idTagInfo", async () => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId: 1, meterStop: 5000 }))
  expect(outcome).toEqual({ transactionId: 1, repeated: false })
  expect(facts.rows("transactions")).toMatchObject([
    {
      state: "Ended",
      stoppedAt: minute(60),
      stopReceivedAt: minute(600),
      meterStop: 5000,
      stopReason: "Local",
      stopIdTag: null,
      energyWh: 4000,
    },
  ])
  expect(facts.events.at(-1)).toMatchObject({ type: "Transaction", kind: "Stopped", subject: "charge-point:cp1" })
})

test("a stop by an idTag tells what it may do, and is not refused when that is nothing", async () => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId: 1, idTag: "0BAD", reason: "Remote" }))
  expect(outcome).toMatchObject({ idTagInfo: { status: "Blocked" }, transactionId: 1 })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Ended", stopIdTag: "0BAD", stopReason: "Remote" }])
})

test("a repeated stop changes nothing, tells nothing and gets the same answer", async () => {
  const facts = await withTransaction()
  const message = stop({ transactionId: 1, idTag: "04a1", transactionData: [meterValue(30, 3000)] })
  const first = await facts.change("stopTransaction", message)
  const [events, rows] = [facts.events.length, facts.rows("transactions")]
  facts.given({ idTags: [idTagRow("04A1", { status: "Blocked" })] })
  const again = await facts.change("stopTransaction", { ...message, receivedAt: minute(700) })
  expect(again).toEqual({ ...first, repeated: true })
  expect(facts.rows("transactions")).toEqual(rows)
  expect(facts.events).toHaveLength(events)
  expect(facts.rows("strayMessages")).toBeEmpty()
})

test("two copies of a stop in one commit group stop once", async () => {
  const facts = await withTransaction()
  const outcomes = await facts.group(together("stopTransaction", stop({}), stop({})))
  expect(outcomes).toMatchObject([{ repeated: false }, { repeated: true }])
})

test("a conflicting second stop is kept, once, and changes nothing", async () => {
  const facts = await withTransaction()
  await facts.change("stopTransaction", stop({ meterStop: 5000 }))
  const rows = facts.rows("transactions")
  for (const _ of [1, 2]) {
    const outcome = await facts.change("stopTransaction", stop({ meterStop: 9999, idTag: "04A1" }))
    expect(outcome).toMatchObject({ transactionId: 1, stray: "ConflictingStop", idTagInfo: { status: "Accepted" } })
  }
  expect(facts.rows("transactions")).toEqual(rows)
  expect(facts.rows("strayMessages")).toMatchObject([
    { action: "StopTransaction", transactionId: 1, reason: "ConflictingStop", chargePointId: "cp1" },
  ])
})

test("the first real stop replaces an inferred end", async () => {
  const facts = await withTransaction()
  await facts.change("startTransaction", start({ timestamp: time(50) }))
  await facts.change("stopTransaction", stop({ transactionId: 1, timestamp: time(45), meterStop: 3000 }))
  expect(facts.rows("transactions")[0]).toMatchObject({
    state: "Ended",
    stoppedAt: minute(45),
    energyWh: 2000,
    energyNote: null,
  })
})

test("a stop that names another charge point's transaction changes nothing there", async () => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId: 1 }, { chargePointId: "cp2" }))
  expect(outcome).toEqual({ transactionId: null, stray: "OtherChargePoint", repeated: false })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }])
  expect(facts.rows("strayMessages")).toMatchObject([{ chargePointId: "cp2", reason: "OtherChargePoint" }])
})

test.each([-1, 0, 4711, 2 ** 40])("a stop for transaction %d ends the only one that fits", async (transactionId) => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId }))
  expect(outcome).toEqual({ transactionId: 1, repeated: false })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Ended", energyWh: 4000 }])
})

const unfit: [string, Parameters<typeof stop>[0]][] = [
  ["before the start", { timestamp: time(-1) }],
  ["with a register below the start's", { meterStop: 999 }],
  ["by an idTag of no common group", { idTag: "0BAD" }],
  ["by an unknown idTag", { idTag: "FFFF" }],
]
test.each(unfit)("a nameless stop %s fits no transaction and is kept as stray", async (_, change) => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId: -1, ...change }))
  expect(outcome).toMatchObject({ transactionId: null, stray: "UnknownTransaction", repeated: false })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }])
  expect(facts.rows("strayMessages")).toMatchObject([{ transactionId: -1, reason: "UnknownTransaction" }])
})

test("a nameless stop by a member of the group ends the transaction", async () => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ transactionId: -1, idTag: "04A2" }))
  expect(outcome).toMatchObject({ transactionId: 1, idTagInfo: { status: "Accepted" } })
})

test("a nameless stop that could mean two transactions ends neither", async () => {
  const facts = await withTransaction({ connectorId: 1 })
  await facts.change("startTransaction", start({ connectorId: 2 }))
  const outcome = await facts.change("stopTransaction", stop({ transactionId: -1 }))
  expect(outcome).toMatchObject({ transactionId: null, stray: "UnknownTransaction" })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }, { state: "Active" }])
})

test("of two transactions a nameless stop ends the one of its own idTag, and its repetition not the other", async () => {
  const facts = await withTransaction({ connectorId: 1, idTag: "04A1" })
  await facts.change("startTransaction", start({ connectorId: 2, idTag: "04A2" }))
  const message = stop({ transactionId: -1, idTag: "04A2" })
  expect(await facts.change("stopTransaction", message)).toMatchObject({ transactionId: 2, repeated: false })
  expect(await facts.change("stopTransaction", message)).toMatchObject({ transactionId: 2, repeated: true })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }, { state: "Ended" }])
  expect(facts.rows("strayMessages")).toBeEmpty()
})

test("a whole session from offline time: the start, then readings and the stop under −1", async () => {
  const facts = await withTransaction()
  await facts.change("reportMeterValues", meterValues({ transactionId: -1 }, [meterValue(10, 2000)]))
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 1000 }])
  await facts.change("stopTransaction", stop({ transactionId: -1, meterStop: 3000 }))
  await facts.change("startTransaction", start({ timestamp: time(70), meterStart: 3000 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: -1 }, [meterValue(80, 3500)]))
  await facts.change("stopTransaction", stop({ transactionId: -1, meterStop: 4000, timestamp: time(90) }))
  expect(facts.rows("transactions")).toMatchObject([
    { state: "Ended", energyWh: 2000 },
    { state: "Ended", energyWh: 1000 },
  ])
})

test("a stop from before its start is taken, and shown", async () => {
  const facts = await withTransaction()
  const outcome = await facts.change("stopTransaction", stop({ timestamp: "1970-01-01T00:00:00Z", meterStop: 1500 }))
  expect(outcome).toEqual({ transactionId: 1, stray: "StopBeforeStart", repeated: false })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Ended", energyWh: 500 }])
  expect(facts.rows("strayMessages")).toMatchObject([{ reason: "StopBeforeStart" }])
})

test("transactionData is stored with the transaction, and what MeterValues had brought only once", async () => {
  const facts = await withTransaction()
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(10, 2000)]))
  await facts.change("stopTransaction", stop({ transactionData: [meterValue(10, 2000), meterValue(60, 5000)] }))
  expect(facts.rows("meterValues")).toMatchObject([
    { transactionId: 1, connectorId: 1, at: minute(10) },
    { transactionId: 1, connectorId: 1, at: minute(60) },
  ])
  expect(facts.events.slice(-2)).toMatchObject([
    { type: "MeterValues", transactionId: 1, connectorId: 1, readings: [{ at: minute(60) }] },
    { type: "Transaction", kind: "Stopped" },
  ])
})

test("readings and a stop below them in one commit group give the energy that they give one after the other", async () => {
  const readings = meterValues({ transactionId: 1 }, [meterValue(10, 7000)])
  const last = stop({ transactionId: 1, meterStop: 500 })
  const grouped = await withTransaction()
  await grouped.group(together("reportMeterValues", readings), together("stopTransaction", last))
  const apart = await withTransaction()
  await apart.change("reportMeterValues", readings)
  await apart.change("stopTransaction", last)
  expect(grouped.rows("transactions")).toEqual(apart.rows("transactions"))
  expect(apart.rows("transactions")).toMatchObject([{ energyWh: 6000, energyNote: "StopBelowStart" }])
})
