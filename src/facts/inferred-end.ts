import { chargePointSubject } from "./events.ts"
import { counts, energyOf } from "./energy.ts"
import type { Facts } from "./facts.ts"
import { registersOf } from "./registers.ts"
import type { TransactionRow } from "./rows.ts"

/**
 * Ends a transaction that is over without a StopTransaction, at the given instant (epoch ms), with its last known
 * energy. Provisional: the first real StopTransaction replaces it.
 */
export function inferEnd(facts: Facts, transaction: TransactionRow, stoppedAt: number, recordedAt: number): void {
  const ended: TransactionRow = { ...transaction, state: "EndedInferred", stoppedAt }
  const { energyWh, energyNote } = transaction
  if (readsPast(ended)) Object.assign(ended, energyOf(ended, registersOf(facts, transaction)))
  else ended.energyNote = energyWh === null ? "NoRegister" : energyNote
  facts.transactions.put(ended)
  facts.tell(transaction.organisationId, chargePointSubject(transaction.chargePointId), recordedAt, {
    type: "Transaction",
    kind: "EndInferred",
    transaction: ended,
    before: { state: transaction.state },
  })
}

/** Whether the energy includes readings that the end leaves out, so that all of them have to be looked at again. */
export const readsPast = (ended: Pick<TransactionRow, "startedAt" | "stoppedAt" | "registerAt">): boolean =>
  ended.registerAt !== null && !counts(ended, ended.registerAt)
