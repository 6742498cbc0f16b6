/** Opens what a node stands on, in the order of need: the store, Redis, the bus, the stream of events and the jobs. */
import { constants } from "node:fs"
import { access, mkdir } from "node:fs/promises"
import { hostname } from "node:os"
import { type RedisBus, openBus } from "./bus/bus.ts"
import { watchForAnotherRedis } from "./bus/same-redis.ts"
import { openEventStream } from "./bus/stream.ts"
import type { Closing } from "./closing.ts"
import type { Config } from "./config.ts"
import { createCampaignJobs } from "./jobs/campaign-jobs.ts"
import { type Jobs, openJobs } from "./jobs/jobs.ts"
import { createQueueJobs } from "./jobs/queue-jobs.ts"
import type { Log } from "./log.ts"
import { type Redis, openRedis } from "./redis/redis.ts"
import { CampaignPrompts } from "./services/campaign-prompts.ts"
import { tellOwners } from "./services/owner-updates.ts"
import type { Clock, EventStream, QueueJobs, Store } from "./services/ports.ts"
import { QueuePrompts } from "./services/queue-prompts.ts"
import { openStore } from "./store/index.ts"
import { VERSION } from "./version.ts"

export interface Resources {
  store: Store
  redis: Redis
  bus: RedisBus
  stream: EventStream
  jobs: Jobs
  queueJobs: QueueJobs
  /** Whether nodes that work on this database with another Redis are at work now: then this one had better not be. */
  meetsStrangers: () => boolean
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000

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
  const leaseMs = config.NODE_LEASE * SECOND_MS
  // An SQLite database is open in one process alone.
  const sameRedis =
    config.DATABASE_URL === undefined
      ? undefined
      : closing.add(
          "same redis",
          await watchForAnotherRedis({ redis, store, leaseMs, log: log.child({ room: "bus" }) }),
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
      leaseMs,
    }),
  )
  const stream = closing.add(
    "stream",
    await openEventStream({
      redis,
      store,
      clock,
      log: log.child({ room: "stream" }),
      maxEvents: config.STREAM_RETENTION,
      journalRetentionMs: config.JOURNAL_RETENTION * HOUR_MS,
    }),
  )
  store.onJournal((entry) => stream.publish(entry))
  tellOwners(store, bus)
  const jobsLog = log.child({ room: "jobs" })
  const jobs = closing.add("jobs", openJobs({ redis, log: jobsLog }))
  const queueJobs = createQueueJobs({ jobs, clock, log: jobsLog })
  const prompts = closing.add("queue prompts", new QueuePrompts({ store, jobs: queueJobs, log: jobsLog }))
  store.onJournal((entry) => prompts.note(entry))
  const campaignJobs = createCampaignJobs({ jobs, log: jobsLog })
  const campaignPrompts = new CampaignPrompts({ store, jobs: campaignJobs, log: jobsLog })
  closing.add("campaign prompts", campaignPrompts)
  store.onJournal((entry) => campaignPrompts.note(entry))
  const meetsStrangers = (): boolean => sameRedis?.hasStrangers ?? false
  return { store, redis, bus, stream, jobs, queueJobs, meetsStrangers }
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
