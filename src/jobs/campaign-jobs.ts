/** ports' CampaignJobs: jobs that hurry firmware campaigns. */
import type { Log } from "../log.ts"
import type { CampaignJobs } from "../services/ports.ts"
import type { Jobs } from "./jobs.ts"
import { firmwareJob } from "./kinds.ts"

/** Makes the jobs; what Redis does not take is left to the sweep. */
export function createCampaignJobs({ jobs, log }: { jobs: Pick<Jobs, "add">; log: Log }): CampaignJobs {
  const leftToSweep = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (cause: unknown) => log.debug({ err: cause }, "firmware campaigns wait for their sweep"),
    )
  return {
    follow: (entries) => leftToSweep(Promise.all(entries.map((entry) => jobs.add(firmwareJob, { entry })))),
    advance: (campaignIds) =>
      leftToSweep(Promise.all(campaignIds.map((campaignId) => jobs.add(firmwareJob, { campaignId })))),
  }
}
