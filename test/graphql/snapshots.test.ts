import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type { CommandRow, MessageRow } from "../../src/facts/rows.ts"
import { caller, meterValue, meterValues, start, stop, time } from "../support/charging.ts"
import { until } from "../support/until.ts"
import { changeOf, changesUntil, follow as followIn, TRANSPORTS } from "./follow.ts"
import { type Answer, chargePoint, type Data, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig()
  token = await rig.token("Viewer")
})
// The client's stop returns before the server has heard of it: the next test must not count what is on its way out.
afterEach(() => until("the server lets go of the test's subscriptions", () => rig.subscriptions() === 0))
afterAll(() => rig[Symbol.asyncDispose]())

const follow = (subscription: string, transport: (typeof TRANSPORTS)[number] = "socket") =>
  followIn(rig, token, subscription, transport)

const update = (chargePointId: string, change: { wireLog?: boolean; heartbeatIntervalS?: number }) =>
  rig.store.change("updateChargePoint", { organisationId: "default", chargePointId, at: 2, change })

const goOnline = (chargePointId: string, epoch: number) =>
  rig.store.change("goOnline", { organisationId: "default", chargePointId, nodeId: "n", epoch, at: 1 })

const goOffline = (chargePointId: string, epoch: number) =>
  rig.store.change("goOffline", { organisationId: "default", chargePointId, epoch, at: 2, lastSeenAt: null })

async function endCodeOf(subscription: string): Promise<string | undefined> {
  const { value } = await rig
    .sse(token)
    .iterate({ query: `subscription { ${subscription} }` })
    .next()
  return (value as Answer).errors?.[0]?.extensions?.code
}

const identities = (told: Data[]) =>
  told.flatMap(({ chargePoint: shown }) => (shown as Data | null)?.["identity"] ?? []).sort()

describe.each(TRANSPORTS)("over %s", (transport) => {
  const within = `filter: { search: "snap-${transport}" }`

  test("a snapshot tells what is there, then that this was all, then every later change", async () => {
    const { id } = await chargePoint(rig, `snap-${transport}-1`)
    await chargePoint(rig, `snap-${transport}-2`)
    await chargePoint(rig, "somebody else")
    const changes = await follow(
      `chargePointChanged(${within}, snapshot: true) { kind left cursor chargePoint { identity wireLog } }`,
      transport,
    )
    const told = await changesUntil(changes, "SNAPSHOT_END")
    expect(told.map(({ kind, left }) => [kind, left])).toEqual([
      ["SNAPSHOT", false],
      ["SNAPSHOT", false],
      ["SNAPSHOT_END", false],
    ])
    expect(told.at(-1)).toMatchObject({ chargePoint: null })
    expect(identities(told)).toEqual([`snap-${transport}-1`, `snap-${transport}-2`])
    await update(id, { wireLog: true })
    expect(await changeOf(changes)).toMatchObject({ kind: "UPDATED", chargePoint: { wireLog: true } })
    await changes.stop()
  })

  test("behind the end of a snapshot the story goes on; amid it there is nothing to go on from", async () => {
    const identity = `amid-${transport}`
    const { id } = await chargePoint(rig, identity)
    const filter = `filter: { identities: ["${identity}"] }`
    const first = await follow(`chargePointChanged(${filter}, snapshot: true) { kind cursor }`, transport)
    const [item, end] = await changesUntil(first, "SNAPSHOT_END")
    await first.stop()
    await update(id, { wireLog: true })
    const again = await follow(`chargePointChanged(${filter}, after: "${end?.["cursor"]}") { kind }`, transport)
    expect(await changeOf(again)).toEqual({ kind: "UPDATED" })
    await again.stop()
    expect(await endCodeOf(`chargePointChanged(${filter}, after: "${item?.["cursor"]}") { kind }`)).toBe(
      "CURSOR_EXPIRED",
    )
  })

  test("with a cursor and a snapshot asked for, the cursor counts where it is good, else there is a snapshot", async () => {
    const identity = `either-${transport}`
    const { id } = await chargePoint(rig, identity)
    const subscription = (after: unknown) =>
      `chargePointChanged(filter: { identities: ["${identity}"] }, after: "${after}", snapshot: true) { kind cursor }`
    const first = await follow(subscription("of another time"), transport)
    const [item, end] = await changesUntil(first, "SNAPSHOT_END")
    expect(item).toMatchObject({ kind: "SNAPSHOT" })
    await first.stop()
    await update(id, { wireLog: true })
    const resumed = await follow(subscription(end?.["cursor"]), transport)
    expect(await changeOf(resumed)).toMatchObject({ kind: "UPDATED" })
    await resumed.stop()
    const anew = await follow(subscription(item?.["cursor"]), transport)
    expect((await changesUntil(anew, "SNAPSHOT_END")).map(({ kind }) => kind)).toEqual(["SNAPSHOT", "SNAPSHOT_END"])
    await anew.stop()
  })
})

test("a charge point that leaves the filter is told as left, and only those that concern it", async () => {
  const { id } = await chargePoint(rig, "leaving")
  await goOnline(id, 1)
  const { id: offline } = await chargePoint(rig, "leaving not, being offline")
  const changes = await follow(
    `chargePointChanged(filter: { search: "leaving", online: true }, snapshot: true) { kind left chargePoint { identity online } }`,
  )
  const leaving = (online: boolean) => ({ identity: "leaving", online })
  expect(await changeOf(changes)).toEqual({ kind: "SNAPSHOT", left: false, chargePoint: leaving(true) })
  expect(await changeOf(changes)).toMatchObject({ kind: "SNAPSHOT_END" })
  await update(offline, { wireLog: true })
  await goOffline(id, 1)
  await update(id, { wireLog: true })
  await goOnline(id, 2)
  await rig.store.change("deleteChargePoint", { organisationId: "default", chargePointId: id, at: 3 })
  expect(await changeOf(changes)).toEqual({ kind: "OFFLINE", left: true, chargePoint: leaving(false) })
  expect(await changeOf(changes)).toEqual({ kind: "ONLINE", left: false, chargePoint: leaving(true) })
  expect(await changeOf(changes)).toEqual({ kind: "DELETED", left: true, chargePoint: leaving(true) })
  await changes.stop()
})

test("a snapshot of transactions holds those that run, and under state ACTIVE the end is told as left", async () => {
  const { id } = await chargePoint(rig, "runs")
  const from = { chargePointId: id }
  const over = await rig.store.change("startTransaction", start({ connectorId: 2 }, from, "over"))
  await rig.store.change("stopTransaction", stop({ transactionId: over.transactionId }, from))
  const { transactionId } = await rig.store.change("startTransaction", start({}, from, "runs"))
  const active = await follow(
    `transactionChanged(filter: { chargePoints: ["runs"], state: [ACTIVE] }, snapshot: true) { kind left transaction { transactionId state } }`,
  )
  const all = await follow(
    `transactionChanged(filter: { chargePoints: ["runs"] }, snapshot: true) { kind left transaction { transactionId } }`,
    "sse",
  )
  const ended = await follow(
    `transactionChanged(filter: { chargePoints: ["runs"], state: [ENDED] }, snapshot: true) { kind left }`,
  )
  expect(await changesUntil(active, "SNAPSHOT_END")).toEqual([
    { kind: "SNAPSHOT", left: false, transaction: { transactionId, state: "ACTIVE" } },
    { kind: "SNAPSHOT_END", left: false, transaction: null },
  ])
  expect(await changesUntil(all, "SNAPSHOT_END")).toHaveLength(2)
  expect(await changesUntil(ended, "SNAPSHOT_END")).toHaveLength(1)
  await rig.store.change("stopTransaction", stop({ transactionId }, from))
  expect(await changeOf(active)).toEqual({
    kind: "STOPPED",
    left: true,
    transaction: { transactionId, state: "ENDED" },
  })
  expect(await changeOf(all)).toEqual({ kind: "STOPPED", left: false, transaction: { transactionId } })
  expect(await changeOf(ended)).toEqual({ kind: "STOPPED", left: false })
  await Promise.all([active.stop(), all.stop(), ended.stop()])
})

test("a snapshot of readings holds each connector's newest that belong together", async () => {
  const { id } = await chargePoint(rig, "metered")
  const from = { chargePointId: id }
  const report = (connectorId: number, transactionId: number | null, ...values: [number, number][]) =>
    rig.store.change(
      "reportMeterValues",
      meterValues(
        { connectorId, transactionId },
        values.map(([minutes, wh]) => meterValue(minutes, wh)),
        from,
      ),
    )
  await report(2, null, [3, 30], [1, 10])
  await report(1, null, [-10, 5])
  const { transactionId } = await rig.store.change("startTransaction", start({}, from))
  await report(1, transactionId, [5, 1400], [10, 1800])
  const shown = "kind connectorId transaction { transactionId } meterValues { timestamp }"
  const changes = await follow(`meterValuesReceived(chargePoint: "metered", snapshot: true) { ${shown} }`)
  const told = await changesUntil(changes, "SNAPSHOT_END")
  const at = (...minutes: number[]) => minutes.map((one) => ({ timestamp: time(one) }))
  expect(told.slice(0, -1).sort((one, other) => Number(one["connectorId"]) - Number(other["connectorId"]))).toEqual([
    { kind: "SNAPSHOT", connectorId: 1, transaction: { transactionId }, meterValues: at(5, 10) },
    { kind: "SNAPSHOT", connectorId: 2, transaction: null, meterValues: at(1, 3) },
  ])
  expect(told.at(-1)).toEqual({ kind: "SNAPSHOT_END", connectorId: null, transaction: null, meterValues: [] })
  await report(2, null, [4, 40])
  expect(await changeOf(changes)).toMatchObject({ kind: "RECEIVED", connectorId: 2, meterValues: at(4) })
  await changes.stop()
  const ofOne = await follow(`meterValuesReceived(transactionId: ${transactionId}, snapshot: true) { ${shown} }`)
  expect(await changesUntil(ofOne, "SNAPSHOT_END")).toMatchObject([
    { connectorId: 1, meterValues: at(5, 10) },
    { kind: "SNAPSHOT_END" },
  ])
  await ofOne.stop()
})

test("a snapshot of commands holds those that have not ended", async () => {
  const { id: chargePointId } = await chargePoint(rig, "commanded")
  const command = (state: CommandRow["state"]): CommandRow => ({
    id: crypto.randomUUID(),
    organisationId: "default",
    chargePointId,
    action: "ClearCache",
    request: "{}",
    state,
    requestedBy: "test",
    requestedAt: 1,
    deadlineAt: 2,
    expiresAt: null,
    sentAt: 1,
    answeredAt: state === "Failed" ? 2 : null,
    confirmation: null,
    error: null,
    idempotencyKey: null,
    requestDigest: null,
    nodeId: null,
  })
  const sent = command("Sent")
  for (const row of [command("Failed"), sent]) await rig.store.change("recordCommand", { command: row })
  const changes = await follow(`commandChanged(chargePoint: "commanded", snapshot: true) { kind command { state } }`)
  expect(await changesUntil(changes, "SNAPSHOT_END")).toEqual([
    { kind: "SNAPSHOT", command: { state: "SENT" } },
    { kind: "SNAPSHOT_END", command: null },
  ])
  await rig.store.change("endCommand", {
    organisationId: "default",
    commandId: sent.id,
    chargePointId,
    state: "Answered",
    at: 3,
    confirmation: "{}",
    error: null,
    configurationKeys: [],
  })
  expect(await changeOf(changes)).toEqual({ kind: "CHANGED", command: { state: "ANSWERED" } })
  await changes.stop()
})

test("the fleet's sums of now are a snapshot, with a cursor that later sums are told behind", async () => {
  const changes = await follow(`fleetChanged(everyMs: 250, snapshot: true) { kind cursor fleet { chargePoints } }`)
  const [item, end] = await changesUntil(changes, "SNAPSHOT_END")
  expect(item).toMatchObject({ kind: "SNAPSHOT", fleet: end?.["fleet"] })
  await chargePoint(rig, "one more")
  const chargePoints = Number((end!["fleet"] as Data)["chargePoints"]) + 1
  expect(await changeOf(changes)).toMatchObject({ kind: "CHANGED", fleet: { chargePoints } })
  await changes.stop()
  const behind = await follow(
    `fleetChanged(everyMs: 3000, after: "${end?.["cursor"]}") { kind fleet { chargePoints } }`,
  )
  expect(await changeOf(behind)).toEqual({ kind: "CHANGED", fleet: { chargePoints } })
  await behind.stop()
})

describe("the wire", () => {
  const frame = (chargePointId: string, text: string): Omit<MessageRow, "id"> => ({
    organisationId: "default",
    chargePointId,
    at: 1,
    direction: "FromChargePoint",
    messageType: "Call",
    uniqueId: "u",
    action: "Heartbeat",
    text,
  })
  const shown = "kind cursor message { text }"
  const texts = (told: Data[]) => told.map(({ message }) => (message as Data)["text"])

  test("behind a frame come those that the log keeps, then those that are exchanged, none twice", async () => {
    const { id } = await chargePoint(rig, "wired")
    const logged = await rig.store.addMessages(["a", "b", "c"].map((text) => frame(id, text)))
    const after = `after: "${logged[0]!.id}"`
    const changes = await follow(`messageExchanged(chargePoint: "wired", ${after}) { ${shown} }`)
    expect(texts([await changeOf(changes), await changeOf(changes)])).toEqual(["b", "c"])
    await until("the watch is known", () => rig.bus.isWatched(id))
    const more = await rig.store.addMessages(["d", "e"].map((text) => frame(id, text)))
    rig.bus.publishMessages(id, [logged[2]!, ...more])
    expect(texts([await changeOf(changes), await changeOf(changes)])).toEqual(["d", "e"])
    await changes.stop()
  })

  test("frames are history: a snapshot has none, and its end names the end of the log", async () => {
    const { id } = await chargePoint(rig, "quiet")
    await rig.store.addMessages([frame(id, "long ago")])
    const changes = await follow(`messageExchanged(chargePoint: "quiet", snapshot: true) { ${shown} }`)
    const end = await changeOf(changes)
    expect(end).toMatchObject({ kind: "SNAPSHOT_END", message: null })
    await changes.stop()
    await rig.store.addMessages([frame(id, "just now")])
    const behind = await follow(`messageExchanged(chargePoint: "quiet", after: "${end["cursor"]}") { ${shown} }`)
    expect(texts([await changeOf(behind)])).toEqual(["just now"])
    await behind.stop()
  })

  test("behind a frame that the log no longer keeps nothing can be told", async () => {
    const { id } = await chargePoint(rig, "forgotten")
    const [gone, kept] = await rig.store.addMessages([frame(id, "old"), { ...frame(id, "new"), at: 10 }])
    await rig.store.prune({ messages: 5 }, 1_000)
    expect(await endCodeOf(`messageExchanged(chargePoint: "forgotten", after: "${gone!.id}") { cursor }`)).toBe(
      "CURSOR_EXPIRED",
    )
    expect(await endCodeOf(`messageExchanged(chargePoint: "forgotten", after: "no frame") { cursor }`)).toBe(
      "CURSOR_EXPIRED",
    )
    const anew = await follow(
      `messageExchanged(chargePoint: "forgotten", after: "${gone!.id}", snapshot: true) { ${shown} }`,
    )
    expect(await changeOf(anew)).toMatchObject({ kind: "SNAPSHOT_END", cursor: String(kept!.id) })
    await anew.stop()
  })
})

test("a large snapshot holds everything once, and what hangs on its parts is loaded for each part at once", async () => {
  const names = Array.from({ length: 1_050 }, (_, index) => `large-${String(index).padStart(4, "0")}`)
  await Promise.all(names.map((name) => chargePoint(rig, name)))
  rig.reads.clear()
  const changes = await follow(
    `chargePointChanged(filter: { search: "large-" }, snapshot: true) { kind chargePoint { identity connectors { status } } }`,
    "sse",
  )
  const told = await changesUntil(changes, "SNAPSHOT_END")
  expect(identities(told)).toEqual(names)
  expect(rig.reads.get("connectorsOf")).toBe(11)
  await changes.stop()
})

test("those who ask for the same snapshot at once share the reading", async () => {
  await chargePoint(rig, "shared")
  rig.reads.clear()
  const query = `subscription { it: chargePointChanged(filter: { identities: ["shared"] }, snapshot: true) { kind } }`
  const askers = Array.from({ length: 5 }, () => rig.sse(token).iterate({ query }))
  const first = await Promise.all(askers.map((asker) => asker.next()))
  expect(first.map(({ value }) => value)).toEqual(askers.map(() => ({ data: { it: { kind: "SNAPSHOT" } } })))
  expect(rig.reads.get("presentChargePoints")).toBeLessThan(5)
  await Promise.all(askers.map((asker) => asker.return?.()))
})

test("a store that cannot be asked ends a snapshot as UNAVAILABLE", async () => {
  rig.breakStore("presentChargePoints")
  expect(await endCodeOf(`chargePointChanged(snapshot: true) { kind }`)).toBe("UNAVAILABLE")
  rig.breakStore(false)
})

test("a report of a connector's status tells the charge point's own statuses", async () => {
  const { id } = await chargePoint(rig, "connected")
  const changes = await follow(
    `chargePointChanged(filter: { identities: ["connected"], connectorStatus: [CHARGING] }, snapshot: true) { kind left }`,
  )
  await changesUntil(changes, "SNAPSHOT_END")
  const report = (status: string) =>
    rig.store.change("reportStatus", {
      ...caller({ chargePointId: id }),
      request: { connectorId: 1, status, errorCode: "NoError" } as never,
      statusAt: 1,
    })
  await report("Charging")
  await report("Finishing")
  expect(await changeOf(changes)).toEqual({ kind: "CONNECTOR_STATUS", left: false })
  expect(await changeOf(changes)).toEqual({ kind: "CONNECTOR_STATUS", left: true })
  await changes.stop()
})
