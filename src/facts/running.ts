/**
 * Transactions while they run. StartTransaction says everything about one but its end and its energy; nothing but the
 * energy changes until it is no longer Active. So the row of any later time and the energy told by an event are the
 * transaction as of that event.
 */
import type { Event } from "./events.ts"
import type { TransactionRow } from "./rows.ts"

/** What StartTransaction does not say. */
export const JUST_STARTED = {
  state: "Active",
  stoppedAt: null,
  stopReceivedAt: null,
  meterStop: null,
  stopReason: null,
  stopIdTag: null,
  stopIdTagInfo: null,
  energyWh: null,
  energyNote: null,
  registerAt: null,
  registerWh: null,
} as const satisfies Partial<TransactionRow>

/** The transaction as it was when it had just started, from its row of any time. */
export const asStarted = (row: TransactionRow): TransactionRow => ({ ...row, ...JUST_STARTED })

/**
 * The change of a transaction that readings brought with them, as an event of its own; undefined where they changed none.
 * `started` is the transaction as `asStarted` gives it.
 */
export function transactionUpdated(event: Event, started: TransactionRow): Event | undefined {
  if (event.type !== "MeterValues" || event.energy === undefined) return undefined
  const { organisationId, subject, version, at, energy } = event
  const transaction = { ...started, ...energy }
  return { type: "Transaction", kind: "Updated", transaction, organisationId, subject, version, at }
}
