/** Transactions as they started, for events that tell of them only how their energy has changed. */
import type { TransactionRow } from "../facts/rows.ts"
import { asStarted } from "../facts/running.ts"
import type { Log } from "../log.ts"
import type { Reads } from "../services/ports.ts"
import type { Told } from "./entry.ts"
import type { Generations } from "./generation.ts"

/** How many are kept; a row is about half a kilobyte. */
const KEPT = 10_000

export class StartedTransactions {
  readonly #read: Pick<Reads, "transactionsByIds">
  readonly #log: Log
  /** What is kept never changes; the one that was needed last stands last. */
  #kept = new Map<number, TransactionRow>()

  constructor(options: { read: Pick<Reads, "transactionsByIds">; generations: Generations; log: Log }) {
    this.#read = options.read
    this.#log = options.log
    // A database that has come back from an older time may give the same numbers to others.
    options.generations.onChange(() => {
      this.#kept = new Map()
    })
  }

  /** Completes events, with one statement for what is not known yet. @throws StoreUnavailable: then none of them is */
  async complete(events: readonly Told[]): Promise<void> {
    const needed = new Set(events.flatMap(({ recorded: { transactionId } }) => transactionId ?? []))
    const found = await this.#started([...needed])
    for (const told of events) {
      const { transactionId, subject, version } = told.recorded
      const started = transactionId === undefined ? undefined : found.get(transactionId)
      if (started === undefined)
        this.#log.error({ transactionId, subject, version }, "the store lacks a transaction whose energy is told")
      told.complete(started)
    }
  }

  async #started(transactionIds: readonly number[]): Promise<Map<number, TransactionRow>> {
    const kept = this.#kept
    const found = new Map<number, TransactionRow>()
    for (const id of transactionIds) {
      const row = kept.get(id)
      if (row !== undefined) found.set(id, row)
    }
    const unknown = transactionIds.filter((id) => !found.has(id))
    const rows = unknown.length === 0 ? [] : await this.#read.transactionsByIds(unknown)
    for (const row of rows) found.set(row.transactionId, asStarted(row))
    for (const [id, row] of found) {
      kept.delete(id)
      kept.set(id, row)
    }
    for (const id of kept.keys()) {
      if (kept.size <= KEPT) break
      kept.delete(id)
    }
    return found
  }
}
