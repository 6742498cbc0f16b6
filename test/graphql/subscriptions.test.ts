import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type { MessageRow } from "../../src/facts/rows.ts"
import { caller, meterValue, meterValues, start, stop, time } from "../support/charging.ts"
import { until } from "../support/until.ts"
import { changeOf, type Followed, follow as followIn, TRANSPORTS } from "./follow.ts"
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

/** Subscribes and waits until the server holds the subscription open. */
const follow = (
  subscription: string,
  transport: (typeof TRANSPORTS)[number] = "socket",
  from = rig,
  bearer = token,
): Promise<Followed> => followIn(from, bearer, subscription, transport)

const reportStatus = (chargePointId: string, status: string, connectorId = 1) =>
  rig.store.change("reportStatus", {
    ...caller({ chargePointId }),
    request: { connectorId, status, errorCode: "NoError" } as never,
    statusAt: 1,
  })

const update = (chargePointId: string, change: { wireLog: boolean }) =>
  rig.store.change("updateChargePoint", { organisationId: "default", chargePointId, at: 2, change })

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a charge point's changes come in order, each with the state as of the change", async () => {
    const identity = `CP-live-${transport}`
    const changes = await follow(
      `chargePointChanged(filter: { identities: ["${identity}"] }) { cursor at kind chargePoint { identity online wireLog } connector { connectorId status } }`,
      transport,
    )
    await chargePoint(rig, "CP-somebody-else")
    const { id } = await chargePoint(rig, identity)
    const { organisationId } = { organisationId: "default" }
    await rig.store.change("goOnline", { organisationId, chargePointId: id, nodeId: "n", epoch: 1, at: 1 })
    await reportStatus(id, "SuspendedEVSE")
    await rig.store.change("updateChargePoint", { organisationId, chargePointId: id, at: 2, change: { wireLog: true } })
    await rig.store.change("deleteChargePoint", { organisationId, chargePointId: id, at: 3 })
    const told = [
      await changeOf(changes),
      await changeOf(changes),
      await changeOf(changes),
      await changeOf(changes),
      await changeOf(changes),
    ]
    expect(told).toMatchObject([
      { kind: "CREATED", chargePoint: { identity, online: false, wireLog: false }, connector: null },
      { kind: "ONLINE", chargePoint: { online: true, wireLog: false } },
      {
        kind: "CONNECTOR_STATUS",
        chargePoint: { online: true },
        connector: { connectorId: 1, status: "SUSPENDED_EVSE" },
      },
      { kind: "UPDATED", chargePoint: { wireLog: true } },
      { kind: "DELETED" },
    ])
    expect(new Set(told.map(({ cursor }) => cursor)).size).toBe(5)
    await changes.stop()
    await until("the server lets go", () => rig.subscriptions() === 0)
  })

  test("after a cursor the story goes on behind it, with nothing left out", async () => {
    const identity = `CP-again-${transport}`
    const subscription = (after: string) =>
      `chargePointChanged(filter: { identities: ["${identity}"] }${after}) { cursor kind chargePoint { wireLog } }`
    const changes = await follow(subscription(""), transport)
    const { id } = await chargePoint(rig, identity)
    const { cursor } = await changeOf(changes)
    await changes.stop()
    for (const wireLog of [true, false, true]) {
      await rig.store.change("updateChargePoint", {
        organisationId: "default",
        chargePointId: id,
        at: 2,
        change: { wireLog },
      })
    }
    const again = await follow(subscription(`, after: "${String(cursor)}"`), transport)
    const told = [await changeOf(again), await changeOf(again), await changeOf(again)]
    expect(told.map(({ chargePoint }) => (chargePoint as Data)["wireLog"])).toEqual([true, false, true])
    await again.stop()
  })

  test("a cursor that names nothing ends as CURSOR_EXPIRED", async () => {
    const answers = rig[transport](token).iterate({
      query: `subscription { chargePointChanged(after: "of another time") { cursor } }`,
    })
    const { value } = await answers.next()
    expect((value as Answer).errors?.[0]?.extensions?.code).toBe("CURSOR_EXPIRED")
    expect((await answers.next()).done).toBe(true)
    await until("the server lets go", () => rig.subscriptions() === 0)
  })

  test("a client that leaves is forgotten", async () => {
    const query = "subscription { transactionChanged { cursor } }"
    const client = rig[transport](token)
    const pending = client.iterate({ query }).next()
    await until("the subscription is open", () => rig.subscriptions() === 1)
    await client.dispose()
    await until("the server lets go", () => rig.subscriptions() === 0)
    await Promise.allSettled([pending])
  })
})

test("a transaction is followed from its start to its end, and readings are told once with their values", async () => {
  const row = await chargePoint(rig, "CP-session")
  const from = { chargePointId: row.id }
  const transactions = await follow(
    `transactionChanged(filter: { chargePoints: ["CP-session"] }) { kind transaction { transactionId state energyWh chargePoint { identity } } }`,
  )
  const readings = await follow(
    `meterValuesReceived(chargePoint: "CP-session") { kind connectorId transaction { transactionId } chargePoint { identity }
      meterValues { timestamp sampledValues { measurand unit numericValue } } }`,
    "sse",
  )
  const { transactionId } = await rig.store.change("startTransaction", start({}, from))
  const report = meterValues({ transactionId }, [meterValue(5, 1400), meterValue(10, 1800)], from)
  rig.reads.clear()
  await rig.store.change("reportMeterValues", report)
  await rig.store.change("reportMeterValues", report)
  await rig.store.change("stopTransaction", stop({ transactionId, meterStop: 3500 }, from))
  const told: Data[] = []
  while (told.at(-1)?.["kind"] !== "STOPPED") told.push(await changeOf(transactions))
  const shown = { transactionId, chargePoint: { identity: "CP-session" } }
  expect(told[0]).toMatchObject({ kind: "STARTED", transaction: { ...shown, state: "ACTIVE" } })
  expect(told.at(-1)).toMatchObject({ transaction: { ...shown, state: "ENDED", energyWh: 2500 } })
  const energy = { measurand: "ENERGY_ACTIVE_IMPORT_REGISTER", unit: "WH" }
  expect(await changeOf(readings)).toEqual({
    kind: "RECEIVED",
    connectorId: 1,
    transaction: { transactionId },
    chargePoint: { identity: "CP-session" },
    meterValues: [
      { timestamp: time(5), sampledValues: [{ ...energy, numericValue: 1400 }] },
      { timestamp: time(10), sampledValues: [{ ...energy, numericValue: 1800 }] },
    ],
  })
  expect(rig.reads.get("meterValuesByRefs")).toBe(1)
  await Promise.all([transactions.stop(), readings.stop()])
})

test("a running transaction's energy is told as of each reading, to all who follow it and with the readings' cursor", async () => {
  const [one, other] = await Promise.all(["CP-energy", "CP-energy-2"].map((name) => chargePoint(rig, name)))
  const shown = "cursor at kind left transaction { transactionId state idTag startedAt stoppedAt meterStop energyWh }"
  const changes = await follow(`transactionChanged { ${shown} }`)
  const sameTag = await follow(`transactionChanged(filter: { idTag: "Energy-1" }) { ${shown} }`, "sse")
  const active = await follow(
    `transactionChanged(filter: { chargePoints: ["CP-energy"], state: [ACTIVE] }) { ${shown} }`,
  )
  const readings = await follow(`meterValuesReceived(chargePoint: "CP-energy") { cursor }`)
  const ids: number[] = []
  for (const [index, { id }] of [one!, other!].entries()) {
    const begin = start({ idTag: `Energy-${index + 1}` }, { chargePointId: id })
    ids.push((await rig.store.change("startTransaction", begin)).transactionId)
  }
  const report = (index: number, minutes: number, wh: number) => {
    const from = { chargePointId: [one!, other!][index]!.id }
    const values = meterValues({ transactionId: ids[index]! }, [meterValue(minutes, wh)], from)
    return rig.store.change("reportMeterValues", values)
  }
  await report(0, 1, 1100)
  await report(1, 1, 1500)
  await report(0, 2, 1200)
  await rig.store.change(
    "stopTransaction",
    stop({ transactionId: ids[0]!, meterStop: 1250 }, { chargePointId: one!.id }),
  )
  const told: Data[] = []
  while (told.at(-1)?.["kind"] !== "STOPPED") told.push(await changeOf(changes))
  const brief = ({ kind, transaction }: Data) => {
    const { transactionId, state, energyWh } = transaction as Data
    return `${ids.indexOf(Number(transactionId))} ${String(kind)} ${String(state)} ${String(energyWh)}`
  }
  const ofFirst = ["0 STARTED ACTIVE null", "0 UPDATED ACTIVE 100", "0 UPDATED ACTIVE 200", "0 STOPPED ENDED 250"]
  const ofSecond = ["1 STARTED ACTIVE null", "1 UPDATED ACTIVE 500"]
  expect(told.map(brief).filter((text) => text.startsWith("0"))).toEqual(ofFirst)
  expect(told.map(brief).filter((text) => text.startsWith("1"))).toEqual(ofSecond)
  const updated = told.filter(
    ({ kind, transaction }) => kind === "UPDATED" && (transaction as Data)["idTag"] === "Energy-1",
  )
  expect(updated[0]).toMatchObject({
    left: false,
    transaction: { transactionId: ids[0], startedAt: time(0), stoppedAt: null, meterStop: null, energyWh: 100 },
  })
  const first = told.filter((change) => brief(change).startsWith("0"))
  for (const followed of [sameTag, active]) {
    const same: Data[] = []
    while (same.length < ofFirst.length) same.push(await changeOf(followed))
    expect(same.map((change): Data => ({ ...change, left: false }))).toEqual(first)
    expect(same.at(-1)?.["left"]).toBe(followed === active)
    await followed.stop()
  }
  for (const { cursor } of updated) expect(await changeOf(readings)).toEqual({ cursor })
  await Promise.all([changes.stop(), readings.stop()])

  const again = await follow(`transactionChanged(after: "${String(updated[0]!["cursor"])}") { ${shown} }`)
  const rest = told.slice(told.indexOf(updated[0]!) + 1)
  for (const change of rest) expect(await changeOf(again)).toEqual(change)
  await again.stop()
})

test("the readings of one event are loaded once, however many are told, and not at all for nobody", async () => {
  const { id } = await chargePoint(rig, "CP-many")
  const from = { chargePointId: id }
  const followers = [await follow(`meterValuesReceived(chargePoint: "CP-many") { meterValues { connectorId } }`)]
  followers.push(await follow(`meterValuesReceived { meterValues { connectorId } }`))
  rig.reads.clear()
  await rig.store.change("reportMeterValues", meterValues({}, [meterValue(1, 1)], from))
  for (const follower of followers) expect(await changeOf(follower)).toEqual({ meterValues: [{ connectorId: 1 }] })
  expect(rig.reads.get("meterValuesByRefs")).toBe(1)
  for (const follower of followers) await follower.stop()
  await until("the server lets go", () => rig.subscriptions() === 0)
  await rig.store.change("reportMeterValues", meterValues({}, [meterValue(2, 2)], from))
  expect(rig.reads.get("meterValuesByRefs")).toBe(1)
})

test("the readings of events that come together are loaded together, whoever follows them", async () => {
  const identities = ["CP-one", "CP-another"]
  const rows = await Promise.all(identities.map((identity) => chargePoint(rig, identity)))
  const followers = await Promise.all(
    identities.map((identity) =>
      follow(`meterValuesReceived(chargePoint: "${identity}") { meterValues { connectorId } }`),
    ),
  )
  rig.reads.clear()
  await Promise.all(
    rows.map(({ id }, index) =>
      rig.store.change("reportMeterValues", meterValues({}, [meterValue(index, 1)], { chargePointId: id })),
    ),
  )
  for (const follower of followers) expect(await changeOf(follower)).toEqual({ meterValues: [{ connectorId: 1 }] })
  expect(rig.reads.get("meterValuesByRefs")).toBe(1)
  for (const follower of followers) await follower.stop()
})

test("a filter by connector status tells what is within and what leaves it, and asks the store nothing", async () => {
  const { id } = await chargePoint(rig, "CP-faulted")
  const changes = await follow(
    `chargePointChanged(filter: { identities: ["CP-faulted"], connectorStatus: [FAULTED] }) { kind left connector { connectorId status } }`,
  )
  rig.reads.clear()
  await reportStatus(id, "Available")
  await reportStatus(id, "Faulted", 2)
  await update(id, { wireLog: true })
  await reportStatus(id, "Faulted")
  await reportStatus(id, "Available", 2)
  await reportStatus(id, "Available")
  await update(id, { wireLog: false })
  await reportStatus(id, "Faulted", 2)
  await rig.store.change("deleteChargePoint", { organisationId: "default", chargePointId: id, at: 3 })
  const status = (connectorId: number, word: string, left = false) => ({
    kind: "CONNECTOR_STATUS",
    left,
    connector: { connectorId, status: word },
  })
  const other = (kind: string, left = false) => ({ kind, left, connector: null })
  for (const change of [
    status(2, "FAULTED"),
    other("UPDATED"),
    status(1, "FAULTED"),
    status(2, "AVAILABLE"),
    status(1, "AVAILABLE", true),
    status(2, "FAULTED"),
    other("DELETED", true),
  ]) {
    expect(await changeOf(changes)).toEqual(change)
  }
  expect(rig.reads.get("connectorsOf")).toBeUndefined()
  await changes.stop()
})

test("a command is followed by its id and by its charge point", async () => {
  const row = await chargePoint(rig, "CP-command")
  const changes = await follow(`commandChanged(chargePoint: "CP-command") { kind command { id state action } }`)
  const command = {
    id: crypto.randomUUID(),
    organisationId: "default",
    chargePointId: row.id,
    action: "ClearCache",
    request: "{}",
    state: "Sent" as const,
    requestedBy: "test",
    requestedAt: 1,
    deadlineAt: 2,
    expiresAt: null,
    sentAt: 1,
    answeredAt: null,
    confirmation: null,
    error: null,
    idempotencyKey: null,
    requestDigest: null,
    nodeId: null,
  }
  await rig.store.change("recordCommand", { command })
  const first = await changeOf(changes)
  expect(first).toMatchObject({ kind: "CHANGED", command: { state: "SENT", action: "ClearCache" } })
  const byId = await follow(
    `commandChanged(id: "${(first["command"] as { id: string }).id}") { command { state confirmation } }`,
    "sse",
  )
  await rig.store.change("recordCommand", { command: { ...command, id: crypto.randomUUID() } })
  await rig.store.change("endCommand", {
    organisationId: "default",
    commandId: command.id,
    chargePointId: row.id,
    state: "Answered",
    at: 3,
    confirmation: `{"status":"Accepted"}`,
    error: null,
    configurationKeys: [],
  })
  expect(await changeOf(byId)).toEqual({ command: { state: "ANSWERED", confirmation: { status: "Accepted" } } })
  await Promise.all([changes.stop(), byId.stop()])
})

test("the wire of a charge point is told frame by frame to whoever watches", async () => {
  const { id } = await chargePoint(rig, "CP-wire")
  const frames = await follow(
    `messageExchanged(chargePoint: "CP-wire") { cursor kind message { direction messageType text } }`,
  )
  await until("the watch is known", () => rig.bus.isWatched(id))
  const frame = (messageId: number): MessageRow => ({
    id: messageId,
    organisationId: "default",
    chargePointId: id,
    at: 1,
    direction: "ToChargePoint",
    messageType: "CallResult",
    uniqueId: "u",
    action: "Heartbeat",
    text: `[3,"u",{}]`,
  })
  rig.bus.publishMessages(id, [frame(41), frame(42)])
  const shown = {
    kind: "EXCHANGED",
    message: { direction: "TO_CHARGE_POINT", messageType: "CALL_RESULT", text: `[3,"u",{}]` },
  }
  expect(await changeOf(frames)).toEqual({ cursor: "41", ...shown })
  expect(await changeOf(frames)).toEqual({ cursor: "42", ...shown })
  await frames.stop()
  await until("nobody watches", () => !rig.bus.isWatched(id))
})

test("the fleet's sums are told when they change, and its followers share the looking", async () => {
  const first = await follow(`fleetChanged(everyMs: 250) { cursor kind fleet { chargePoints } }`)
  await until("the first look is over", () => (rig.reads.get("fleet") ?? 0) > 0)
  const second = await follow(`fleetChanged(everyMs: 250) { fleet { chargePoints } }`, "sse")
  await chargePoint(rig, "CP-new-in-the-fleet")
  const change = await changeOf(first)
  expect(change["kind"]).toBe("CHANGED")
  expect(await changeOf(second)).toEqual({ fleet: change["fleet"] })
  const stale = await follow(`fleetChanged(everyMs: 3000, after: "other sums") { cursor fleet { chargePoints } }`)
  expect(await changeOf(stale)).toEqual({ cursor: change["cursor"], fleet: change["fleet"] })
  await Promise.all([first.stop(), second.stop(), stale.stop()])
})

test("what is asked for wrongly is an error with its code, not silence", async () => {
  const code = async (subscription: string) => {
    const { value } = await rig
      .sse(token)
      .iterate({ query: `subscription { ${subscription} }` })
      .next()
    return (value as Answer).errors?.[0]?.extensions?.code
  }
  expect(await code(`fleetChanged(everyMs: 249) { cursor }`)).toBe("BAD_USER_INPUT")
  expect(await code(`messageExchanged(chargePoint: "nobody") { cursor }`)).toBe("NOT_FOUND")
  expect(await code(`meterValuesReceived(chargePoint: "nobody") { cursor }`)).toBe("NOT_FOUND")
})

test("another organisation's changes are not told", async () => {
  await using other = await startRig({ organisations: ["elsewhere"] })
  const theirs = await other.token("Viewer", { organisationId: "elsewhere" })
  const changes = await follow(`chargePointChanged { chargePoint { identity } }`, "socket", other, theirs)
  await chargePoint(other, "OURS")
  await chargePoint(other, "THEIRS", { organisationId: "elsewhere" })
  expect(await changeOf(changes)).toEqual({ chargePoint: { identity: "THEIRS" } })
})

test("a query and a mutation's error go over the socket as well", async () => {
  const answers = rig.socket(token).iterate({ query: `{ viewer { role } }` })
  expect((await answers.next()).value).toEqual({ data: { viewer: { role: "VIEWER" } } })
  const forbidden = rig
    .socket(token)
    .iterate({ query: `mutation { deleteIdTag(input: { idTag: "x" }) { __typename } }` })
  expect((await forbidden.next()).value).toEqual({ data: { deleteIdTag: { __typename: "Forbidden" } } })
})
