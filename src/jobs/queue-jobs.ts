/** ports' QueueJobs: jobs that hurry the queue of commands. */
import type { Log } from "../log.ts"
import type { Clock, QueueJobs } from "../services/ports.ts"
import type { Jobs } from "./jobs.ts"
import { commandSweepJob, commandsJob } from "./kinds.ts"

interface QueueJobsOptions {
  jobs: Pick<Jobs, "add">
  clock: Clock
  log: Log
}

/** Makes the jobs; what Redis does not take is left to the sweep. */
export function createQueueJobs({ jobs, clock, log }: QueueJobsOptions): QueueJobs {
  const leftToSweep = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (cause: unknown) => log.debug({ err: cause }, "the queue of commands waits for its sweep"),
    )
  return {
    prompt: (chargePointIds) =>
      leftToSweep(Promise.all(chargePointIds.map((chargePointId) => jobs.add(commandsJob, { chargePointId })))),
    async expireAt({ id: commandId, organisationId, chargePointId, expiresAt }) {
      if (expiresAt === null) return
      const expired = { organisationId, chargePointId, commandId }
      const delayMs = Math.max(0, expiresAt - clock.now())
      await leftToSweep(jobs.add(commandSweepJob, { expired }, { id: commandId, delayMs }))
    },
  }
}
