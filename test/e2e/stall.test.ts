/** A disk that stalls holds up what must be stored, and nothing else. */
import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { connectChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode } from "../support/node.ts"

test("while the store cannot write, Heartbeats are answered, and a StartTransaction once it is stored", async () => {
  await using node = await startTestNode()
  const ask = graphqlOver(node.graphqlUrl, node.token)
  await createIdTag(ask, { idTag: "STALL" })
  await createChargePoint(ask, { identity: "STORING" })
  await createChargePoint(ask, { identity: "BEATING" })
  await using storing = await connectChargePoint({ url: node.ocppUrl, identity: "STORING" })
  await using beating = await connectChargePoint({ url: node.ocppUrl, identity: "BEATING" })
  await storing.boot()
  await beating.boot()

  using disk = new Database(join(node.dataDir, "busbar.sqlite"))
  disk.run("PRAGMA busy_timeout = 5000")
  disk.run("BEGIN IMMEDIATE")
  let isStored = false
  const started = storing
    .call("StartTransaction", { connectorId: 1, idTag: "STALL", meterStart: 0, timestamp: new Date().toISOString() })
    .finally(() => (isStored = true))
  const end = Date.now() + 500
  let beats = 0
  while (Date.now() < end) {
    await beating.call("Heartbeat")
    beats++
  }
  expect(isStored).toBe(false)
  // Were each held up by the stall, not even one would have come through.
  expect(beats).toBeGreaterThan(10)
  disk.run("ROLLBACK")
  expect(await started).toMatchObject({ idTagInfo: { status: "Accepted" } })
})
