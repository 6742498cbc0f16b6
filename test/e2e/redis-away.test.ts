/** Redis ends under a running node and comes back: charge points notice nothing, and nothing of the story is missing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { createClient } from "redis"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint, createIdTag } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { follow, type Operator, operatorAt } from "../support/operator.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

let count = 0

async function booted(node: TestNode, operator: Operator): Promise<ChargePoint> {
  const identity = `AWAY-${++count}`
  await createChargePoint(operator.ask, { identity })
  const chargePoint = await connectChargePoint({ url: node.ocppUrl, identity })
  chargePoint.onCall("ClearCache", () => ({ status: "Accepted" }))
  await chargePoint.boot()
  return chargePoint
}

const at = (minute: number): string => new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString()

const startRequest = (minute: number) => ({ connectorId: 1, idTag: "AWAY", meterStart: 1000, timestamp: at(minute) })

const isReady = async ({ graphqlUrl }: TestNode): Promise<boolean> =>
  (await fetch(graphqlUrl.replace("/graphql", "/readyz"))).ok

/** Everything that must hold while Redis is away, and after its return. */
async function throughAnOutage(
  node: TestNode,
  { away, back }: { away(): Promise<void>; back(): Promise<void> },
): Promise<void> {
  const operator = operatorAt(node.graphqlUrl, node.token)
  await createIdTag(operator.ask, { idTag: "AWAY" })
  await using chargePoint = await booted(node, operator)
  await using moving = await booted(node, operator)
  await createChargePoint(operator.ask, { identity: `AWAY-NEW-${++count}` })
  const newIdentity = `AWAY-NEW-${count}`
  await using transactions = await follow<{ kind: string; transaction: { transactionId: number } }>(
    operator,
    "transactionChanged { kind transaction { transactionId } }",
  )

  await away()
  await until("the node says so", async () => !(await isReady(node)))
  const { transactionId, idTagInfo } = await chargePoint.call("StartTransaction", startRequest(0))
  expect(idTagInfo).toEqual({ status: "Accepted" })
  expect(await chargePoint.call("Heartbeat")).toHaveProperty("currentTime")
  expect((await operator.clearCache(chargePoint.identity)).__typename).toBe("Unavailable")
  await using arrived = await connectChargePoint({ url: node.ocppUrl, identity: newIdentity })
  arrived.onCall("ClearCache", () => ({ status: "Accepted" }))
  expect(await arrived.boot()).toMatchObject({ status: "Accepted" })
  await using again = await connectChargePoint({ url: node.ocppUrl, identity: moving.identity })
  again.onCall("ClearCache", () => ({ status: "Accepted" }))
  expect(await moving.waitForClose()).toMatchObject({ code: 1001 })
  const { transactionId: second } = await again.call("StartTransaction", startRequest(1))

  await back()
  await until("the node serves again", () => isReady(node))
  for (const { identity } of [chargePoint, arrived, again])
    await until(`${identity} can be commanded again`, async () => {
      const { __typename } = await operator.clearCache(identity)
      // Known to be there by the books, and by nobody's word to be gone.
      expect(__typename).not.toBe("CallError")
      return __typename === "ClearCacheConfirmation"
    })
  await chargePoint.call("StopTransaction", { transactionId, meterStop: 1500, timestamp: at(5) })
  await again.call("StopTransaction", { transactionId: second, meterStop: 1700, timestamp: at(5) })

  // A story that Redis has kept goes on where it stopped; one that it has lost ends, and begins anew for who asks again.
  const told = () => transactions.items.map(({ kind, transaction }) => `${kind} ${transaction.transactionId}`)
  await until("the story is complete", () => told().length >= 4)
  expect(told().sort()).toEqual(
    [`STARTED ${transactionId}`, `STARTED ${second}`, `STOPPED ${transactionId}`, `STOPPED ${second}`].sort(),
  )
  for (const chargePointThere of [chargePoint, arrived, again])
    expect(await operator.isOnline(chargePointThere.identity)).toBe(true)
}

describe("a redis-server of the node's own", () => {
  test("is restarted when it dies, and charging goes on meanwhile", async () => {
    await using node = await startTestNode({ LOG_LEVEL: "fatal" })
    const socket = join(node.dataDir, "redis", "redis.sock")
    const serverPid = async (): Promise<number> => {
      const client = createClient({ socket: { path: socket, tls: false } })
      client.on("error", () => undefined)
      await client.connect()
      const info = await client.info("server")
      client.destroy()
      return Number(/process_id:(\d+)/.exec(info)?.[1])
    }
    // Killed again and again, because the node starts it again.
    let killing: Timer | undefined
    const kill = () =>
      serverPid().then(
        (pid) => process.kill(pid, "SIGKILL"),
        () => undefined,
      )
    await throughAnOutage(node, {
      away: async () => {
        await kill()
        killing = setInterval(() => void kill(), 20)
      },
      back: async () => clearInterval(killing),
    })
  })
})

describe("a Redis that nodes share", () => {
  let ground: Ground

  beforeAll(async () => {
    ground = await openGround()
  })

  afterAll(() => ground[Symbol.asyncDispose]())

  test("may restart under a node", async () => {
    await using node = await startTestNode(ground.environment)
    await throughAnOutage(node, { away: () => ground.redis.kill(), back: () => ground.redis.restart() })
  })

  test("while it is away a charge point may move to another node: on its return the newest opening has won", async () => {
    await using a = await startTestNode(ground.environment)
    await using b = await startTestNode(ground.environment)
    const operator = operatorAt(a.graphqlUrl, a.token)
    await using before = await booted(a, operator)
    before.onCall("ClearCache", () => ({ status: "Rejected" }))
    await ground.redis.kill()
    await until("both nodes say so", async () => !(await isReady(a)) && !(await isReady(b)))
    await using after = await connectChargePoint({ url: b.ocppUrl, identity: before.identity })
    after.onCall("ClearCache", () => ({ status: "Accepted" }))
    await after.boot()
    await ground.redis.restart()
    expect(await before.waitForClose(15_000)).toMatchObject({ code: 1001 })
    await until("the new socket is commanded", async () => {
      const { status } = await operator.clearCache(before.identity)
      return status === "ACCEPTED"
    })
    expect(await operator.isOnline(before.identity)).toBe(true)
  })

  test("may come back empty: sockets and ownership stay, who followed is told to begin anew", async () => {
    await using node = await startTestNode({ ...ground.environment, LOG_LEVEL: "fatal" })
    const operator = operatorAt(node.graphqlUrl, node.token)
    await using chargePoint = await booted(node, operator)
    await using before = await follow(operator, "chargePointChanged { kind }")
    const client = createClient({ url: ground.redis.url })
    await client.connect()
    await client.flushAll()
    client.destroy()
    expect(JSON.stringify(await before.ended)).toContain("CURSOR_EXPIRED")
    await until("it is commanded again", async () => {
      const { __typename } = await operator.clearCache(chargePoint.identity)
      return __typename === "ClearCacheConfirmation"
    })
    await using after = await follow<{ kind: string }>(operator, "chargePointChanged { kind }")
    await chargePoint.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" })
    await until("the story goes on", () => after.items.some(({ kind }) => kind === "CONNECTOR_STATUS"))
    expect(await operator.isOnline(chargePoint.identity)).toBe(true)
  })
})
