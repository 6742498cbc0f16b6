/** Several nodes on one PostgreSQL and one Redis are one central system, whichever of them is asked. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { CallError } from "../../bench/wire.ts"
import { Closing } from "../../src/closing.ts"
import { readConfig } from "../../src/config.ts"
import { createLog } from "../../src/log.ts"
import { openResources } from "../../src/resources.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint, createIdTag } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { follow, type Operator, operatorAt } from "../support/operator.ts"
import { startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

// A killed node counts as alive until its lease has run out.
setDefaultTimeout(60_000)

let ground: Ground
let count = 0

beforeAll(async () => {
  ground = await openGround()
})

afterAll(() => ground[Symbol.asyncDispose]())

const operatorOf = ({ graphqlUrl, token }: TestNode): Operator => operatorAt(graphqlUrl, token)

/** A charge point of a test's own, made known through one node. */
async function newIdentity(operator: Operator, input: Record<string, unknown> = {}): Promise<string> {
  const identity = `CLUSTER-${++count}`
  await createChargePoint(operator.ask, { identity, ...input })
  return identity
}

async function boot(url: string, identity: string): Promise<ChargePoint> {
  const chargePoint = await connectChargePoint({ url, identity })
  chargePoint.onCall("ClearCache", () => ({ status: "Accepted" }))
  await chargePoint.boot()
  return chargePoint
}

/** What a worker on a third node does that finds nobody holding the charge point. */
async function takeForGone(identity: string): Promise<void> {
  const log = createLog("silent")
  await using closing = new Closing(log)
  const config = readConfig({ ...ground.environment, ROLES: "worker" })
  const { store } = await openResources(config, { log, clock: { now: Date.now }, closing })
  const row = await store.read.chargePointByIdentity(identity)
  if (row === undefined) throw new Error(`${identity} is unknown`)
  const { organisationId, id: chargePointId, epoch, lastSeenAt } = row
  await store.change("goOffline", { organisationId, chargePointId, epoch, at: Date.now(), lastSeenAt })
}

const at = (minute: number): string => new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString()

describe("two nodes that do everything", () => {
  let a: TestNode
  let b: TestNode
  let atA: Operator
  let atB: Operator

  beforeAll(async () => {
    ;[a, b] = await Promise.all([startTestNode(ground.environment), startTestNode(ground.environment)])
    atA = operatorOf(a)
    atB = operatorOf(b)
    await createIdTag(atA.ask, { idTag: "CLUSTER" })
  })

  afterAll(async () => {
    await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
  })

  test("a charge point on one node answers a command given to the other", async () => {
    await using chargePoint = await boot(a.ocppUrl, await newIdentity(atA))
    chargePoint.onCall("ClearCache", () => ({ status: "Rejected" }))
    expect(await atB.clearCache(chargePoint.identity)).toMatchObject({
      __typename: "ClearCacheConfirmation",
      status: "REJECTED",
      command: { state: "ANSWERED" },
    })
    chargePoint.onCall("ClearCache", () => {
      throw new CallError("InternalError", "no cache today")
    })
    expect(await atB.clearCache(chargePoint.identity)).toMatchObject({
      __typename: "CallError",
      code: "InternalError",
      description: "no cache today",
    })
  })

  test("the same idempotencyKey given to both nodes at once is one CALL", async () => {
    await using chargePoint = await boot(a.ocppUrl, await newIdentity(atA))
    let calls = 0
    chargePoint.onCall("ClearCache", () => {
      calls++
      return { status: "Accepted" }
    })
    const idempotencyKey = crypto.randomUUID()
    await Promise.all(
      [atA, atB, atA, atB].map((operator) => operator.clearCache(chargePoint.identity, { idempotencyKey })),
    )
    const again = await atB.clearCache(chargePoint.identity, { idempotencyKey })
    expect(again).toMatchObject({ status: "ACCEPTED" })
    expect(calls).toBe(1)
  })

  test("a charge point that moves is reachable at once through both nodes, and its old socket is closed", async () => {
    const identity = await newIdentity(atA)
    await using before = await boot(a.ocppUrl, identity)
    before.onCall("ClearCache", () => ({ status: "Rejected" }))
    await using after = await boot(b.ocppUrl, identity)
    const told = await Promise.all([atA.clearCache(identity), atB.clearCache(identity)])
    expect(told.map(({ status }) => status)).toEqual(["ACCEPTED", "ACCEPTED"])
    expect(await before.waitForClose()).toMatchObject({ code: 1001 })
    expect(await atA.isOnline(identity)).toBe(true)
    expect(await after.call("Heartbeat")).toHaveProperty("currentTime")
    expect(await atB.isOnline(identity)).toBe(true)
  })

  test("a transaction begun on one node ends on the other, with the right energy", async () => {
    const identity = await newIdentity(atA)
    const before = await boot(a.ocppUrl, identity)
    const request = { connectorId: 1, idTag: "CLUSTER", meterStart: 1000, timestamp: at(0) }
    const started = await before.call("StartTransaction", request)
    before.terminate()
    await using after = await boot(b.ocppUrl, identity)
    expect(await after.call("StartTransaction", request)).toEqual(started)
    const { transactionId } = started
    await after.call("StopTransaction", { transactionId, meterStop: 1750, timestamp: at(30) })
    for (const operator of [atA, atB])
      expect(await operator.transaction(transactionId)).toMatchObject({ state: "ENDED", energyWh: 750 })
  })

  test("what an operator changes through one node holds for the connection on the other", async () => {
    await using chargePoint = await boot(a.ocppUrl, await newIdentity(atA))
    const lenient = { connectorId: "1", errorCode: "NoError", status: "Available" }
    await chargePoint.call("StatusNotification", lenient)
    await atB.ask(
      `mutation ($input: UpdateChargePointInput!) { updateChargePoint(input: $input) { __typename ... on Error { message } } }`,
      { input: { identity: chargePoint.identity, leniency: "STRICT" } },
    )
    await until("the connection is strict", () =>
      chargePoint.call("StatusNotification", lenient).then(
        () => false,
        (cause: unknown) => cause instanceof CallError && cause.code === "TypeConstraintViolation",
      ),
    )
  })

  test("a charge point wrongly taken for gone comes back with its next message", async () => {
    await using chargePoint = await boot(a.ocppUrl, await newIdentity(atA))
    await using changes = await follow<{ kind: string; chargePoint: { identity: string } }>(
      atB,
      `chargePointChanged(filter: { identities: ["${chargePoint.identity}"] }) { kind chargePoint { identity } }`,
    )
    await takeForGone(chargePoint.identity)
    await until("it is back", async () => {
      await chargePoint.call("Heartbeat")
      return atB.isOnline(chargePoint.identity)
    })
    await until("both were told", () => changes.items.map(({ kind }) => kind).join() === "OFFLINE,ONLINE")
    expect(chargePoint.online).toBe(true)
  })

  test("a charge point deleted through one node loses its socket on the other", async () => {
    await using chargePoint = await boot(a.ocppUrl, await newIdentity(atA))
    await atB.ask(
      `mutation ($input: DeleteChargePointInput!) { deleteChargePoint(input: $input) { __typename ... on Error { message } } }`,
      { input: { identity: chargePoint.identity } },
    )
    expect(await chargePoint.waitForClose()).toMatchObject({ code: 1008 })
  })
})

describe("one node per role", () => {
  test("boot, charging, commands and what is told of them go from the gateway's node to the API's", async () => {
    await using split = await openGround()
    // The worker first: nobody shows the first token but a node with the API.
    await using worker = await startServerProcess(split.environment, [], "workers/main.ts")
    await using gateway = await startTestNode({ ...split.environment, ROLES: "gateway" })
    await using api = await startTestNode({ ...split.environment, ROLES: "api" })
    const operator = operatorOf(api)
    const identity = await newIdentity(operator)
    await createIdTag(operator.ask, { idTag: "SPLIT" })
    await using changes = await follow<{ kind: string }>(operator, "chargePointChanged { kind }")
    await using transactions = await follow<{ kind: string }>(operator, "transactionChanged { kind }")
    await using readings = await follow<{ meterValues: unknown[] }>(
      operator,
      "meterValuesReceived { meterValues { timestamp } }",
    )
    await using frames = await follow<{ message: { action: string } }>(
      operator,
      `messageExchanged(chargePoint: "${identity}") { message { action } }`,
    )

    await using chargePoint = await boot(gateway.ocppUrl, identity)
    const { transactionId } = await chargePoint.call("StartTransaction", {
      connectorId: 1,
      idTag: "SPLIT",
      meterStart: 0,
      timestamp: at(0),
    })
    await chargePoint.call("MeterValues", {
      connectorId: 1,
      transactionId,
      meterValue: [{ timestamp: at(1), sampledValue: [{ value: "400" }] }],
    })
    expect(await operator.clearCache(identity)).toMatchObject({ status: "ACCEPTED", command: { state: "ANSWERED" } })
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 900, timestamp: at(2) })
    expect(await operator.transaction(transactionId)).toMatchObject({ state: "ENDED", energyWh: 900 })

    await until("the charge point's story is told", () =>
      ["ONLINE", "BOOTED", "CONNECTOR_STATUS"].every((kind) => changes.items.some((item) => item.kind === kind)),
    )
    await until("the transaction's story is told", () => transactions.items.at(-1)?.kind === "STOPPED")
    expect(transactions.items[0]).toEqual({ kind: "STARTED" })
    await until("the reading is told", () => readings.items.length === 1)
    await until("the frames are told", () => frames.items.some(({ message }) => message.action === "ClearCache"))

    const { clusterNodes } = await operator.ask<{ clusterNodes: { roles: string[] }[] }>("{ clusterNodes { roles } }")
    expect(clusterNodes.map(({ roles }) => roles.join()).sort()).toEqual(["api", "gateway", "worker"])
    expect(worker.output).toContain("Busbar is working")
    expect(await worker.stop()).toBe(0)
  })
})

describe("a node killed without warning", () => {
  test("its charge points go offline, but for those that have come to another node meanwhile", async () => {
    await using shared = await openGround()
    const environment = { ...shared.environment, NODE_LEASE: "2" }
    await using killed = await startServerProcess({ ...environment, ROLES: "gateway" })
    // Without an API it can be watched all the same.
    expect((await fetch(killed.readyUrl)).status).toBe(200)
    expect(await (await fetch(killed.readyUrl.replace("readyz", "metrics"))).text()).toContain("busbar_")
    expect((await fetch(killed.readyUrl.replace("readyz", "graphql"))).status).toBe(404)
    await using left = await startTestNode(environment)
    const operator = operatorOf(left)
    await createIdTag(operator.ask, { idTag: "KILLED" })
    const staying = await boot(killed.ocppUrl, await newIdentity(operator))
    const moving = await boot(killed.ocppUrl, await newIdentity(operator))
    const request = { connectorId: 1, idTag: "KILLED", meterStart: 1000, timestamp: at(0) }
    const { transactionId } = await moving.call("StartTransaction", request)
    await using changes = await follow<{ kind: string; chargePoint: { identity: string } }>(
      operator,
      "chargePointChanged { kind chargePoint { identity } }",
    )
    staying.onCall("ClearCache", () => new Promise(() => undefined))
    const inFlight = operator.clearCache(staying.identity, { timeoutMs: 2_000 })
    await staying.waitForCall("ClearCache")
    await killed.kill()

    await using moved = await boot(left.ocppUrl, moving.identity)
    await moved.call("StopTransaction", { transactionId, meterStop: 1500, timestamp: at(9) })
    expect(await operator.transaction(transactionId)).toMatchObject({ state: "ENDED", energyWh: 500 })
    expect(await operator.clearCache(moving.identity)).toMatchObject({ status: "ACCEPTED" })
    // Nobody answers for the other one, and nobody is kept waiting for that to show.
    expect((await operator.clearCache(staying.identity)).__typename).toBeOneOf(["Unavailable", "ChargePointOffline"])
    expect(await inFlight).toMatchObject({ __typename: "CallTimeout" })
    await until("the one left behind is offline", async () => !(await operator.isOnline(staying.identity)), 45_000)
    expect(await operator.isOnline(moving.identity)).toBe(true)
    expect(await operator.clearCache(staying.identity)).toMatchObject({ __typename: "ChargePointOffline" })
    await until("what it was asked has ended", async () =>
      (await operator.commandStates(staying.identity)).includes("TIMED_OUT"),
    )
    await until("that is told", () => changes.items.some(({ kind }) => kind === "OFFLINE"))
    const offline = changes.items.filter(({ kind }) => kind === "OFFLINE")
    expect(offline.map(({ chargePoint }) => chargePoint.identity)).toEqual([staying.identity])
  })
})
