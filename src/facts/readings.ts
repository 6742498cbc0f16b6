import type { Reading } from "./catalogue.ts"
import { advance, type Energy, energyOf, inOrder, type Register } from "./energy.ts"
import type { MeterValueRef } from "./events.ts"
import type { Facts } from "./facts.ts"
import { registersOf } from "./registers.ts"
import type { TransactionRow } from "./rows.ts"

/** Where readings come from. */
export interface ReadingsSource {
  organisationId: string
  chargePointId: string
  connectorId: number
  receivedAt: number
}

/** Loads which of these readings are stored already. */
export const loadKnown = (
  facts: Facts,
  messages: readonly { chargePointId: string; connectorId: number; readings: readonly Reading[] }[],
): Promise<void> =>
  facts.meterValues.loadKnown(
    messages.flatMap(({ chargePointId, connectorId, readings }) =>
      readings.map(({ at, digest }) => ({ chargePointId, connectorId, at, digest })),
    ),
  )

/** Those of the readings that are not stored yet. */
export const unknownOf = (
  facts: Facts,
  { chargePointId, connectorId }: Pick<ReadingsSource, "chargePointId" | "connectorId">,
  readings: readonly Reading[],
): Reading[] =>
  readings.filter(({ at, digest }) => !facts.meterValues.isKnown({ chargePointId, connectorId, at, digest }))

/** Stores the readings that are not stored yet; returns their names, each once. */
export function storeReadings(
  facts: Facts,
  { organisationId, chargePointId, connectorId, receivedAt }: ReadingsSource,
  transactionId: number | null,
  readings: readonly Reading[],
): MeterValueRef[] {
  const stored: MeterValueRef[] = []
  for (const { digest, at, sampledValues, powerW } of readings) {
    const row = { digest, organisationId, chargePointId, connectorId, transactionId, at, receivedAt, sampledValues }
    if (facts.meterValues.isKnown(row)) continue
    facts.meterValues.add(row, powerW)
    stored.push({ at, digest })
  }
  return stored
}

/** The register readings among these. */
export const registersAmong = (readings: readonly Reading[]): Register[] =>
  readings.flatMap(({ at, registerWh }) => (registerWh === null ? [] : [{ at, wh: registerWh }]))

/** The energy of a transaction with these newly stored readings: from its row alone where that is enough. */
export const energyWith = (facts: Facts, transaction: TransactionRow, readings: readonly Reading[]): Energy =>
  advance(transaction, inOrder(registersAmong(readings))) ?? energyOf(transaction, registersOf(facts, transaction))
