/** One run: every scenario that was asked for, after another, and the record of it. */
import { NotHere } from "./databases.ts"
import type { Options } from "./options.ts"
import { type BenchRecord, surroundings } from "./record.ts"
import { scenarios } from "./scenarios/index.ts"
import { Stage } from "./stage.ts"
import { stopping, stopRun } from "./stopping.ts"

/**
 * A scenario that fails is a failed check, and the others go on.
 * @param say takes each line of progress
 * @throws Stopped once all is cleaned up after `stop` has fired
 */
export async function runBench(
  options: Options,
  say: (line: string) => void,
  stop?: AbortSignal,
): Promise<BenchRecord> {
  stop?.addEventListener("abort", stopRun)
  const startedAt = new Date()
  const around = surroundings()
  const stage = new Stage(options, say)
  const skipped: string[] = []
  for (const name of options.scenarios) {
    if (options.target && (name === "kill" || name === "idle-memory")) {
      skipped.push(`${name}: it needs a node that the run has started`)
      continue
    }
    const rows = stage.results.length
    try {
      await scenarios[name](stage)
    } catch (cause) {
      // Whatever broke first when all that waited was rejected.
      stopping.throwIfAborted()
      const words = cause instanceof Error ? cause.message : String(cause)
      if (cause instanceof NotHere)
        skipped.push(`${stage.results.length > rows ? "the rest of " : ""}${name}: ${words}`)
      else stage.checks.push({ name, passed: false, words })
    }
  }
  const { results, limits, peers, checks } = stage
  const { scenarios: names, rounds, seconds, warmupS, stores, quick } = options
  return {
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    ...around,
    settings: { scenarios: names, rounds, seconds, warmupS, stores, quick },
    ...{ results, limits, peers, checks, skipped },
  }
}
