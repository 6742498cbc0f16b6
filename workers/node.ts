/** The part of a node that works: its workers, on the resources that the node has opened. */
import type { Closing } from "../src/closing.ts"
import type { Config } from "../src/config.ts"
import type { Log } from "../src/log.ts"
import type { Resources } from "../src/resources.ts"
import type { Clock } from "../src/services/ports.ts"
import { startWorkers, type WorkersOptions } from "./index.ts"

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Begins to work; `closing` takes charge of it. @throws JobsUnavailable */
export async function openWorkers(
  config: Config,
  { store, bus, jobs, queueJobs }: Pick<Resources, "store" | "bus" | "jobs" | "queueJobs">,
  {
    log,
    clock,
    closing,
    firmware,
    seals,
  }: { log: Log; clock: Clock; closing: Closing } & Pick<WorkersOptions, "firmware" | "seals">,
): Promise<void> {
  closing.add(
    "workers",
    await startWorkers({
      jobs,
      queueJobs,
      store,
      bus,
      firmware,
      seals,
      callTimeoutMs: config.CALL_TIMEOUT * SECOND_MS,
      clock,
      log: log.child({ room: "workers" }),
      silenceLimitMs: config.SILENCE_LIMIT * SECOND_MS,
      retention: {
        messagesMs: config.MESSAGE_RETENTION * DAY_MS,
        meterValuesMs: config.METER_VALUE_RETENTION * DAY_MS,
        journalMs: config.JOURNAL_RETENTION * HOUR_MS,
        diagnosticsMs: config.DIAGNOSTICS_RETENTION * DAY_MS,
      },
    }),
  )
}
