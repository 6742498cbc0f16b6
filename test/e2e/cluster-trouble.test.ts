/** Nodes that are paused, cut off or killed harm nobody: three of them, in processes of their own, on wires of their own. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { ConnectionLost } from "../../bench/wire.ts"
import { NumberedSocket, type ShakyNode, startShakyNode } from "../support/chaos.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint, createIdTag } from "../support/graphql.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

const LEASE_S = 2

let ground: Ground
let a: ShakyNode
let b: ShakyNode
let c: ShakyNode
let count = 0

const start = () => startShakyNode(ground, { NODE_LEASE: String(LEASE_S), STORE_TROUBLE_LIMIT: "1" })

beforeAll(async () => {
  ground = await openGround()
  ;[a, b, c] = await Promise.all([start(), start(), start()])
  await createIdTag(a.operator.ask, { idTag: "TROUBLE" })
})

afterEach(() => {
  for (const node of [a, b, c]) {
    node.resume()
    node.toRedis.resume()
    node.toStore.resume()
  }
})

afterAll(async () => {
  await Promise.all([a, b, c].map((node) => node[Symbol.asyncDispose]()))
  await ground[Symbol.asyncDispose]()
})

async function newIdentity(node: ShakyNode): Promise<string> {
  const identity = `TROUBLE-${++count}`
  await createChargePoint(node.operator.ask, { identity })
  return identity
}

/** A socket that is booted and has told its number as the state of connector 1. */
async function opened(node: ShakyNode, identity: string, number: number): Promise<NumberedSocket> {
  const socket = await until("the socket is open", () => NumberedSocket.open(node, identity, number, 10_000))
  await socket.boot()
  expect(socket.acceptedAt).toBeDefined()
  await socket.report()
  return socket
}

async function boot(node: ShakyNode, identity: string): Promise<ChargePoint> {
  const chargePoint = await connectChargePoint({ url: node.process.ocppUrl, identity })
  chargePoint.onCall("ClearCache", () => ({ status: "Accepted" }))
  await chargePoint.boot()
  return chargePoint
}

/** The number of the socket that answers a command given at this node; else how the command ended. */
async function answererOf(identity: string, node: ShakyNode): Promise<string> {
  const { result } = await node.operator.ask<{ result: { __typename: string; data?: string } }>(
    `mutation ($input: DataTransferInput!) {
      result: dataTransfer(input: $input) { __typename ... on DataTransferConfirmation { data } }
    }`,
    { input: { chargePoint: identity, vendorId: "number", timeoutMs: 3000 } },
  )
  return result.data ?? result.__typename
}

interface Held {
  online: boolean
  heldBy: { nodeId: string } | null
  connectors: { connectorId: number; info: string | null }[]
}

async function stateOf(identity: string, node: ShakyNode): Promise<Held> {
  const { chargePoint } = await node.operator.ask<{ chargePoint: Held }>(
    "query ($identity: String!) { chargePoint(identity: $identity) { online heldBy { nodeId } connectors { connectorId info } } }",
    { identity },
  )
  return chargePoint
}

async function nodesSeenBy(node: ShakyNode): Promise<number> {
  const { clusterNodes } = await node.operator.ask<{ clusterNodes: object[] }>("{ clusterNodes { nodeId } }")
  return clusterNodes.length
}

/** One owner, this socket, whichever node is asked. */
async function expectOwner(identity: string, socket: NumberedSocket, nodes: readonly ShakyNode[]): Promise<void> {
  for (const node of nodes) {
    expect(await answererOf(identity, node)).toBe(String(socket.number))
    const { online, connectors } = await stateOf(identity, node)
    expect(online).toBe(true)
    expect(connectors.find(({ connectorId }) => connectorId === 1)?.info).toBe(`socket ${socket.number}`)
  }
  expect(socket.closed).toBeUndefined()
}

const startRequest = { connectorId: 1, idTag: "TROUBLE", meterStart: 0, timestamp: "2026-05-01T12:00:00Z" }

test("a node that stood still for longer than its lease answers nothing to a socket that is no longer the newest", async () => {
  const identity = await newIdentity(a)
  const older = await opened(a, identity, 1)
  a.pause()
  for (const ask of [older.call("Heartbeat"), older.report(), older.call("StartTransaction", startRequest)]) void ask
  const newer = await opened(b, identity, 2)
  await until("its lease is over", async () => (await nodesSeenBy(b)) === 2)
  const answered = older.answers.length
  a.resume()
  await until("the older socket is closed", () => older.closed !== undefined)
  expect(older.closed).toBe("1001 replaced by a newer connection")
  expect(older.answers.length).toBe(answered)
  await expectOwner(identity, newer, [a, b, c])
})

test("a node that does not hear what the others say asks the books before it answers", async () => {
  const identity = await newIdentity(a)
  const staying = await opened(a, await newIdentity(a), 1)
  const older = await opened(a, identity, 1)
  a.toRedis.pause("down")
  const newer = await opened(b, identity, 2)
  const answered = older.answers.length
  void older.call("Heartbeat")
  expect(await staying.call("Heartbeat")).toHaveProperty("currentTime")
  await until("the older socket is closed", () => older.closed !== undefined)
  expect(older.answers.length).toBe(answered)
  a.toRedis.resume()
  expect(staying.closed).toBeUndefined()
  await expectOwner(identity, newer, [b, c])
})

test("a node cut off from Redis goes on serving its charge points; one that has moved on is its no longer", async () => {
  const moving = await opened(a, await newIdentity(a), 1)
  const identity = `TROUBLE-${count}`
  await using staying = await boot(a, await newIdentity(a))
  a.toRedis.refuse()
  await until("the node says so", async () => !(await fetch(a.process.readyUrl)).ok)
  expect(await staying.call("Heartbeat")).toHaveProperty("currentTime")
  const { transactionId } = await staying.call("StartTransaction", startRequest)
  const newer = await opened(b, identity, 2)
  const answered = moving.answers.length
  void moving.call("Heartbeat")
  await until("the older socket is closed", () => moving.closed !== undefined)
  expect(moving.answers.length).toBe(answered)
  await until("its lease is over", async () => (await nodesSeenBy(c)) === 2)

  a.toRedis.resume()
  await until("the node is back", async () => (await fetch(a.process.readyUrl)).ok)
  await until("the one that stayed is commanded again", async () => {
    await staying.call("Heartbeat")
    return (await b.operator.clearCache(staying.identity)).status === "ACCEPTED"
  })
  await until("it is online again", () => c.operator.isOnline(staying.identity))
  await staying.call("StopTransaction", { transactionId, meterStop: 500, timestamp: "2026-05-01T12:30:00Z" })
  expect(await b.operator.transaction(transactionId)).toMatchObject({ state: "ENDED", energyWh: 500 })
  await expectOwner(identity, newer, [a, b, c])
})

test("a node to which Redis keeps its connections and says nothing is not ready", async () => {
  a.toRedis.pause()
  await until("the node says so", async () => !(await fetch(a.process.readyUrl)).ok)
  a.toRedis.resume()
  await until("the node is back", async () => (await fetch(a.process.readyUrl)).ok)
})

test("a socket opened at a node that is cut off from Redis wins when the wire is back", async () => {
  const identity = await newIdentity(a)
  const older = await opened(b, identity, 1)
  a.toRedis.refuse()
  await until("the node says so", async () => !(await fetch(a.process.readyUrl)).ok)
  const newer = await opened(a, identity, 2)
  a.toRedis.resume()
  await until("the older socket is closed", () => older.closed !== undefined)
  await until("the newer one is commanded", async () => (await answererOf(identity, c)) === "2")
  await expectOwner(identity, newer, [a, b, c])
})

test("a node cut off from PostgreSQL alone sends its charge points away; another one takes them", async () => {
  await using chargePoint = await boot(a, await newIdentity(a))
  a.toStore.refuse()
  // Something has to be written before the trouble shows.
  const lost = chargePoint.call("StartTransaction", startRequest).catch((cause: unknown) => cause)
  expect(await chargePoint.waitForClose(20_000)).toMatchObject({ code: 1013 })
  expect(await lost).toBeInstanceOf(Error)
  const refused = connectChargePoint({ url: a.process.ocppUrl, identity: chargePoint.identity })
  expect(await refused.catch((cause: unknown) => cause)).toBeInstanceOf(ConnectionLost)
  await using moved = await boot(b, chargePoint.identity)
  expect(await moved.call("StartTransaction", startRequest)).toHaveProperty("transactionId")
  a.toStore.resume()
  await until("charge points are admitted again", async () => (await fetch(a.process.readyUrl)).ok)
  expect(await c.operator.clearCache(moved.identity)).toMatchObject({ status: "ACCEPTED" })
  await using back = await boot(a, await newIdentity(a))
  expect(await back.call("Heartbeat")).toHaveProperty("currentTime")
  expect(moved.online).toBe(true)
})

test("from every node to every node's charge point, and after each move at once", async () => {
  const nodes = [a, b, c]
  const sockets = await Promise.all(nodes.map(async (node) => opened(node, await newIdentity(node), 1)))
  const identities = sockets.map((_, index) => `TROUBLE-${count - nodes.length + 1 + index}`)
  const identity = identities[0] ?? ""
  for (const asked of nodes) for (const one of identities) expect(await answererOf(one, asked)).toBe("1")
  // It closes here and opens there.
  const [first] = sockets
  first?.close()
  const second = await opened(b, identity, 2)
  await expectOwner(identity, second, nodes)
  // It opens there without a word here.
  const third = await opened(c, identity, 3)
  await expectOwner(identity, third, nodes)
  expect(second.closed).toBe("1001 replaced by a newer connection")
  const { clusterNodes } = await a.operator.ask<{ clusterNodes: ClusterNode[] }>(CLUSTER)
  const held = clusterNodes.map(({ holds }) => holds.edges.map(({ node }) => node.identity))
  expect(held.filter((list) => list.includes(identity))).toHaveLength(1)
  for (const { chargePoints, holds } of clusterNodes)
    expect([holds.totalCount, holds.edges.length]).toEqual([chargePoints, chargePoints])
  expect((await stateOf(identity, a)).heldBy).toEqual({
    nodeId: clusterNodes.find(({ holds }) => holds.edges.some(({ node }) => node.identity === identity))?.nodeId ?? "",
  })
})

interface ClusterNode {
  nodeId: string
  chargePoints: number
  holds: { totalCount: number; edges: { node: { identity: string } }[] }
}

const CLUSTER = "{ clusterNodes { nodeId chargePoints holds(first: 100) { totalCount edges { node { identity } } } } }"

// The last one: it takes a node away.
test("a node killed without a word: its charge points are absent within the lease, free at once, and nothing is sent twice", async () => {
  const killed = await start()
  try {
    await using staying = await boot(killed, await newIdentity(a))
    const moving = await boot(killed, await newIdentity(a))
    let cleared = 0
    moving.onCall("ClearCache", () => {
      cleared++
      return new Promise(() => undefined)
    })
    const underWay = a.operator.clearCache(moving.identity, { timeoutMs: 2_000 })
    await moving.waitForCall("ClearCache")
    await killed.process.kill()
    await using moved = await boot(b, moving.identity)
    expect(await c.operator.clearCache(moved.identity)).toMatchObject({ status: "ACCEPTED" })
    expect(await underWay).toMatchObject({ __typename: "CallTimeout" })
    await until("the books say so", async () => (await c.operator.commandStates(moved.identity)).includes("TIMED_OUT"))
    expect(cleared).toBe(1)
    await until(
      "the one left behind is absent",
      async () => (await c.operator.clearCache(staying.identity)).__typename === "ChargePointOffline",
    )
    expect(await nodesSeenBy(c)).toBe(3)
  } finally {
    await killed[Symbol.asyncDispose]()
  }
})
