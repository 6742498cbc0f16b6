import type { Reading } from "./catalogue.ts"
import { advance, counts, type Energy, energyOf, inOrder, type Register } from "./energy.ts"
import type { MeterValueRef } from "./events.ts"
import type { Facts, MeterValueKey } from "./facts.ts"
import { isOfMeter, registersOf } from "./registers.ts"
import type { TransactionRow } from "./rows.ts"

/** Where readings come from. */
export interface ReadingsSource {
  organisationId: string
  chargePointId: string
  connectorId: number
  receivedAt: number
}

/** Loads which of these readings are stored already; `transactionOf` gives the transaction that a message names, where it is known. */
export async function loadKnown<
  Message extends { chargePointId: string; connectorId: number; readings: readonly Reading[] },
>(
  facts: Facts,
  messages: readonly Message[],
  transactionOf: (message: Message) => Readonly<TransactionRow> | undefined,
): Promise<void> {
  const unknown: MeterValueKey[] = []
  const open: MeterValueKey[] = []
  for (const message of messages) {
    const { chargePointId, connectorId, readings } = message
    const transaction = transactionOf(message)
    for (const reading of readings) {
      const isNews = transaction !== undefined && isNewest(transaction, message, reading)
      ;(isNews ? unknown : open).push({ chargePointId, connectorId, at: reading.at, digest: reading.digest })
    }
  }
  facts.meterValues.takeAsUnknown(unknown)
  await facts.meterValues.loadKnown(open)
}

/**
 * Whether a reading lies behind every register that is stored of the transaction it names. Then it cannot be stored: it
 * holds a register itself, and the row would know of it.
 */
function isNewest(
  transaction: Readonly<TransactionRow>,
  { chargePointId, connectorId }: { chargePointId: string; connectorId: number },
  { at, registerWh }: Reading,
): boolean {
  return (
    registerWh !== null &&
    transaction.chargePointId === chargePointId &&
    isOfMeter(transaction, connectorId) &&
    counts(transaction, at) &&
    (transaction.registerAt === null || at > transaction.registerAt)
  )
}

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
    stored.push({ at, connectorId, digest })
  }
  return stored
}

/** The register readings among these. */
export const registersAmong = (readings: readonly Reading[]): Register[] =>
  readings.flatMap(({ at, registerWh }) => (registerWh === null ? [] : [{ at, wh: registerWh }]))

/** The energy of a transaction with these newly stored readings: from its row alone where that is enough. */
export const energyWith = (facts: Facts, transaction: TransactionRow, readings: readonly Reading[]): Energy =>
  advance(transaction, inOrder(registersAmong(readings))) ?? energyOf(transaction, registersOf(facts, transaction))
