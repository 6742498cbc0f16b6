/** Opens what a node stands on, in the order of need: the store, Redis, the bus and the stream of events. */
import { hostname } from "node:os"
import { type RedisBus, openBus } from "./bus/bus.ts"
import { openEventStream } from "./bus/stream.ts"
import type { Closing } from "./closing.ts"
import type { Config } from "./config.ts"
import type { Log } from "./log.ts"
import { type Redis, openRedis } from "./redis/redis.ts"
import type { Clock, EventStream, Store } from "./services/ports.ts"
import { openStore } from "./store/index.ts"
import { VERSION } from "./version.ts"

export interface Resources {
  store: Store
  redis: Redis
  bus: RedisBus
  stream: EventStream
}

/** Opens the resources; `closing` takes charge of them. @throws what keeps the node from working, in plain words. */
export async function openResources(config: Config, { log, clock, closing }: Surroundings): Promise<Resources> {
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
  const stream = closing.add(
    "stream",
    await openEventStream({ redis, store, clock, log: log.child({ room: "stream" }) }),
  )
  const bus = closing.add(
    "bus",
    await openBus({
      redis,
      nodeId: `${config.NODE_ID ?? hostname()}-${crypto.randomUUID().slice(0, 8)}`,
      roles: config.ROLES,
      version: VERSION,
      log: log.child({ room: "bus" }),
      clock,
    }),
  )
  store.onJournal((entry) => stream.publish(entry))
  return { store, redis, bus, stream }
}

interface Surroundings {
  log: Log
  clock: Clock
  closing: Closing
}
