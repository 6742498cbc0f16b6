/** What a charge point may go on with when the central system was stopped and started again. */
import { expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connectChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startServerProcess } from "../support/server-process.ts"

const TOKEN = "a-token-of-the-restart-test"
const at = (minute: number): string => new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString()

test("22: a transactionId given before a restart is still known, and is given to nobody else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "busbar-restart-"))
  const environment = { DATA_DIR: folder, ADMIN_TOKEN: TOKEN }
  const start = (minute: number) => ({ connectorId: 1, idTag: "AGAIN", meterStart: 1000, timestamp: at(minute) })
  const connect = (url: string) => connectChargePoint({ url, identity: "RESTARTED" })

  let server = await startServerProcess(environment)
  await createIdTag(graphqlOver(server.graphqlUrl, TOKEN), { idTag: "AGAIN" })
  await createChargePoint(graphqlOver(server.graphqlUrl, TOKEN), { identity: "RESTARTED" })
  const before = await connect(server.ocppUrl)
  await before.call("BootNotification", before.identification)
  const first = await before.call("StartTransaction", start(0))
  expect(await server.stop()).toBe(0)
  expect(await before.waitForClose()).toMatchObject({ code: 1001 })

  server = await startServerProcess(environment)
  await using _server = server
  // Quirk 8: it comes back without a BootNotification.
  await using after = await connect(server.ocppUrl)
  expect(await after.call("StartTransaction", start(0))).toEqual(first)
  const stop = { transactionId: first.transactionId, meterStop: 1600, timestamp: at(20) }
  await after.call("StopTransaction", stop)
  const second = await after.call("StartTransaction", start(30))
  expect(second.transactionId).toBeGreaterThan(first.transactionId)
  const { transaction } = await graphqlOver(server.graphqlUrl, TOKEN)(
    "query ($id: Int!) { transaction(transactionId: $id) { state energyWh chargePoint { identity online } } }",
    { id: first.transactionId },
  )
  expect(transaction).toEqual({ state: "ENDED", energyWh: 600, chargePoint: { identity: "RESTARTED", online: true } })
  await after.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}, 30_000)
