/**
 * Readings that this store has just committed, for those who follow them: they are told of a reading as soon as it is
 * stored, and would otherwise read each one back from the database.
 */
import type { InputOf, OutcomeOf } from "../facts/catalogue.ts"
import type { MeterValueRow } from "../facts/rows.ts"
import type { Reads } from "../services/ports.ts"
import { type ReadingName, readingKey } from "./reads/reading-order.ts"

type Input = InputOf<"reportMeterValues">
type Outcome = OutcomeOf<"reportMeterValues">

/** So long a row is given from here, ms: what retention or an operator removes is gone by then at the latest. */
const KEPT_MS = 5_000
/** After so long without a question nothing is noted any more, ms: most nodes have nobody who follows readings. */
const WANTED_MS = 10_000
const MOST = 4_096

export class RecentReadings {
  readonly #now: () => number
  readonly #stored: Reads["meterValuesByRefs"]
  /** Oldest first. */
  readonly #rows = new Map<string, { row: MeterValueRow; notedAt: number }>()
  #askedAt = Number.NEGATIVE_INFINITY

  /** `stored` asks the database. */
  constructor(now: () => number, stored: Reads["meterValuesByRefs"]) {
    this.#now = now
    this.#stored = stored
  }

  /** Passes on what a message's readings are committed as, having noted them if somebody has asked for any lately. */
  noting(input: Input, committed: Promise<Outcome>): Promise<Outcome> {
    if (this.#now() - this.#askedAt > WANTED_MS) {
      this.#rows.clear()
      return committed
    }
    return committed.then((outcome) => {
      this.#note(input, outcome)
      return outcome
    })
  }

  /** See `Reads.meterValuesByRefs`. @throws StoreUnavailable */
  async byRefs(refs: readonly ReadingName[]): Promise<MeterValueRow[]> {
    const now = this.#now()
    this.#askedAt = now
    const rows: MeterValueRow[] = []
    const others: ReadingName[] = []
    for (const ref of refs) {
      const noted = this.#rows.get(readingKey(ref))
      if (noted !== undefined && now - noted.notedAt <= KEPT_MS) rows.push(noted.row)
      else others.push(ref)
    }
    return others.length === 0 ? rows : [...rows, ...(await this.#stored(others))]
  }

  #note(input: Input, { stored, transactionId }: Outcome): void {
    const [reading] = input.readings
    // Several may have gone to different transactions: only the rows say which.
    if (reading === undefined || input.readings.length > 1 || stored !== 1) return
    const { organisationId, chargePointId, connectorId, receivedAt } = input
    const { digest, at, sampledValues } = reading
    const row = { digest, organisationId, chargePointId, connectorId, transactionId, at, receivedAt, sampledValues }
    this.#rows.set(readingKey(row), { row, notedAt: this.#now() })
    if (this.#rows.size <= MOST) return
    const [oldest] = this.#rows.keys()
    if (oldest !== undefined) this.#rows.delete(oldest)
  }
}
