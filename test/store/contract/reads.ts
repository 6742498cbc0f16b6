/** Questions to the facts: pages, filters, sums, and whose rows one sees. */
import { expect, test } from "bun:test"
import type { ChargePointRow, CommandRow, MessageRow } from "../../../src/facts/rows.ts"
import type { Store } from "../../../src/services/ports.ts"
import { BadCursor } from "../../../src/services/ports.ts"
import {
  caller,
  chargePointRow,
  idTagRow,
  meterValue,
  meterValues,
  minute,
  start,
  stop,
  time,
} from "../../support/charging.ts"
import { leaf } from "../leaf.ts"
import { type OpenPlace, type Place, refusal } from "../place.ts"

async function createChargePoints(store: Store, rows: Partial<ChargePointRow>[]): Promise<void> {
  await Promise.all(rows.map((row) => store.change("createChargePoint", { chargePoint: chargePointRow(row) })))
}

async function secondOrganisation(place: Place): Promise<void> {
  await place.query("INSERT INTO organisations (id, name, created_at) VALUES ('other', 'Other', 0) RETURNING id")
}

const report = (connectorId: number, status: "Available" | "Charging", chargePointId = "cp1") => {
  const request = { connectorId, status, errorCode: "NoError" as const, timestamp: time(0) }
  return { ...caller({ chargePointId }), request, statusAt: Date.parse(request.timestamp) }
}

const power = (value: string, unit: "W" | "kW", phase?: "L1" | "L2" | "L3") =>
  ({ value, unit, measurand: "Power.Active.Import", ...(phase && { phase }) }) as const

export function readContract(openPlace: OpenPlace): void {
  test("pages of charge points are complete under a filter, in both directions", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const names = Array.from({ length: 20 }, (_, index) => `cp-${String.fromCharCode(97 + ((index * 7) % 20))}`)
    await createChargePoints(
      store,
      names.map((id, index) => ({ id, identity: id, vendor: index % 2 ? "Ours" : "Theirs" })),
    )
    const ours = names.filter((_, index) => index % 2).sort()
    const { forwards, backwards } = await leaf((page) => store.read.chargePoints("default", { vendor: "Ours" }, page))
    expect(forwards.map(({ identity }) => identity)).toEqual(ours)
    expect(backwards).toEqual(forwards)
    expect(await store.read.countChargePoints("default", { vendor: "Ours" })).toBe(10)
  })

  test("pages of transactions are complete where many started at one instant", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const starts = Array.from({ length: 13 }, (_, index) =>
      start({ timestamp: time(index % 3), idTag: index % 4 ? "04A1" : "04B2" }, { chargePointId: `cp${index}` }),
    )
    await Promise.all(starts.map((input) => store.change("startTransaction", input)))
    const { forwards, backwards } = await leaf((page) => store.read.transactions("default", { idTag: "04a1" }, page))
    const order = forwards.map(({ startedAt, transactionId }) => startedAt * 100 + transactionId)
    expect(order).toEqual(order.toSorted((one, other) => other - one))
    expect(new Set(order).size).toBe(9)
    expect(backwards).toEqual(forwards)
  })

  test("pages of a charge point's readings run through all its connectors by time", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const values = Array.from({ length: 11 }, (_, index) => ({
      connectorId: index % 3,
      value: meterValue((index * 5) % 11, index),
    }))
    for (const { connectorId, value } of values)
      await store.change("reportMeterValues", meterValues({ connectorId }, [value]))
    const { forwards, backwards } = await leaf((page) =>
      store.read.meterValues("default", { chargePointId: "cp1" }, page),
    )
    expect(forwards.map(({ at }) => at)).toEqual(Array.from({ length: 11 }, (_, index) => minute(index)))
    expect(backwards).toEqual(forwards)
    const one = await leaf((page) => store.read.meterValues("default", { chargePointId: "cp1", connectorId: 1 }, page))
    expect(one.forwards).toEqual(forwards.filter(({ connectorId }) => connectorId === 1))
    expect(one.backwards).toEqual(one.forwards)
  })

  test("a cursor of another list, or of nobody's, is refused", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await createChargePoints(store, [{}])
    const { rows } = await store.read.chargePoints("default", {}, {})
    expect(await refusal(store.read.transactions("default", {}, { after: rows[0]!.cursor }))).toBeInstanceOf(BadCursor)
    const wrongKind = Buffer.from(JSON.stringify(["transactions", "x", 1e300])).toString("base64url")
    for (const cursor of ["", "nonsense", "bnVsbA", wrongKind])
      expect(await refusal(store.read.transactions("default", {}, { before: cursor }))).toBeInstanceOf(BadCursor)
  })

  test("what nodes hold is found and counted per organisation, without those that are offline", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await createChargePoints(store, [
      { id: "1", identity: "A", online: true, nodeId: "n1" },
      { id: "2", identity: "B", online: true, nodeId: "n1" },
      { id: "3", identity: "C", online: true, nodeId: "n2" },
      { id: "4", identity: "D", online: false, nodeId: "n2" },
    ])
    const { rows } = await store.read.chargePoints("default", { nodeId: "n1", online: true }, {})
    expect(rows.map(({ row }) => row.id)).toEqual(["1", "2"])
    const counts = await store.read.countHeld("default", ["n1", "n2", "n3"])
    expect([...counts].sort()).toEqual([
      ["n1", 2],
      ["n2", 1],
    ])
    expect([...(await store.read.countHeld("elsewhere", ["n1"]))]).toEqual([])
  })

  test("charge points are found by every filter", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await createChargePoints(store, [
      { id: "1", identity: "Alpha", vendor: "ACME", model: "X_1", serialNumber: "S-77" },
      { id: "2", identity: "Beta", model: "X21", registrationStatus: "Pending", online: true },
      { id: "3", identity: "alpha" },
    ])
    await store.change("reportStatus", report(1, "Charging", "2"))
    await store.change("reportStatus", report(0, "Available", "3"))
    const found = async (filter: Parameters<Store["read"]["chargePoints"]>[1]) => {
      const { rows } = await store.read.chargePoints("default", filter, {})
      expect(await store.read.countChargePoints("default", filter)).toBe(rows.length)
      return rows.map(({ row }) => row.id)
    }
    expect(await found({ search: "aLPHA" })).toEqual(["1", "3"])
    expect(await found({ search: "s-7" })).toEqual(["1"])
    expect(await found({ search: "x_" })).toEqual(["1"])
    expect(await found({ identities: ["alpha", "Beta", "none"] })).toEqual(["2", "3"])
    expect(await found({ registrationStatus: "Pending", online: true })).toEqual(["2"])
    expect(await found({ vendor: "ACME", model: "X_1" })).toEqual(["1"])
    expect(await found({ connectorStatus: ["Charging", "Available"] })).toEqual(["2"])
    expect(await found({ identities: [] })).toEqual([])
    expect((await store.read.onlineChargePoints(null, 5)).map(({ id }) => id)).toEqual(["2"])
    expect(await store.read.onlineChargePoints("2", 5)).toEqual([])
  })

  test("identities name charge points of all organisations, in their own letters", async () => {
    await using place = await openPlace()
    const store = await place.open()
    for (const identity of ["CP-1", "cp-1", "CP/2"])
      await store.change("createChargePoint", { chargePoint: chargePointRow({ id: identity, identity }) })
    const found = await store.read.chargePointsOfIdentities(["cp-1", "none", "CP/2"])
    expect(found.map(({ identity }) => identity).sort()).toEqual(["CP/2", "cp-1"])
    expect(found.find(({ identity }) => identity === "cp-1")).toEqual(await store.read.chargePointByIdentity("cp-1"))
  })

  test("organisations never see each other's rows", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await secondOrganisation(place)
    for (const organisationId of ["default", "other"]) {
      const from = { organisationId, chargePointId: organisationId }
      await createChargePoints(store, [{ id: organisationId, organisationId, identity: organisationId }])
      await store.change("createIdTag", { idTag: idTagRow("04A1", { id: `tag-${organisationId}`, organisationId }) })
      await store.change("reportStatus", { ...report(1, "Available"), ...from })
      const { transactionId } = await store.change("startTransaction", start({}, from))
      const values = [{ ...meterValue(1, 2000), sampledValue: [power("10", "kW")] }]
      await store.change("reportMeterValues", meterValues({ transactionId }, values, from))
      await store.change("recordCommand", { command: command({ id: organisationId, organisationId }) })
    }
    for (const organisationId of ["default", "other"]) {
      const mine = { rows: [{ row: { organisationId } }], hasNextPage: false, hasPreviousPage: false }
      expect(await store.read.chargePoints(organisationId, {}, {})).toMatchObject(mine)
      expect(await store.read.transactions(organisationId, {}, {})).toMatchObject(mine)
      expect(await store.read.idTags(organisationId, {}, {})).toMatchObject(mine)
      expect(await store.read.commands(organisationId, {}, {})).toMatchObject(mine)
      expect(await store.read.chargePointsByIdentities(organisationId, ["default", "other"])).toHaveLength(1)
      expect(await store.read.commandByIdempotencyKey(organisationId, "key")).toMatchObject({ id: organisationId })
      expect(await store.read.fleet(organisationId, 0, 0)).toMatchObject({ chargePoints: 1, powerW: 10_000 })
    }
    const foreign = await store.read.meterValues("default", { chargePointId: "other" }, {})
    expect(foreign.rows).toEqual([])
  })

  test("the fleet's sums: who is online, what connectors do, power now, energy since", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await createChargePoints(store, [{}, { id: "cp2", identity: "CP-2", online: true }])
    await Promise.all(
      [report(0, "Available"), report(1, "Charging"), report(2, "Charging")].map((input) =>
        store.change("reportStatus", input),
      ),
    )
    const started: { transactionId: number }[] = []
    for (const [index, chargePointId] of ["a", "b", "c", "d"].entries())
      started.push(await store.change("startTransaction", start({ timestamp: time(index) }, { chargePointId })))
    const ids = started.map(({ transactionId }) => transactionId)
    const reading = (index: number, minutes: number, sampled: Parameters<typeof meterValue>[1]) =>
      store.change(
        "reportMeterValues",
        meterValues({ transactionId: ids[index]! }, [meterValue(minutes, sampled)], { chargePointId: "abcd"[index]! }),
      )
    await reading(0, 30, [power("7.4", "kW")])
    await reading(0, 20, [power("1", "kW")])
    await reading(1, 30, [power("1000", "W", "L1"), power("1000", "W", "L2"), power("500", "W", "L3")])
    await reading(1, 31, 3000)
    await reading(2, 30, [power("11", "kW")])
    await reading(3, 5, [power("22", "kW")])
    await store.change("stopTransaction", stop({ transactionId: ids[2]! }, { chargePointId: "c" }))
    expect(await store.read.fleet("default", minute(0), minute(10))).toEqual({
      chargePoints: 2,
      online: 1,
      offline: 1,
      connectorsByStatus: { Charging: 2 },
      activeTransactions: 3,
      powerW: 9900,
      energyWh: 2000 + 4000,
    })
    expect(await store.read.fleet("default", minute(61), minute(10))).toMatchObject({ energyWh: 2000 })
  })

  test("the newest readings of each connector, and the readings that events refer to", async () => {
    await using place = await openPlace()
    const store = await place.open()
    for (const chargePointId of ["cp1", "cp2"])
      for (const connectorId of [1, 2])
        await store.change(
          "reportMeterValues",
          meterValues({ connectorId }, [meterValue(3, 3), meterValue(1, 1), meterValue(2, 2)], { chargePointId }),
        )
    const latest = await store.read.latestMeterValuesOf(["cp2", "cp1", "none"], 2)
    expect(latest.map((row) => [row.chargePointId, row.connectorId, (row.at - minute(0)) / 60_000])).toEqual([
      ["cp1", 1, 3],
      ["cp1", 1, 2],
      ["cp1", 2, 3],
      ["cp1", 2, 2],
      ["cp2", 1, 3],
      ["cp2", 1, 2],
      ["cp2", 2, 3],
      ["cp2", 2, 2],
    ])
    const wanted = [latest[0]!, latest[7]!]
    const found = await store.read.meterValuesByRefs([...wanted, { ...wanted[0]!, chargePointId: "none" }])
    expect(found.sort((one, other) => one.chargePointId.localeCompare(other.chargePointId))).toEqual(wanted)
    expect(await store.read.meterValuesByRefs([])).toEqual([])
  })

  test("the first page of many lists at once is that of each of them", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const { read } = store
    const ids = ["cp1", "cp2", "none"]
    const transactionIds: number[] = []
    for (const [index, chargePointId] of ["cp1", "cp1", "cp1", "cp2"].entries()) {
      const from = { chargePointId }
      const { transactionId } = await store.change("startTransaction", start({ timestamp: time(index) }, from))
      transactionIds.push(transactionId)
      const values = [meterValue(index + 2, 3), meterValue(index, 1), meterValue(index + 1, 2)]
      await store.change("reportMeterValues", meterValues({ transactionId }, values, from))
      await store.change("stopTransaction", stop({ transactionId: -1 - index }, from))
      for (const action of ["FirmwareStatusNotification", "DiagnosticsStatusNotification"])
        await store.change("report", {
          ...caller({ ...from, receivedAt: 1_000 + index }),
          id: `${action} ${index}`,
          action,
          payload: "{}",
        })
      const frame = { organisationId: "default", chargePointId, at: 5, direction: "ToChargePoint" } as const
      await store.addMessages(
        ["Reset", "ClearCache"].map((action) => ({
          ...frame,
          messageType: "Call" as const,
          uniqueId: String(index),
          action,
          text: "[]",
        })),
      )
    }
    for (const page of [{ first: 2 }, { last: 2 }, { first: 9 }]) {
      const transactions = await read.transactionsOfEach(ids, {}, page)
      const resets = await read.messagesOfEach(ids, { action: "Reset" }, page)
      const second = await read.messagesOfEach(ids, { uniqueId: "1" }, page)
      const strays = await read.strayMessagesOfEach(ids, page)
      for (const id of ids) {
        expect(transactions.get(id)).toEqual(await read.transactions("default", { chargePointIds: [id] }, page))
        expect(resets.get(id)).toEqual(await read.messagesOf(id, { action: "Reset" }, page))
        expect(second.get(id)).toEqual(await read.messagesOf(id, { uniqueId: "1" }, page))
        expect(strays.get(id)).toEqual(await read.strayMessagesOf(id, page))
      }
      const readings = await read.meterValuesOfEach([...transactionIds, 999], page)
      for (const transactionId of [...transactionIds, 999])
        expect(readings.get(transactionId)).toEqual(await read.meterValues("default", { transactionId }, page))
    }
    const active = await read.transactionsOfEach(ids, { state: ["Active"] }, { first: 1 })
    expect([...active].map(([id, { rows }]) => [id, rows.map(({ row }) => row.transactionId)])).toEqual([
      ["cp1", transactionIds.slice(2, 3)],
      ["cp2", []],
      ["none", []],
    ])
    expect([...(await read.countTransactionsOfEach(ids, {}))].sort()).toEqual([
      ["cp1", 3],
      ["cp2", 1],
    ])
    expect([...(await read.countTransactionsOfEach(ids, { state: ["Ended"] }))].sort()).toEqual([
      ["cp1", 1],
      ["cp2", 1],
    ])
    expect(await read.transactionsOfEach([], {}, { first: 1 })).toEqual(new Map())
    const newest = await read.latestReportsOf(ids, ["FirmwareStatusNotification", "BootNotification"])
    expect(newest.map(({ id }) => id)).toEqual(["FirmwareStatusNotification 2", "FirmwareStatusNotification 3"])
  })

  test("idTags are found by idTag, note and parent, whatever their letter case", async () => {
    await using place = await openPlace()
    const store = await place.open()
    for (const [idTag, change] of [
      ["04A1", { note: "Van of ACME", parentIdTag: "Fleet" }],
      ["04B2", { note: null, parentIdTag: "FLEET " }],
      ["ACME", { status: "Blocked" }],
    ] as const)
      await store.change("createIdTag", { idTag: idTagRow(idTag, { id: idTag, ...change }) })
    const found = async (filter: Parameters<Store["read"]["idTags"]>[1]) =>
      (await store.read.idTags("default", filter, {})).rows.map(({ row }) => row.idTag)
    expect(await found({ search: "acme" })).toEqual(["04A1", "ACME"])
    expect(await found({ parentIdTag: " fleet" })).toEqual(["04A1", "04B2"])
    expect(await found({ search: "acme", status: "Blocked" })).toEqual(["ACME"])
  })

  test("a transaction is found by its idTag, blanks and letter case aside", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("startTransaction", start({ idTag: "04A1" }))
    expect((await store.read.transactions("default", { idTag: " 04a1 " }, {})).rows).toHaveLength(1)
  })

  test("a question with a NUL in it is answered", async () => {
    await using place = await openPlace()
    const { read } = await place.open()
    expect(await read.chargePointByIdentity("a\0b")).toBeUndefined()
    expect(await read.chargePointsOfIdentities(["a\0b", "CP-1"])).toEqual([])
    expect(await read.chargePointsByIds(["a\0b"])).toEqual([])
    expect((await read.transactions("default", { idTag: "a\0b" }, {})).rows).toEqual([])
    expect((await read.chargePoints("default", { search: "a\0b" }, {})).rows).toEqual([])
  })

  test("the wire log keeps its order, deviations add up", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const frame = (text: string): Omit<MessageRow, "id"> => ({
      organisationId: "default",
      chargePointId: "cp1",
      at: 5,
      direction: "FromChargePoint",
      messageType: "Call",
      uniqueId: text,
      action: "Heartbeat",
      text,
    })
    const stored = await Promise.all([store.addMessages([frame("1"), frame("2")]), store.addMessages([frame("3")])])
    const { forwards, backwards } = await leaf((page) => store.read.messagesOf("cp1", {}, page))
    expect(forwards.map(({ text }) => text)).toEqual(["3", "2", "1"])
    expect(backwards).toEqual(forwards)
    expect(stored.flat().toReversed()).toEqual(forwards)
    expect((await store.read.messagesOf("cp1", { uniqueId: "2", action: "Heartbeat" }, {})).rows).toHaveLength(1)

    const deviation = { organisationId: "default", chargePointId: "cp1", kind: "ExtraField", place: "Heartbeat.x" }
    await store.addDeviations([
      { ...deviation, example: "one", count: 2, firstAt: 10, lastAt: 20 },
      { ...deviation, example: "two", count: 1, firstAt: 30, lastAt: 30 },
    ])
    await store.addDeviations([{ ...deviation, example: "three", count: 4, firstAt: 40, lastAt: 50 }])
    expect(await store.read.deviationsOf(["cp1"])).toEqual([
      { ...deviation, example: "three", count: 7, firstAt: 10, lastAt: 50 },
    ])
  })

  test("pruning takes the oldest first, a bounded number per call, and nothing that is newer", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const values = Array.from({ length: 7 }, (_, index) => meterValue(index, index))
    for (const [index, value] of values.entries())
      await store.change("reportMeterValues", meterValues({}, [value], { receivedAt: 100 + index }))
    const left = async () =>
      (await store.read.meterValues("default", { chargePointId: "cp1" }, {})).rows.map(({ row }) => row.receivedAt)
    expect(await store.prune({ meterValues: 105 }, 3)).toBe(3)
    expect(await left()).toEqual([103, 104, 105, 106])
    expect(await store.prune({ meterValues: 105, messages: 105 }, 3)).toBe(2)
    expect(await left()).toEqual([105, 106])
    expect(await store.prune({ meterValues: 105 }, 3)).toBe(0)
  })

  test("commands left Sent are found when their deadline is over", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await createChargePoints(store, [{}])
    for (const deadlineAt of [30, 10, 20])
      await store.change("recordCommand", {
        command: command({ id: `c${deadlineAt}`, deadlineAt, idempotencyKey: null }),
      })
    expect((await store.read.overdueCommands(30, 9)).map(({ id }) => id)).toEqual(["c10", "c20"])
    expect((await store.read.overdueCommands(99, 1)).map(({ id }) => id)).toEqual(["c10"])
  })
}

const command = (change: Partial<CommandRow>): CommandRow => ({
  id: "command",
  organisationId: "default",
  chargePointId: "cp1",
  action: "Reset",
  request: "{}",
  state: "Sent",
  requestedBy: "tests",
  requestedAt: 1,
  deadlineAt: 2,
  expiresAt: null,
  sentAt: 1,
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: "key",
  requestDigest: null,
  nodeId: null,
  ...change,
})
