/** Opens what a node stands on, in the order of need: the store, Redis, the bus and the stream of events. */
import { constants } from "node:fs"
import { access, mkdir } from "node:fs/promises"
import { hostname } from "node:os"
import { type RedisBus, openBus } from "./bus/bus.ts"
import { openEventStream } from "./bus/stream.ts"
import type { Closing } from "./closing.ts"
import type { Config } from "./config.ts"
import type { Log } from "./log.ts"
import { type Redis, openRedis } from "./redis/redis.ts"
import { tellOwners } from "./services/owner-updates.ts"
import type { Clock, EventStream, Store } from "./services/ports.ts"
import { openStore } from "./store/index.ts"
import { VERSION } from "./version.ts"

export interface Resources {
  store: Store
  redis: Redis
  bus: RedisBus
  stream: EventStream
}

/** The store's setting that names it, so that nodes on one Redis can tell whether they share it. */
const STORE_ID = "store.id"

/** What a node keeps on disk by itself cannot be kept there. */
export class DataFolderUnusable extends Error {
  override readonly name = "DataFolderUnusable"

  constructor(dataDir: string, cause: unknown) {
    super(`DATA_DIR ${dataDir} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Opens the resources; `closing` takes charge of them. @throws what keeps the node from working, in plain words. */
export async function openResources(config: Config, { log, clock, closing }: Surroundings): Promise<Resources> {
  if (config.DATABASE_URL === undefined || config.REDIS_URL === undefined) await prepareFolder(config.DATA_DIR)
  const store = closing.add(
    "store",
    await openStore({
      url: config.DATABASE_URL,
      dataDir: config.DATA_DIR,
      log: log.child({ room: "store" }),
      now: () => clock.now(),
    }),
  )
  const redis = closing.add(
    "redis",
    await openRedis({ url: config.REDIS_URL, dataDir: config.DATA_DIR, log: log.child({ room: "redis" }) }),
  )
  const bus = closing.add(
    "bus",
    await openBus({
      redis,
      nodeId: `${config.NODE_ID ?? hostname()}-${crypto.randomUUID().slice(0, 8)}`,
      roles: config.ROLES,
      version: VERSION,
      storeId: await store.settleSetting(STORE_ID, crypto.randomUUID()),
      log: log.child({ room: "bus" }),
      clock,
    }),
  )
  const stream = closing.add(
    "stream",
    await openEventStream({ redis, store, clock, log: log.child({ room: "stream" }) }),
  )
  store.onJournal((entry) => stream.publish(entry))
  tellOwners(store, bus)
  return { store, redis, bus, stream }
}

async function prepareFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new DataFolderUnusable(dataDir, cause)
  }
}

interface Surroundings {
  log: Log
  clock: Clock
  closing: Closing
}
