/** Group commit: what shares a transaction, and what fails alone. */
import { expect, test } from "bun:test"
import { UNENDED_LIMIT } from "../../../src/facts/facts.ts"
import type { RegistrationStatus } from "../../../src/facts/rows.ts"
import { caller, chargePointRow, idTagRow, meterValue, meterValues, start, stop, time } from "../../support/charging.ts"
import type { OpenPlace } from "../place.ts"

/** No word of the standard's: the database refuses the row. */
const poison = "Nonsense" as RegistrationStatus

const numbered = (number: number, change: { registrationStatus?: RegistrationStatus } = {}) => ({
  chargePoint: chargePointRow({ id: `cp${number}`, identity: `CP-${number}`, ...change }),
})

export function commitContract(openPlace: OpenPlace): void {
  test("a poison row fails alone and its neighbours commit", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const outcomes = await Promise.allSettled([
      store.change("createChargePoint", numbered(1)),
      store.change("createChargePoint", numbered(2, { registrationStatus: poison })),
      store.change("createChargePoint", numbered(3)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    expect(outcomes[1]).toMatchObject({ reason: { message: expect.stringContaining("registration_status") } })
    const rows = await store.read.chargePointsByIds(["cp1", "cp2", "cp3"])
    expect(rows.map((row) => row.id).sort()).toEqual(["cp1", "cp3"])
    expect(store.troubleSince()).toBeNull()
  })

  test("a rule that throws fails for its own input only", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const broken = { ...start(), request: null } as unknown as ReturnType<typeof start>
    const outcomes = await Promise.allSettled([
      store.change("createChargePoint", numbered(1)),
      store.change("startTransaction", broken),
      store.change("createChargePoint", numbered(2)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    expect(outcomes[1]).toMatchObject({ reason: { name: "TypeError" } })
  })

  test("the rollback of one request never touches another's", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const numbers = Array.from({ length: 120 }, (_, number) => number)
    const outcomes = await Promise.allSettled(
      numbers.map(async (number) => {
        // Some come in one group, some in groups of their own.
        for (let turn = 0; turn < number % 4; turn++) await store.setting("any")
        return store.change(
          "createChargePoint",
          numbered(number, number % 7 === 3 ? { registrationStatus: poison } : {}),
        )
      }),
    )
    const acknowledged = numbers.filter((number) => outcomes[number]?.status === "fulfilled")
    expect(acknowledged).toEqual(numbers.filter((number) => number % 7 !== 3))
    const stored = await store.read.chargePointsByIds(numbers.map((number) => `cp${number}`))
    expect(stored.map((row) => row.id).sort()).toEqual(acknowledged.map((number) => `cp${number}`).sort())
  })

  test("two identical Starts in one group get one transactionId, and so does a third one later", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const both = await Promise.all([
      store.change("startTransaction", start()),
      store.change("startTransaction", start()),
    ])
    expect(both.map(({ repeated }) => repeated)).toEqual([false, true])
    const third = await store.change("startTransaction", start())
    expect(new Set([...both, third].map(({ transactionId }) => transactionId)).size).toBe(1)
    expect(await store.read.countTransactions("default", {})).toBe(1)
  })

  test("a whole transaction in one group is the same as one message after the other", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createIdTag", { idTag: idTagRow("04A1") })
    const { transactionId } = await store.change("startTransaction", start({}, { chargePointId: "other" }))
    const next = transactionId + 1
    const messages = [
      store.change("startTransaction", start()),
      store.change("reportMeterValues", meterValues({ transactionId: next }, [meterValue(10, 2000)])),
      store.change("reportMeterValues", meterValues({ transactionId: next }, [meterValue(20, 3000)])),
      store.change("stopTransaction", stop({ transactionId: next, meterStop: 5000 })),
    ] as const
    const [started, , , stopped] = await Promise.all(messages)
    expect(started).toMatchObject({ transactionId: next, idTagInfo: { status: "Accepted" } })
    expect(stopped).toMatchObject({ transactionId: next, repeated: false })
    const [transaction] = await store.read.transactionsByIds([next])
    expect(transaction).toMatchObject({ state: "Ended", meterStart: 1000, meterStop: 5000, energyWh: 4000 })
    const readings = await store.read.meterValues("default", { transactionId: next }, {})
    expect(readings.rows.map(({ row }) => row.at)).toEqual(
      [meterValue(10, 0), meterValue(20, 0)].map((v) => Date.parse(v.timestamp)),
    )
  })

  test("a write that needs rows because of another one in its group gets them", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const { transactionId } = await store.change("startTransaction", start({ meterStart: 1000 }))
    await store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(10, 2000)]))
    // Only the reading at 12:50 makes the start at 12:30 look at the readings of the transaction that it ends.
    await Promise.all([
      store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(50, 9000)])),
      store.change("startTransaction", start({ timestamp: time(30), meterStart: 2000 })),
    ])
    const [ended] = await store.read.transactionsByIds([transactionId])
    expect(ended).toMatchObject({ state: "EndedInferred", energyWh: 1000 })
    expect(await store.read.countTransactions("default", { state: ["Active"] })).toBe(1)
  })

  test("what a charge point never ended is looked at only as far back as a nameless message can mean", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const begin = (connectorId: number, idTag: string) =>
      store.change("startTransaction", start({ connectorId, idTag, timestamp: time(connectorId) }))
    await begin(1, "FORGOTTEN")
    const connectors = Array.from({ length: UNENDED_LIMIT - 1 }, (_, index) => index + 2)
    await Promise.all(connectors.map((connectorId) => begin(connectorId, "04A1")))
    const { transactionId } = await begin(UNENDED_LIMIT + 1, "LATEST")
    const end = (idTag: string) =>
      store.change("stopTransaction", stop({ transactionId: -1, idTag, timestamp: time(500) }))
    expect(await end("LATEST")).toMatchObject({ transactionId })
    // With LATEST ended, the oldest is among those that count.
    expect(await end("FORGOTTEN")).not.toHaveProperty("stray")
    await begin(UNENDED_LIMIT + 2, "04A1")
    await begin(UNENDED_LIMIT + 3, "04A1")
    const { transactionId: second } = await store.change(
      "startTransaction",
      start({ connectorId: 900, idTag: "OLDEST" }),
    )
    expect(second).toBeGreaterThan(transactionId)
    expect(await end("OLDEST")).toMatchObject({ transactionId: null, stray: "UnknownTransaction" })
  })

  test("a replayed reading is stored once, within a group and over groups", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const reading = meterValues({}, [meterValue(1, 10)])
    const twice = await Promise.all([
      store.change("reportMeterValues", reading),
      store.change("reportMeterValues", reading),
    ])
    const again = await store.change("reportMeterValues", reading)
    expect([...twice, again].map(({ stored }) => stored)).toEqual([1, 0, 0])
    expect((await store.read.meterValues("default", { chargePointId: "cp1" }, {})).rows).toHaveLength(1)
  })

  test("a limit of running transactions counts those that start in the same group", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createIdTag", { idTag: idTagRow("04A1", { maxActiveTransactions: 2 }) })
    const starts = ["a", "b", "c"].map((chargePointId) =>
      store.change("startTransaction", start({}, { chargePointId })),
    )
    const statuses = (await Promise.all(starts)).map(({ idTagInfo }) => idTagInfo.status)
    expect(statuses).toEqual(["Accepted", "Accepted", "ConcurrentTx"])
  })

  test("an older epoch is refused", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const online = { organisationId: "default", chargePointId: "cp1", at: 1 }
    expect(await store.change("goOnline", { ...online, nodeId: "new", epoch: 7 })).toEqual({ epoch: 7 })
    const late = [
      store.change("goOnline", { ...online, nodeId: "old", epoch: 6 }),
      store.change("goOffline", { ...online, epoch: 6, lastSeenAt: null }),
      store.change("reportStatus", { ...status("Faulted"), epoch: 6 }),
    ]
    expect(await Promise.all(late)).toEqual([{ superseded: true }, { superseded: true }, { superseded: true }])
    expect(await store.read.chargePointByIdentity("CP-1")).toMatchObject({ online: true, nodeId: "new", epoch: 7 })
    expect(await store.read.connectorsOf(["cp1"])).toEqual([])
  })

  test("every kind of value comes back as it went in, a NUL in free text as the replacement character", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const chargePoint = chargePointRow({
      online: true,
      wireLog: true,
      leniency: "strict",
      lastSeenAt: 1_790_000_000_123,
    })
    await store.change("createChargePoint", { chargePoint })
    expect(await store.read.chargePointByIdentity("CP-1")).toEqual(chargePoint)
    await store.change("reportStatus", status("Faulted", "größer '; \"\\ \u{1F50C} \0."))
    const [connector] = await store.read.connectorsOf(["cp1"])
    expect(connector).toMatchObject({ status: "Faulted", info: "größer '; \"\\ \u{1F50C} \uFFFD." })
  })

  test.each(["", " ", "NULL", "{}", "a,b", '{"a":[1,"b"]}', "\\", '\\"', '"', "\n\t\r", "\\n", "'; --"])(
    "a text that means something in SQL is a text like any other: %j",
    async (text) => {
      await using place = await openPlace()
      const store = await place.open()
      const rows = [text, "plain", text].map((model, n) => chargePointRow({ id: `${n}`, identity: `${n}`, model }))
      await Promise.all(rows.map((chargePoint) => store.change("createChargePoint", { chargePoint })))
      expect(await store.read.chargePointsByIds(["0", "1", "2"])).toEqual(rows)
    },
  )

  test("a deleted charge point takes its connectors along and leaves its transactions", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    await store.change("reportStatus", status("Available"))
    await store.change("startTransaction", start())
    await store.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: 5 })
    expect(await store.read.connectorsOf(["cp1"])).toEqual([])
    expect(await store.read.countTransactions("default", { chargePointIds: ["cp1"] })).toBe(1)
    const reborn = { chargePoint: chargePointRow({ id: "cp2" }) }
    expect(await store.change("createChargePoint", reborn)).toEqual(reborn)
  })
}

function status(word: "Available" | "Faulted", info = "") {
  const request = { connectorId: 1, status: word, errorCode: "NoError" as const, info, timestamp: time(0) }
  return { ...caller(), request, statusAt: Date.parse(request.timestamp) }
}
