import { attributeReading, loadNamed, named } from "../attribution.ts"
import type { ChangeOf, InputOf, Reading } from "../catalogue.ts"
import { advance, type Energy, type Register } from "../energy.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { energyWith, loadKnown, registersAmong, storeReadings, unknownOf } from "../readings.ts"
import { isOfMeter } from "../registers.ts"
import type { StrayReason, TransactionRow } from "../rows.ts"
import { addStray, type StrayMessage } from "../stray.ts"

type Input = InputOf<"reportMeterValues">

/** A message's new readings that go to one transaction, or to none. */
interface Share {
  transaction: Readonly<TransactionRow> | undefined
  readings: Reading[]
}

/** Every reading is kept, whether or not a transaction can be found for it. */
export const reportMeterValues: ChangeOf<"reportMeterValues"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await loadNamed(facts, inputs)
    const nameless = inputs.filter((input) => !named(facts, input))
    await facts.transactions.loadUnended(nameless.map((input) => input.chargePointId))
    await loadKnown(facts, inputs)
    await facts.meterValues.loadOf(needingAll(facts, inputs))
  },
  apply(facts, input) {
    const { organisationId, chargePointId, connectorId, receivedAt, readings } = input
    const subject = chargePointSubject(chargePointId)
    const { shares, stray } = divide(facts, input, unknownOf(facts, input, readings))
    let stored = 0
    for (const { transaction, readings: share } of shares) {
      const transactionId = transaction?.transactionId ?? null
      const refs = storeReadings(facts, input, transactionId, share)
      stored += refs.length
      const body = { type: "MeterValues", chargePointId, connectorId, transactionId, readings: refs } as const
      const energy = transaction && updateEnergy(facts, transaction, input, share)
      const isRunning = transaction?.state === "Active"
      facts.tell(organisationId, subject, receivedAt, energy && isRunning ? { ...body, energy } : body)
      if (!transaction || !energy || isRunning) continue
      const updated = { ...transaction, ...energy }
      facts.tell(organisationId, subject, receivedAt, { type: "Transaction", kind: "Updated", transaction: updated })
    }
    if (stray) addStray(facts, input, strayMessage(input), stray)
    const [transactionId] = shares.flatMap(({ transaction }) => transaction?.transactionId ?? [])
    return { stored, transactionId: transactionId ?? null, ...(stray && { stray }) }
  },
}

/** Sorts new readings by the transaction they belong to. */
function divide(facts: Facts, input: Input, fresh: readonly Reading[]) {
  const shares: Share[] = []
  let stray: StrayReason | undefined
  for (const reading of fresh) {
    const found = attributeReading(facts, input, reading)
    const { transaction } = found
    stray ??= found.stray
    const share = shares.find((one) => one.transaction?.transactionId === transaction?.transactionId)
    if (share) share.readings.push(reading)
    else shares.push({ transaction, readings: [reading] })
  }
  return { shares, stray }
}

/** The transactions whose energy these messages change in a way that only all of their readings tell. */
function needingAll(facts: Facts, inputs: readonly Input[]): number[] {
  const coming = new Map<number, { transaction: TransactionRow; registers: Register[] }>()
  for (const input of inputs) {
    for (const reading of unknownOf(facts, input, input.readings)) {
      if (reading.registerWh === null) continue
      const { transaction } = attributeReading(facts, input, reading)
      if (!transaction || !isOfMeter(transaction, input.connectorId)) continue
      const register = { at: reading.at, wh: reading.registerWh }
      const there = coming.get(transaction.transactionId)
      if (there) there.registers.push(register)
      else coming.set(transaction.transactionId, { transaction, registers: [register] })
    }
  }
  return [...coming.values()]
    .filter(({ transaction, registers }) => !advance(transaction, registers))
    .map(({ transaction }) => transaction.transactionId)
}

/** Returns what is to be told: an energy that has not changed is no news, though the newest register's instant is kept. */
function updateEnergy(
  facts: Facts,
  transaction: Readonly<TransactionRow>,
  input: Input,
  readings: readonly Reading[],
): Energy | undefined {
  if (!isOfMeter(transaction, input.connectorId) || registersAmong(readings).length === 0) return undefined
  const energy = energyWith(facts, transaction, readings)
  const isNews = energy.energyWh !== transaction.energyWh || energy.energyNote !== transaction.energyNote
  if (isNews || energy.registerAt !== transaction.registerAt || energy.registerWh !== transaction.registerWh)
    facts.transactions.put({ ...transaction, ...energy })
  return isNews ? energy : undefined
}

/** A charge point that names a wrong transaction does so with every reading: one record stands for all of them. */
function strayMessage({ connectorId, transactionId, readings }: Input): StrayMessage {
  const meterValue = readings.map(({ at, sampledValues }) => ({
    timestamp: new Date(at).toISOString(),
    sampledValue: JSON.parse(sampledValues),
  }))
  const payload = JSON.stringify({ connectorId, transactionId, meterValue })
  return { action: "MeterValues", transactionId: transactionId ?? 0, payload, sameAs: String(transactionId) }
}
