/**
 * Firmware campaigns: what was told of a charge point is taken over, attempts begin as others end; every few seconds also
 * what is due by its time alone, and what nobody was told of. A second run finds nothing left to do: an attempt begins and
 * ends once, by rules in SQL.
 */
import type { Jobs } from "../src/jobs/jobs.ts"
import { firmwareJob } from "../src/jobs/kinds.ts"
import { CampaignWork, type CampaignWorkOptions } from "../src/services/campaign-work.ts"

/** Begins to work. @throws JobsUnavailable */
export async function workFirmwareCampaigns(
  options: CampaignWorkOptions & { jobs: Jobs; everyMs: number },
): Promise<AsyncDisposable> {
  const work = new CampaignWork(options)
  const worker = await options.jobs.work(firmwareJob, async ({ entry, campaignId }) => {
    if (entry !== undefined) await work.follow(entry)
    else if (campaignId !== undefined) await work.advance(campaignId)
    else await work.sweep()
  })
  await options.jobs.every(firmwareJob, {}, options.everyMs)
  return {
    async [Symbol.asyncDispose]() {
      await work[Symbol.asyncDispose]()
      await worker[Symbol.asyncDispose]()
    },
  }
}
