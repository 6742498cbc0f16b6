/**
 * Every few seconds: charge points that are online by the books alone go offline, commands that nobody ends are ended.
 * A second run finds nothing left to do: going offline carries the epoch it was seen under, and a command ends once.
 */
import type { Jobs } from "../src/jobs/jobs.ts"
import { livenessJob } from "../src/jobs/kinds.ts"
import { Liveness, type LivenessOptions } from "../src/services/liveness.ts"
import { endOverdueCommands } from "../src/services/overdue-commands.ts"

const LOOK_EVERY_MS = 1_000

/** Begins to watch. @throws JobsUnavailable */
export async function watchLiveness(
  options: LivenessOptions & { jobs: Jobs; everyMs: number; lookEveryMs?: number },
): Promise<AsyncDisposable> {
  const liveness = new Liveness(options)
  const worker = await options.jobs.work(livenessJob, async () => {
    const lost = await endOverdueCommands(options)
    if (lost > 0) options.log.warn({ commands: lost }, "commands whose node ended before the answer")
    await liveness.sweep()
  })
  await options.jobs.every(livenessJob, {}, options.everyMs)
  // Beside the queue: the end of a node is to be known when its lease is over, and looking for it costs next to nothing.
  const looking = setInterval(() => {
    liveness.look().catch((cause: unknown) => options.log.debug({ err: cause }, "ended nodes were not looked for"))
  }, options.lookEveryMs ?? LOOK_EVERY_MS)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      await worker[Symbol.asyncDispose]()
    },
  }
}
