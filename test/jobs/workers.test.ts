import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import { openJobs } from "../../src/jobs/jobs.ts"
import { createQueueJobs } from "../../src/jobs/queue-jobs.ts"
import { Liveness } from "../../src/services/liveness.ts"
import type { DisconnectReason, Store } from "../../src/services/ports.ts"
import { Seals } from "../../src/services/seals.ts"
import { openStore } from "../../src/store/index.ts"
import { startWorkers } from "../../workers/index.ts"
import { openNode, quietLog, systemClock } from "../bus/support.ts"
import { chargePointRow } from "../support/charging.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { sayCutOff } from "../../src/services/cut-off.ts"
import { claim } from "../support/ownership.ts"
import { until } from "../support/until.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

/** A store, a node, and a clock that stands until it is told to go on. */
async function openHouse() {
  const dataDir = mkdtempSync(join(tmpdir(), "busbar-workers-"))
  const store = await openStore({ dataDir, log: quietLog, now: systemClock.now })
  const node = await openNode(server.url)
  const time = { ms: 1_000_000 }
  const disconnected: [string, DisconnectReason][] = []
  node.bus.onDisconnect((id, reason) => disconnected.push([id, reason]))
  const liveness = new Liveness({
    store,
    bus: node.bus,
    clock: { now: () => time.ms },
    log: quietLog,
    silenceLimitMs: 60_000,
    graceMs: 5_000,
  })
  return {
    store,
    node,
    time,
    liveness,
    disconnected,
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
type House = Awaited<ReturnType<typeof openHouse>>

/** A charge point that is online by the books since the house's present. */
async function connect({ store, node, time }: House, row: Partial<ChargePointRow> = {}) {
  const id = crypto.randomUUID()
  await store.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id, ...row }) })
  const epoch = await claim(node.bus, id)
  await store.change("goOnline", {
    organisationId: "default",
    chargePointId: id,
    nodeId: node.bus.nodeId,
    epoch,
    at: time.ms,
  })
  return { id, epoch }
}

const isOnline = async (store: Store, id: string) => (await store.read.chargePointsByIds([id]))[0]?.online

test("a charge point that is heard of and held stays online", async () => {
  await using house = await openHouse()
  const { id } = await connect(house)
  house.time.ms += 60_000
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  expect(await isOnline(house.store, id)).toBe(true)
})

test("a silent charge point becomes offline, and its node is asked to hang up", async () => {
  await using house = await openHouse()
  const { id } = await connect(house)
  const other = await connect(house)
  house.time.ms += 60_001
  await house.store.change("noteSeen", {
    organisationId: "default",
    chargePointId: other.id,
    epoch: other.epoch,
    lastSeenAt: house.time.ms - 1_000,
  })
  expect(await house.liveness.sweep()).toEqual({ silent: 1, unheld: 0 })
  expect(await isOnline(house.store, id)).toBe(false)
  expect(await isOnline(house.store, other.id)).toBe(true)
  await until("the node is asked", () => house.disconnected.length > 0)
  expect(house.disconnected).toEqual([[id, "Silent"]])
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
})

test("one that is told to speak more rarely than the limit is given the time for it", async () => {
  await using house = await openHouse()
  const { id } = await connect(house, { heartbeatIntervalS: 3_600 })
  house.time.ms += 7_200_000
  await house.liveness.sweep()
  expect(await isOnline(house.store, id)).toBe(true)
  house.time.ms += 1
  expect(await house.liveness.sweep()).toEqual({ silent: 1, unheld: 0 })
})

test("one that no living node holds becomes offline, but not before nodes could register it again", async () => {
  await using house = await openHouse()
  const { id, epoch } = await connect(house)
  await house.node.bus.release(id, epoch)
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  house.time.ms += 4_999
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  await house.node.bus.register(id, epoch)
  house.time.ms += 1
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  await house.node.bus.release(id, epoch)
  await house.liveness.sweep()
  house.time.ms += 5_000
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 1 })
  expect(await isOnline(house.store, id)).toBe(false)
})

test("those of a node that ended without a word are offline as soon as its lease is over, those of one cut off stay", async () => {
  await using house = await openHouse()
  const { liveness, store, time, node } = house
  const { id } = await connect(house)
  const client = await node.redis.connect("test")
  await liveness.look()
  expect(await isOnline(store, id)).toBe(true)
  // The lease runs out; the node itself is only slow to renew it.
  await client.del(`busbar:node:${node.bus.nodeId}`)
  await sayCutOff(store, { now: () => time.ms }, node.bus.nodeId)
  await liveness.look()
  expect(await liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  expect(await isOnline(store, id)).toBe(true)
  time.ms += 5_000
  await client.del(`busbar:node:${node.bus.nodeId}`)
  await liveness.look()
  expect(await isOnline(store, id)).toBe(false)
})

test("one that has come back on a newer socket meanwhile is left alone", async () => {
  await using house = await openHouse()
  const { id, epoch } = await connect(house)
  await house.node.bus.release(id, epoch)
  await house.liveness.sweep()
  house.time.ms += 5_000
  const newer = epoch + 10
  await house.store.change("goOnline", {
    organisationId: "default",
    chargePointId: id,
    nodeId: house.node.bus.nodeId,
    epoch: newer,
    at: house.time.ms,
  })
  expect(await house.liveness.sweep()).toEqual({ silent: 0, unheld: 0 })
  expect(await isOnline(house.store, id)).toBe(true)
})

test("the workers sweep and prune by themselves", async () => {
  await using house = await openHouse()
  const { store, node } = house
  const { id } = await connect(house, {})
  await store.addMessages([
    {
      organisationId: "default",
      chargePointId: id,
      at: 1_000,
      direction: "FromChargePoint",
      messageType: "Call",
      uniqueId: "1",
      action: "Heartbeat",
      text: "[]",
    },
  ])
  await using jobs = openJobs({ redis: node.redis, log: quietLog })
  await using _workers = await startWorkers({
    jobs,
    queueJobs: createQueueJobs({ jobs, clock: systemClock, log: quietLog }),
    store,
    bus: node.bus,
    firmware: { update: async () => ({ kind: "Unavailable", reason: "this test has no campaigns" }) },
    seals: new Seals("a key for tests only"),
    callTimeoutMs: 1_000,
    clock: systemClock,
    log: quietLog,
    silenceLimitMs: 60_000,
    retention: { messagesMs: 1_000, meterValuesMs: 1_000, diagnosticsMs: 1_000, journalMs: 3_600_000 },
    livenessEveryMs: 50,
    retentionEveryMs: 50,
  })
  await until("the silent one is offline", async () => !(await isOnline(store, id)))
  await until("old rows are gone", async () => (await store.read.messagesOf(id, {}, { first: 1 })).rows.length === 0)
})
