/** The workers: what is done in the background, by whichever node has time. */
import type { Jobs } from "../src/jobs/jobs.ts"
import type { Log } from "../src/log.ts"
import type { Bus, Clock, QueueJobs, Store } from "../src/services/ports.ts"
import type { CampaignWorkOptions } from "../src/services/campaign-work.ts"
import { workQueuedCommands } from "./commands.ts"
import { workFirmwareCampaigns } from "./firmware.ts"
import { watchLiveness } from "./liveness.ts"
import { watchReservations } from "./reservations.ts"
import { keepRetention, type RetentionAges } from "./retention.ts"

export interface WorkersOptions extends Pick<CampaignWorkOptions, "firmware" | "seals" | "callTimeoutMs"> {
  jobs: Jobs
  queueJobs: Pick<QueueJobs, "prompt">
  store: Pick<Store, "change" | "read" | "prune" | "setting">
  bus: Pick<Bus, "lapsedNodes" | "ownersOf" | "ownerOf" | "call" | "disconnect">
  clock: Clock
  log: Log
  /** After this long without a sign of life a charge point counts as offline, ms. */
  silenceLimitMs: number
  retention: RetentionAges
  livenessEveryMs?: number
  reservationsEveryMs?: number
  firmwareEveryMs?: number
  retentionEveryMs?: number
  commandsEveryMs?: number
}

const LIVENESS_EVERY_MS = 5_000
const RESERVATIONS_EVERY_MS = 2_000
const FIRMWARE_EVERY_MS = 2_000
const RETENTION_EVERY_MS = 600_000
const COMMANDS_EVERY_MS = 5_000

/** Starts every worker on this node. Closing waits for the jobs that are running. @throws JobsUnavailable */
export async function startWorkers(options: WorkersOptions): Promise<AsyncDisposable> {
  const {
    livenessEveryMs = LIVENESS_EVERY_MS,
    reservationsEveryMs = RESERVATIONS_EVERY_MS,
    firmwareEveryMs = FIRMWARE_EVERY_MS,
    retentionEveryMs = RETENTION_EVERY_MS,
    commandsEveryMs = COMMANDS_EVERY_MS,
  } = options
  const workers = [
    await watchLiveness({ ...options, everyMs: livenessEveryMs }),
    await watchReservations({ ...options, everyMs: reservationsEveryMs }),
    await workFirmwareCampaigns({ ...options, everyMs: firmwareEveryMs }),
    await keepRetention({ ...options, ages: options.retention, everyMs: retentionEveryMs }),
    await workQueuedCommands({ ...options, everyMs: commandsEveryMs }),
  ]
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
    },
  }
}
