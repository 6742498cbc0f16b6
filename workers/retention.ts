/**
 * Now and then: the wire log, readings, diagnostics and journal rows that are old enough are removed. A second run at the same time
 * removes what the first one has left; rows are chosen by age alone.
 */
import type { Jobs } from "../src/jobs/jobs.ts"
import { retentionJob } from "../src/jobs/kinds.ts"
import type { Log } from "../src/log.ts"
import type { Clock, Store } from "../src/services/ports.ts"

/** For how long each is kept, ms. */
export interface RetentionAges {
  messagesMs: number
  meterValuesMs: number
  journalMs: number
  diagnosticsMs: number
}

interface RetentionOptions {
  jobs: Jobs
  store: Pick<Store, "prune">
  clock: Clock
  log: Log
  ages: RetentionAges
  everyMs: number
}

/** After this long without belonging to anything, a part of a file is what a broken upload left behind, ms. */
const LOOSE_MS = 86_400_000
/** Few enough that a commit group is never held up for long. */
const ROWS_AT_ONCE = 2_000

/** Begins to remove. @throws JobsUnavailable */
export async function keepRetention({
  jobs,
  store,
  clock,
  log,
  ages,
  everyMs,
}: RetentionOptions): Promise<AsyncDisposable> {
  const worker = await jobs.work(retentionJob, async () => {
    const now = clock.now()
    const before = {
      messages: now - ages.messagesMs,
      meterValues: now - ages.meterValuesMs,
      journal: now - ages.journalMs,
      diagnostics: now - ages.diagnosticsMs,
      looseFileChunks: now - LOOSE_MS,
    }
    let rows = 0
    for (let removed = ROWS_AT_ONCE; removed >= ROWS_AT_ONCE; rows += removed)
      removed = await store.prune(before, ROWS_AT_ONCE)
    if (rows > 0) log.info({ rows }, "old rows are removed")
  })
  await jobs.every(retentionJob, {}, everyMs)
  return worker
}
