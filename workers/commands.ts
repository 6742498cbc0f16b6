/**
 * Commands that wait are sent when their charge point has come, and end when their time is over; every few seconds also
 * those whose job was lost. A second run finds nothing left to do: a command leaves the queue once, by a rule in SQL.
 */
import type { Jobs } from "../src/jobs/jobs.ts"
import { commandSweepJob, commandsJob } from "../src/jobs/kinds.ts"
import type { Log } from "../src/log.ts"
import type { Bus, Clock, QueueJobs, Store } from "../src/services/ports.ts"
import { QueueDelivery } from "../src/services/queue-delivery.ts"
import { expireCommand, expireCommands } from "../src/services/queue-expiry.ts"

interface CommandQueueWorkerOptions {
  jobs: Jobs
  queueJobs: Pick<QueueJobs, "prompt">
  store: Pick<Store, "change" | "read">
  bus: Pick<Bus, "ownerOf" | "call">
  clock: Clock
  log: Log
  everyMs: number
}

/** Waiting costs next to nothing, and a charge point that does not answer must hold up its own queue alone. */
const CHARGE_POINTS_AT_ONCE = 2_000

/** Begins to send and to expire. @throws JobsUnavailable */
export async function workQueuedCommands(options: CommandQueueWorkerOptions): Promise<AsyncDisposable> {
  const { jobs, queueJobs, store, log, everyMs } = options
  const delivery = new QueueDelivery(options)
  const sender = await jobs.work(commandsJob, ({ chargePointId }) => delivery.workOff(chargePointId), {
    atOnce: CHARGE_POINTS_AT_ONCE,
  })
  const sweeper = await jobs.work(
    commandSweepJob,
    async ({ expired }) => {
      if (expired !== undefined) return expireCommand(options, expired)
      const count = await expireCommands(options)
      if (count > 0) log.info({ commands: count }, "commands expired before they could be sent")
      await queueJobs.prompt(await store.read.chargePointsWithQueue())
    },
    { atOnce: 10 },
  )
  await jobs.every(commandSweepJob, {}, everyMs)
  return {
    async [Symbol.asyncDispose]() {
      await delivery[Symbol.asyncDispose]()
      await Promise.all([sender[Symbol.asyncDispose](), sweeper[Symbol.asyncDispose]()])
    },
  }
}
