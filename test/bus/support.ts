/** What the tests of everything on Redis share: a quiet log, the time and nodes on one server. */
import { type BusOptions, openBus } from "../../src/bus/bus.ts"
import { createLog } from "../../src/log.ts"
import { openRedis } from "../../src/redis/redis.ts"

export const quietLog = createLog("silent")
export const systemClock = { now: () => Date.now() }

/** What a promise rejects with; fails where it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise])
  if (outcome.status === "fulfilled") throw new Error(`it did not fail: ${JSON.stringify(outcome.value)}`)
  return outcome.reason
}

let nodes = 0

/** A node's bus on a server given by URL, with a Redis room of its own; closing it closes both. */
export async function openNode(url: string, options: Partial<BusOptions> = {}) {
  const nodeId = `node-${++nodes}`
  const redis = await openRedis({ url, dataDir: "", log: quietLog })
  const bus = await openBus({
    redis,
    nodeId,
    roles: ["gateway"],
    version: "test",
    storeId: "test",
    log: quietLog,
    clock: systemClock,
    ...options,
  }).catch(async (cause: unknown) => {
    await redis[Symbol.asyncDispose]()
    throw cause
  })
  return {
    bus,
    redis,
    /** Ends as a crash would: nothing is given back. */
    crash: () => redis[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}
