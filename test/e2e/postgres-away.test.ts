/** PostgreSQL ends under load and comes back: what was acknowledged is there, once; what could not be is said again. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { CallError } from "../../bench/wire.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint, createIdTag } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { type Operator, operatorAt } from "../support/operator.ts"
import { type PostgresServer, startPostgres } from "../support/postgres.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

const CHARGE_POINTS = 8
const MESSAGES_BETWEEN_OUTAGES = 100

let postgres: PostgresServer
let ground: Ground
let node: TestNode
let operator: Operator

beforeAll(async () => {
  postgres = await startPostgres()
  ground = await openGround(postgres.url)
  node = await startTestNode({ ...ground.environment, STORE_TROUBLE_LIMIT: "3", LOG_LEVEL: "silent" })
  operator = operatorAt(node.graphqlUrl, node.token)
  await createIdTag(operator.ask, { idTag: "AWAY" })
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await ground[Symbol.asyncDispose]()
  await postgres.stop()
})

interface Session {
  startedAt: string
  identity: string
  transactionId: number
  energyWh: number
}

/** Charge points that charge without a pause until told to end; `sessions` holds what was acknowledged. */
async function startLoad() {
  const sessions: Session[] = []
  const errors: unknown[] = []
  let acknowledged = 0
  let ending = false
  const charge = async (chargePoint: ChargePoint, index: number): Promise<void> => {
    for (let round = 0; !ending; round++) {
      const begin = Date.UTC(2026, 0, 1, index) + round * 60_000
      const startedAt = new Date(begin).toISOString()
      const { transactionId } = await chargePoint.deliver("StartTransaction", {
        connectorId: 1,
        idTag: "AWAY",
        meterStart: round * 1000,
        timestamp: startedAt,
      })
      acknowledged++
      await chargePoint.deliver("StopTransaction", {
        transactionId,
        meterStop: round * 1000 + 300 + index,
        timestamp: new Date(begin + 50_000).toISOString(),
      })
      acknowledged++
      sessions.push({ startedAt, identity: chargePoint.identity, transactionId, energyWh: 300 + index })
    }
  }
  const chargePoints: ChargePoint[] = []
  for (let index = 0; index < CHARGE_POINTS; index++) {
    const identity = `LOAD-${index}`
    await createChargePoint(operator.ask, { identity })
    const chargePoint = new ChargePoint({ url: node.ocppUrl, identity, reconnect: { minMs: 20, maxMs: 200 } })
    chargePoint.backlog.attempts = 1000
    chargePoint.backlog.retryIntervalMs = 5
    await chargePoint.connect()
    await chargePoint.boot()
    chargePoints.push(chargePoint)
  }
  const loads = chargePoints.map((chargePoint, index) =>
    charge(chargePoint, index).catch((cause) => errors.push(cause)),
  )
  return {
    chargePoints,
    async more() {
      const goal = acknowledged + MESSAGES_BETWEEN_OUTAGES
      await until("charging goes on", () => acknowledged >= goal, 30_000)
    },
    async end() {
      ending = true
      await Promise.all(loads)
      await Promise.all(chargePoints.map((chargePoint) => chargePoint.close()))
      expect(errors).toEqual([])
      return sessions
    },
  }
}

const closesOf = (chargePoints: readonly ChargePoint[]): number =>
  chargePoints.reduce((sum, { statistics }) => sum + statistics.closed, 0)

test("nothing acknowledged is lost or doubled, through a short outage and a long one", async () => {
  await createChargePoint(operator.ask, { identity: "KNOCKING" })
  const load = await startLoad()
  await load.more()

  // Short: nobody is sent away; who is refused says it again.
  await postgres.restart()
  await load.more()
  expect(closesOf(load.chargePoints)).toBe(0)

  // Long: sockets are closed and upgrades refused, so that charge points keep what they have to say.
  await postgres.kill()
  const [first] = load.chargePoints
  expect(await first?.waitForClose(20_000)).toMatchObject({ code: 1013 })
  const refused = await fetch(`${node.ocppUrl.replace("ws:", "http:")}/KNOCKING`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol": "ocpp1.6",
    },
  })
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0)
  expect((await fetch(node.graphqlUrl.replace("/graphql", "/readyz"))).status).toBe(503)
  expect((await fetch(node.graphqlUrl.replace("/graphql", "/healthz"))).status).toBe(200)
  await postgres.restart()
  await load.more()
  const sessions = await load.end()

  const stored = (await operator.transactions()).filter(({ chargePoint }) => chargePoint.identity.startsWith("LOAD-"))
  const summary = stored.map(({ transactionId, startedAt, chargePoint, energyWh, state }) => ({
    startedAt,
    identity: chargePoint.identity,
    transactionId,
    energyWh,
    state,
  }))
  const byId = (one: { transactionId: number }, other: { transactionId: number }) =>
    one.transactionId - other.transactionId
  expect(summary.sort(byId)).toEqual(sessions.map((session) => ({ ...session, state: "ENDED" })).sort(byId))
})

test("a CALL that cannot be stored is answered with InternalError, and counts once when it is said again", async () => {
  await createChargePoint(operator.ask, { identity: "REFUSED" })
  await using chargePoint = await connectChargePoint({ url: node.ocppUrl, identity: "REFUSED" })
  await chargePoint.boot()
  const request = {
    connectorId: 1,
    idTag: "AWAY",
    meterStart: 0,
    timestamp: new Date(Date.UTC(2026, 1, 1)).toISOString(),
  }
  await postgres.kill()
  const refusal = await chargePoint.call("StartTransaction", request).catch((cause: unknown) => cause)
  expect(refusal).toBeInstanceOf(CallError)
  expect((refusal as CallError).code).toBe("InternalError")
  await postgres.restart()
  const { transactionId } = await until("it is taken", () =>
    chargePoint.call("StartTransaction", request).catch((cause: unknown) => {
      if (!(cause instanceof CallError)) throw cause
      return undefined
    }),
  )
  const stored = (await operator.transactions()).filter(({ chargePoint }) => chargePoint.identity === "REFUSED")
  expect(stored.map((transaction) => transaction.transactionId)).toEqual([transactionId])
})
