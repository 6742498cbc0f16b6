import { attributeStop, loadNamed, named } from "../attribution.ts"
import type { ChangeOf, IdTagInfo, InputOf, OutcomeOf, Reading } from "../catalogue.ts"
import { advance, type Energy, energyOf, inOrder } from "../energy.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { authorize, idTagKeyOf } from "../id-tags.ts"
import { happenedAt } from "../instants.ts"
import { loadKnown, registersAmong, storeReadings } from "../readings.ts"
import { registersOf } from "../registers.ts"
import type { StrayReason, TransactionRow } from "../rows.ts"
import { addStray, type StrayMessage } from "../stray.ts"
import { readingDigest } from "../transaction-key.ts"

type Input = InputOf<"stopTransaction">
type Outcome = OutcomeOf<"stopTransaction">

const naming = ({ chargePointId, request: { transactionId } }: Input) => ({ chargePointId, transactionId })

/**
 * The first StopTransaction stands; one that says the same again gets the same answer, one that says something else is
 * kept as stray. It cannot be refused: whatever it names, it is answered.
 */
export const stopTransaction: ChangeOf<"stopTransaction"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await loadNamed(facts, inputs.map(naming))
    const nameless = inputs.filter((input) => !named(facts, naming(input)))
    await facts.transactions.loadStoppedAt(nameless)
    await facts.transactions.loadUnended(nameless.map((input) => input.chargePointId))
    await facts.idTags.load([
      ...inputs.flatMap(({ organisationId, request: { idTag } }) =>
        idTag === undefined ? [] : [{ organisationId, idTagKey: idTagKeyOf(idTag) }],
      ),
      ...nameless.flatMap((input) => facts.transactions.unended(input.chargePointId)),
    ])
    const ending = inputs.flatMap((input) => {
      const { transaction } = attributeStop(facts, input)
      return transaction && transaction.state !== "Ended" ? [{ input, transaction }] : []
    })
    await loadKnown(
      facts,
      ending.map(({ input, transaction }) => ({ ...transaction, readings: readingsFor(transaction, input) })),
    )
    const needingAll = ending.filter(({ input, transaction }) => !finalEnergy(transaction, input))
    await facts.meterValues.loadOf(needingAll.map(({ transaction }) => transaction.transactionId))
  },
  apply(facts, input) {
    const { transaction, stray } = attributeStop(facts, input)
    if (!transaction) return answerStray(facts, input, null, stray ?? "UnknownTransaction")
    const { transactionId } = transaction
    if (transaction.state !== "Ended") return end(facts, transaction, input)
    const repeated = transaction.stoppedAt === input.stoppedAt && transaction.meterStop === input.request.meterStop
    if (!repeated) return answerStray(facts, input, transactionId, "ConflictingStop")
    if (transaction.stopIdTagInfo === null) return { ...verify(facts, input), transactionId, repeated }
    const idTagInfo: IdTagInfo = JSON.parse(transaction.stopIdTagInfo)
    return { idTagInfo, transactionId, repeated }
  },
}

function end(facts: Facts, transaction: Readonly<TransactionRow>, input: Input): Outcome {
  const { organisationId, chargePointId, request, stoppedAt, receivedAt } = input
  const { transactionId, connectorId } = transaction
  const subject = chargePointSubject(chargePointId)
  const readings = readingsFor(transaction, input)
  const refs = storeReadings(facts, { ...input, connectorId }, transactionId, readings)
  if (refs.length > 0) {
    const body = { type: "MeterValues", chargePointId, connectorId, transactionId, readings: refs } as const
    facts.tell(organisationId, subject, receivedAt, body)
  }
  const answer = verify(facts, input)
  const ended: TransactionRow = {
    ...endedBy(transaction, input),
    stopReceivedAt: receivedAt,
    stopReason: request.reason ?? "Local",
    stopIdTag: request.idTag ?? null,
    stopIdTagInfo: answer.idTagInfo ? JSON.stringify(answer.idTagInfo) : null,
  }
  Object.assign(ended, finalEnergy(transaction, input) ?? energyOf(ended, registersOf(facts, transaction)))
  facts.transactions.put(ended)
  const before = { state: transaction.state }
  facts.tell(organisationId, subject, receivedAt, { type: "Transaction", kind: "Stopped", transaction: ended, before })
  const stray = stoppedAt < transaction.startedAt ? "StopBeforeStart" : undefined
  if (stray) addStray(facts, input, strayMessage(input), stray)
  return { ...answer, transactionId, ...(stray && { stray }), repeated: false }
}

const endedBy = (transaction: TransactionRow, { stoppedAt, request: { meterStop } }: Input): TransactionRow => ({
  ...transaction,
  state: "Ended",
  stoppedAt,
  meterStop,
})

/** A reading in transactionData may have come before in MeterValues: named with the connector, it is the same one. */
const readingsFor = ({ connectorId }: TransactionRow, { request, readings }: Input): Reading[] =>
  readings.map((reading) => ({ ...reading, digest: readingDigest(reading, connectorId, request.transactionId) }))

/**
 * The energy when all went well: the register has only ever risen, up to meterStop. Undefined where the readings have
 * to be looked at, be it that the end inferred before left some of them out.
 */
function finalEnergy(transaction: TransactionRow, input: Input): Energy | undefined {
  const ended = endedBy(transaction, input)
  if (transaction.stoppedAt !== null && transaction.stoppedAt < input.stoppedAt) return undefined
  if (input.stoppedAt < transaction.startedAt) return undefined
  if (transaction.registerAt !== null && transaction.registerAt > input.stoppedAt) return undefined
  const running = { ...transaction, stoppedAt: input.stoppedAt }
  const energy = advance(running, inOrder(registersAmong(input.readings)))
  if (!energy || (energy.energyNote !== null && energy.energyNote !== "NoRegister")) return undefined
  if (input.request.meterStop < (energy.registerWh ?? transaction.meterStart)) return undefined
  return { ...energy, ...energyOf(ended, []), registerAt: energy.registerAt, registerWh: energy.registerWh }
}

/** What the idTag that ended the transaction may do, where one is named. OCPP 1.6 §4.10. */
function verify(facts: Facts, input: Input): Pick<Outcome, "idTagInfo"> {
  const { organisationId, request, stoppedAt, receivedAt } = input
  const { idTag } = request
  if (idTag === undefined) return {}
  const row = facts.idTags.get({ organisationId, idTagKey: idTagKeyOf(idTag) })
  return { idTagInfo: authorize(row, Math.min(happenedAt(stoppedAt, receivedAt), receivedAt)) }
}

function strayMessage({ request }: Input): StrayMessage {
  const payload = JSON.stringify(request)
  return { action: "StopTransaction", transactionId: request.transactionId, payload, sameAs: payload }
}

function answerStray(facts: Facts, input: Input, transactionId: number | null, stray: StrayReason): Outcome {
  addStray(facts, input, strayMessage(input), stray)
  return { ...verify(facts, input), transactionId, stray, repeated: false }
}
