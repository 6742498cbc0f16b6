/**
 * Every few seconds, and at the very instant for what ends soon: reservations whose time is over expire. A second run
 * finds nothing left to do: a reservation ends once.
 */
import type { Jobs } from "../src/jobs/jobs.ts"
import { reservationJob } from "../src/jobs/kinds.ts"
import type { Log } from "../src/log.ts"
import type { Clock, Store } from "../src/services/ports.ts"
import { endOverdueReservations } from "../src/services/reservations.ts"

interface ReservationsOptions {
  jobs: Jobs
  store: Pick<Store, "change" | "read">
  clock: Clock
  log: Log
  everyMs: number
}

/** What ends until the sweep after next gets a timer of its own. */
const SWEEPS_AHEAD = 2
const TIMERS_AT_ONCE = 500

/** Begins to watch. @throws JobsUnavailable */
export async function watchReservations({
  jobs,
  store,
  clock,
  log,
  everyMs,
}: ReservationsOptions): Promise<AsyncDisposable> {
  const worker = await jobs.work(reservationJob, async () => {
    const expired = await endOverdueReservations({ store, clock })
    if (expired > 0) log.info({ reservations: expired }, "reservations have expired")
    const soon = await store.read.overdueReservations(clock.now() + SWEEPS_AHEAD * everyMs, TIMERS_AT_ONCE)
    for (const expiryDate of new Set(soon.map((reservation) => reservation.expiryDate))) {
      const delayMs = Math.max(0, expiryDate - clock.now())
      await jobs.add(reservationJob, {}, { id: `at-${expiryDate}`, delayMs })
    }
  })
  await jobs.every(reservationJob, {}, everyMs)
  return worker
}
