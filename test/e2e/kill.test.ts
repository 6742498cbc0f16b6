/** A node killed without warning has everything it acknowledged, once, with the right energy. */
import { expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startServerProcess } from "../support/server-process.ts"
import type { ServerProcess } from "../support/server-process.ts"

const CHARGE_POINTS = 10
const KILLS = 3
/** Acknowledged messages between two kills. */
const MESSAGES_BETWEEN_KILLS = 150
const TOKEN = "a-token-of-the-kill-test"

interface Session {
  chargePoint: string
  startedAt: string
  meterStart: number
  transactionId?: number
  meterStop?: number
}

const TRANSACTIONS = `query ($after: String) {
  transactions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { transactionId startedAt meterStart meterStop energyWh state chargePoint { identity } meterValues(first: 10) { edges { node { timestamp } } } } }
  }
}`

interface Stored {
  transactionId: number
  startedAt: string
  meterStart: number
  meterStop: number | null
  energyWh: number | null
  state: string
  chargePoint: { identity: string }
  meterValues: { edges: { node: { timestamp: string } }[] }
}

interface Page {
  transactions: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; edges: { node: Stored }[] }
}

test("what was acknowledged before kill -9 is stored once, with the right energy", async () => {
  const folder = await mkdtemp(join(tmpdir(), "busbar-kill-"))
  // The ports of the first start are kept, as those of a real node are.
  const environment: Record<string, string> = { DATA_DIR: folder, ADMIN_TOKEN: TOKEN }
  let server: ServerProcess = await startServerProcess(environment)
  environment["OCPP_PORT"] = new URL(server.ocppUrl).port
  environment["HTTP_PORT"] = new URL(server.graphqlUrl).port
  const ask = graphqlOver(server.graphqlUrl, TOKEN)
  await createIdTag(ask, { idTag: "KILL" })

  const sessions: Session[] = []
  let acknowledged = 0
  let stopping = false
  let reached: PromiseWithResolvers<void> | undefined
  const noteAcknowledged = (): void => {
    acknowledged++
    if (acknowledged >= MESSAGES_BETWEEN_KILLS) reached?.resolve()
  }

  const charge = async (chargePoint: ChargePoint, index: number): Promise<void> => {
    for (let round = 0; !stopping; round++) {
      const begin = Date.UTC(2026, 0, 1, index) + round * 60_000
      const session: Session = {
        chargePoint: chargePoint.identity,
        startedAt: new Date(begin).toISOString(),
        meterStart: round * 1000,
      }
      sessions.push(session)
      const { transactionId } = await chargePoint.deliver("StartTransaction", {
        connectorId: 1,
        idTag: "KILL",
        meterStart: session.meterStart,
        timestamp: session.startedAt,
      })
      session.transactionId = transactionId
      noteAcknowledged()
      await chargePoint.deliver("MeterValues", {
        connectorId: 1,
        transactionId,
        meterValue: [
          {
            timestamp: new Date(begin + 30_000).toISOString(),
            sampledValue: [{ value: String(session.meterStart + 400) }],
          },
        ],
      })
      noteAcknowledged()
      const meterStop = session.meterStart + 700 + index
      await chargePoint.deliver("StopTransaction", {
        transactionId,
        meterStop,
        timestamp: new Date(begin + 50_000).toISOString(),
      })
      session.meterStop = meterStop
      noteAcknowledged()
    }
  }

  const chargePoints: ChargePoint[] = []
  try {
    for (let index = 0; index < CHARGE_POINTS; index++) {
      const identity = `KILL-${index}`
      await createChargePoint(ask, { identity })
      const chargePoint = new ChargePoint({
        url: server.ocppUrl,
        identity,
        reconnect: { minMs: 20, maxMs: 200 },
      })
      chargePoint.backlog.attempts = 100
      chargePoint.backlog.retryIntervalMs = 10
      await chargePoint.connect()
      await chargePoint.boot()
      chargePoints.push(chargePoint)
    }
    const loads = chargePoints.map(charge)
    for (let kill = 0; kill < KILLS; kill++) {
      acknowledged = 0
      reached = Promise.withResolvers<void>()
      await reached.promise
      await server.kill()
      server = await startServerProcess(environment)
    }
    stopping = true
    await Promise.all(loads)

    const stored: Stored[] = []
    let after: string | null = null
    do {
      const { transactions }: Page = await ask<Page>(TRANSACTIONS, { after })
      stored.push(...transactions.edges.map(({ node }) => node))
      after = transactions.pageInfo.hasNextPage ? transactions.pageInfo.endCursor : null
    } while (after !== null)

    expect(stored).toHaveLength(sessions.length)
    const byId = new Map(stored.map((transaction) => [transaction.transactionId, transaction]))
    expect(byId.size).toBe(sessions.length)
    for (const session of sessions) {
      const { meterStart, meterStop = Number.NaN, transactionId = -1, startedAt, chargePoint } = session
      expect(byId.get(transactionId)).toMatchObject({
        startedAt,
        meterStart,
        meterStop,
        energyWh: meterStop - meterStart,
        state: "ENDED",
        chargePoint: { identity: chargePoint },
      })
      expect(byId.get(transactionId)?.meterValues.edges).toHaveLength(1)
    }
  } finally {
    stopping = true
    await Promise.all(chargePoints.map((chargePoint) => chargePoint.close()))
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
