import { expect, test } from "bun:test"
import type { IdTagRow } from "../../src/facts/rows.ts"
import { idTagRow, meterValue, meterValues, minute, start, stop, time } from "../support/charging.ts"
import { MemoryFacts, together } from "../support/facts.ts"

const factsWith = (...idTags: IdTagRow[]) => {
  const facts = new MemoryFacts()
  facts.given({ idTags })
  return facts
}
const kinds = (facts: MemoryFacts) => facts.events.map((event) => ("kind" in event ? event.kind : event.type))

test("a start gets a positive id, a row and one event", async () => {
  const facts = factsWith(idTagRow("04A1"))
  const outcome = await facts.change("startTransaction", start({ reservationId: 7 }))
  expect(outcome).toEqual({ transactionId: 1, idTagInfo: { status: "Accepted" }, repeated: false })
  expect(facts.rows("transactions")).toMatchObject([
    { transactionId: 1, state: "Active", idTag: "04A1", idTagKey: "04a1", meterStart: 1000, reservationId: 7 },
  ])
  expect(facts.events).toMatchObject([
    { type: "Transaction", kind: "Started", subject: "charge-point:cp1", organisationId: "default", at: minute(600) },
  ])
})

test("a repeated start gets the first answer again, though the idTag has been blocked and the message id is new", async () => {
  const facts = factsWith(idTagRow("04A1", { parentIdTag: "FAMILY" }))
  const first = await facts.change("startTransaction", start({}, {}, "a"))
  facts.given({ idTags: [idTagRow("04A1", { status: "Blocked" })] })
  const again = await facts.change("startTransaction", start({ idTag: "04a1" }, { epoch: 2 }, "b"))
  expect(again).toEqual({ ...first, repeated: true })
  expect(kinds(facts)).toEqual(["Started"])
})

test("a repetition after the stop starts nothing", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start())
  await facts.change("stopTransaction", stop({ transactionId: 1 }))
  expect(await facts.change("startTransaction", start())).toMatchObject({ transactionId: 1, repeated: true })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Ended" }])
})

test("two copies in one commit group get one id", async () => {
  const facts = factsWith(idTagRow("04A1"))
  const outcomes = await facts.group(together("startTransaction", start({}, {}, "a"), start({}, {}, "b")))
  expect(outcomes).toMatchObject([
    { transactionId: 1, repeated: false },
    { transactionId: 1, repeated: true },
  ])
  expect(facts.rows("transactions")).toHaveLength(1)
})

test("while the clock is not set, the message id tells two starts apart", async () => {
  const facts = factsWith(idTagRow("04A1"))
  const timestamp = "1970-01-01T00:00:10Z"
  const ids: number[] = []
  for (const uniqueId of ["a", "a", "b"]) {
    ids.push((await facts.change("startTransaction", start({ timestamp }, {}, uniqueId))).transactionId)
  }
  expect(ids).toEqual([1, 1, 2])
})

const refusals: [string, IdTagRow[], string, object][] = [
  ["unknown", [], "04A1", { status: "Invalid" }],
  ["of more than 20 characters", [idTagRow("123456789012345678901")], "123456789012345678901", { status: "Invalid" }],
  ["blocked", [idTagRow("04A1", { status: "Blocked" })], "04A1", { status: "Blocked" }],
  [
    "expired",
    [idTagRow("04A1", { expiryDate: minute(-1) })],
    "04A1",
    { status: "Expired", expiryDate: new Date(minute(-1)).toISOString() },
  ],
]
test.each(refusals)("an idTag that is %s is refused, and the transaction recorded all the same", async (...given) => {
  const [, idTags, idTag, idTagInfo] = given
  const facts = factsWith(...idTags)
  const outcome = await facts.change("startTransaction", start({ idTag }))
  expect<object>(outcome).toEqual({ transactionId: 1, idTagInfo, repeated: false })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active", startIdTagInfo: JSON.stringify(idTagInfo) }])
  const stopped = await facts.change("stopTransaction", stop({ transactionId: 1, reason: "DeAuthorized" }))
  expect(stopped).toEqual({ transactionId: 1, repeated: false })
})

test("an idTag is verified as of the start, not of the receipt", async () => {
  const facts = factsWith(idTagRow("04A1", { expiryDate: minute(30) }))
  const { idTagInfo } = await facts.change("startTransaction", start({ timestamp: time(0) }))
  expect(idTagInfo.status).toBe("Accepted")
})

test.each(["1970-01-01T00:00:10Z", time(600 + 60 * 24 * 400), time(660)])(
  "a start at %s is verified as of the receipt",
  async (timestamp) => {
    const facts = factsWith(idTagRow("04A1", { expiryDate: minute(630) }))
    const { idTagInfo } = await facts.change("startTransaction", start({ timestamp }))
    expect(idTagInfo.status).toBe("Accepted")
    facts.given({ idTags: [idTagRow("B", { expiryDate: minute(500) })] })
    const other = await facts.change("startTransaction", start({ timestamp, idTag: "B" }))
    expect(other.idTagInfo.status).toBe("Expired")
  },
)

test("without a limit, transactions of one idTag may run side by side", async () => {
  const facts = factsWith(idTagRow("04A1"))
  for (const connectorId of [1, 2, 3]) {
    const { idTagInfo } = await facts.change("startTransaction", start({ connectorId }))
    expect(idTagInfo.status).toBe("Accepted")
  }
})

test("the idTag's own limit of running transactions makes ConcurrentTx, but not for a repetition", async () => {
  const facts = factsWith(idTagRow("04A1", { maxActiveTransactions: 1 }))
  const status = async (connectorId: number, timestamp = time(0)) =>
    (await facts.change("startTransaction", start({ connectorId, timestamp }))).idTagInfo.status
  expect(await status(1)).toBe("Accepted")
  expect(await status(2)).toBe("ConcurrentTx")
  expect(await status(1)).toBe("Accepted")
  expect(await status(2)).toBe("ConcurrentTx")
  expect(facts.rows("transactions")).toHaveLength(2)
})

test("a transaction that ends by this start does not count against the limit", async () => {
  const facts = factsWith(idTagRow("04A1", { maxActiveTransactions: 1 }))
  await facts.change("startTransaction", start({ timestamp: time(0) }))
  const { idTagInfo } = await facts.change("startTransaction", start({ timestamp: time(5) }))
  expect(idTagInfo.status).toBe("Accepted")
})

test("the limit counts within one commit group", async () => {
  const facts = factsWith(idTagRow("04A1", { maxActiveTransactions: 1 }))
  const outcomes = await facts.group(
    together("startTransaction", start({}, { chargePointId: "cp1" }), start({}, { chargePointId: "cp2" })),
  )
  expect(outcomes).toMatchObject([{ idTagInfo: { status: "Accepted" } }, { idTagInfo: { status: "ConcurrentTx" } }])
})

test("a newer start ends the older transaction on its connector, with its last known energy", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(0), connectorId: 1 }))
  await facts.change("startTransaction", start({ timestamp: time(0), connectorId: 2 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(10, 1700)]))
  await facts.change("startTransaction", start({ timestamp: time(20), connectorId: 1 }))
  expect(facts.rows("transactions")).toMatchObject([
    { transactionId: 1, state: "EndedInferred", stoppedAt: minute(20), energyWh: 700, meterStop: null },
    { transactionId: 2, state: "Active" },
    { transactionId: 3, state: "Active" },
  ])
  expect(kinds(facts).slice(-2)).toEqual(["EndInferred", "Started"])
})

test("a transaction that ends unheard of has no energy, and says so", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(0) }))
  await facts.change("startTransaction", start({ timestamp: time(20) }))
  expect(facts.rows("transactions")[0]).toMatchObject({ energyWh: null, energyNote: "NoRegister" })
})

test("an older offline transaction never closes a newer one", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(20) }))
  const late = await facts.change("startTransaction", start({ timestamp: time(0) }))
  expect(late.idTagInfo.status).toBe("Accepted")
  expect(facts.rows("transactions")).toMatchObject([
    { transactionId: 1, state: "Active" },
    { transactionId: 2, state: "EndedInferred", startedAt: minute(0), stoppedAt: minute(20) },
  ])
})

test("an older transaction is over also when the newer one has ended", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(20) }))
  await facts.change("stopTransaction", stop({ transactionId: 1, timestamp: time(40) }))
  await facts.change("startTransaction", start({ timestamp: time(0) }))
  expect(facts.rows("transactions")[1]).toMatchObject({ state: "EndedInferred", stoppedAt: minute(20) })
})

test("an end is inferred anew when a start between turns up, without the readings after it", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(0) }))
  for (const [at, wh] of [
    [5, 1300],
    [15, 1900],
  ] as const)
    await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(at, wh)]))
  await facts.change("startTransaction", start({ timestamp: time(20) }))
  await facts.change("startTransaction", start({ timestamp: time(10) }))
  expect(facts.rows("transactions")).toMatchObject([
    { transactionId: 1, stoppedAt: minute(10), energyWh: 300 },
    { transactionId: 2, state: "Active" },
    { transactionId: 3, state: "EndedInferred", stoppedAt: minute(20) },
  ])
})

test("a start from a clock that is not set is the newest, as it has just been received", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: time(0) }, { receivedAt: minute(0) }))
  await facts.change("startTransaction", start({ timestamp: "1970-01-01T00:01:00Z" }, { receivedAt: minute(30) }))
  expect(facts.rows("transactions")).toMatchObject([
    { transactionId: 1, state: "EndedInferred", stoppedAt: minute(30) },
    { transactionId: 2, state: "Active" },
  ])
})

test("a start from a clock years ahead does not make all later ones old", async () => {
  const facts = factsWith(idTagRow("04A1"))
  await facts.change("startTransaction", start({ timestamp: "2031-01-01T00:00:00Z" }, { receivedAt: minute(0) }))
  await facts.change("stopTransaction", stop({ transactionId: 1, timestamp: "2031-01-01T01:00:00Z" }))
  await facts.change("startTransaction", start({ timestamp: time(90) }, { receivedAt: minute(90) }))
  expect(facts.rows("transactions")[1]).toMatchObject({ state: "Active" })
})
