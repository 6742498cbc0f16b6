import type { SampledValue } from "../ocpp/types.ts"
import { type Register, registerWhOf } from "./energy.ts"
import type { Facts } from "./facts.ts"
import type { MeterValueRow, TransactionRow } from "./rows.ts"

/** The register readings stored with a transaction; those of another connector's meter say nothing about its energy. */
export const registersOf = (facts: Facts, transaction: Pick<TransactionRow, "transactionId" | "connectorId">) =>
  facts.meterValues
    .of(transaction.transactionId)
    .filter(({ connectorId }) => isOfMeter(transaction, connectorId))
    .flatMap(registerOf)

/** Whether a connector's readings are those of the transaction: 0 is a charge point's only meter, if it says so itself. */
export const isOfMeter = (transaction: Pick<TransactionRow, "connectorId">, connectorId: number): boolean =>
  connectorId === transaction.connectorId || connectorId === 0

function registerOf({ at, sampledValues }: MeterValueRow): Register[] {
  const stored: SampledValue[] = JSON.parse(sampledValues)
  const wh = registerWhOf(stored)
  return wh === null ? [] : [{ at, wh }]
}
