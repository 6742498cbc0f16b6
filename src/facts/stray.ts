import type { FromCaller } from "./catalogue.ts"
import type { Facts } from "./facts.ts"
import type { StrayReason } from "./rows.ts"
import { digestOf } from "./transaction-key.ts"

/** A message about a transaction that could not be taken at its word. */
export interface StrayMessage {
  action: "StopTransaction" | "MeterValues"
  transactionId: number
  /** JSON. */
  payload: string
  /** Messages with the same text here are kept once. */
  sameAs: string
}

/** Keeps the message for the operator to see. */
export function addStray(facts: Facts, caller: FromCaller, message: StrayMessage, reason: StrayReason): void {
  const { organisationId, chargePointId, receivedAt } = caller
  const { action, transactionId, payload, sameAs } = message
  const id = digestOf([chargePointId, action, reason, sameAs].join("|"))
  facts.strayMessages.add({ id, organisationId, chargePointId, action, transactionId, reason, payload, receivedAt })
}
