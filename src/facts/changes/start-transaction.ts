import type { ChangeOf, IdTagInfo, InputOf } from "../catalogue.ts"
import { bindWaiting, loadWaiting } from "../charging/held.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { authorize, idTagKeyOf } from "../id-tags.ts"
import { inferEnd, readsPast } from "../inferred-end.ts"
import { happenedAt } from "../instants.ts"
import { isFor, moveReservation } from "../reservations.ts"
import type { ReservationRow, TransactionRow } from "../rows.ts"
import { JUST_STARTED } from "../running.ts"
import { loadTold } from "../told-charge-point.ts"

type Input = InputOf<"startTransaction">

const idTagOf = ({ organisationId, request }: Input) => ({ organisationId, idTagKey: idTagKeyOf(request.idTag) })

const beganAt = ({ startedAt, receivedAt }: Input) => happenedAt(startedAt, receivedAt)

const placeOf = (input: Input) => ({
  chargePointId: input.chargePointId,
  connectorId: input.request.connectorId,
  startedAt: beganAt(input),
})

/**
 * A connector charges for one transaction at a time, so of two the older is over when the newer starts. "Older" is said
 * by the charge point's timestamps: a backlog arrives late and in any order. A start that authorization refuses is
 * recorded all the same, for the charge point may charge nevertheless and will report the end.
 */
export const startTransaction: ChangeOf<"startTransaction"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await facts.transactions.loadByStartKey(inputs)
    const fresh = inputs.filter((input) => !facts.transactions.byStartKey(input))
    await facts.idTags.load(fresh.map(idTagOf))
    const limited = fresh.map(idTagOf).filter((key) => facts.idTags.get(key)?.maxActiveTransactions != null)
    await facts.transactions.loadActiveCounts(limited)
    await facts.transactions.loadUnended(fresh.map((input) => input.chargePointId))
    await facts.transactions.loadNextStarts(fresh.map(placeOf))
    await loadReservations(facts, fresh)
    await loadWaiting(
      facts,
      fresh.map((input) => input.chargePointId),
    )
    const shortened = fresh.flatMap((input) =>
      endedBy(facts, input).filter((row) => readsPast({ ...row, stoppedAt: beganAt(input) })),
    )
    await facts.meterValues.loadOf(shortened.map((row) => row.transactionId))
  },
  apply(facts, input) {
    const { organisationId, chargePointId, request, startedAt, startKey, receivedAt } = input
    const first = facts.transactions.byStartKey(input)
    if (first) {
      const idTagInfo: IdTagInfo = JSON.parse(first.startIdTagInfo)
      return { transactionId: first.transactionId, idTagInfo, repeated: true }
    }
    for (const older of endedBy(facts, input)) inferEnd(facts, older, beganAt(input), receivedAt)
    const next = nextStart(facts, input)
    const idTagInfo = verify(facts, input, next === undefined)
    const transaction: TransactionRow = {
      transactionId: facts.transactions.nextId(),
      organisationId,
      chargePointId,
      connectorId: request.connectorId,
      idTag: request.idTag,
      idTagKey: idTagKeyOf(request.idTag),
      startKey,
      startedAt,
      startReceivedAt: receivedAt,
      meterStart: request.meterStart,
      reservationId: request.reservationId ?? null,
      startIdTagInfo: JSON.stringify(idTagInfo),
      ...JUST_STARTED,
    }
    facts.transactions.put(transaction)
    const body = { type: "Transaction", kind: "Started", transaction } as const
    facts.tell(organisationId, chargePointSubject(chargePointId), receivedAt, body)
    useReservation(facts, input, transaction)
    if (next !== undefined) inferEnd(facts, transaction, next, receivedAt)
    else bindWaiting(facts, transaction)
    return { transactionId: transaction.transactionId, idTagInfo, repeated: false }
  },
}

/** The transactions on the connector that cannot have gone on after this start, by what is known of their ends. */
function endedBy(facts: Facts, input: Input): Readonly<TransactionRow>[] {
  const at = beganAt(input)
  return facts.transactions
    .unended(input.chargePointId)
    .filter((row) => row.connectorId === input.request.connectorId)
    .filter((row) => happenedAt(row.startedAt, row.startReceivedAt) <= at)
    .filter((row) => row.stoppedAt === null || row.stoppedAt > at)
}

/** When the start came late, and the connector has gone on to another transaction: the start of that one. */
function nextStart(facts: Facts, input: Input): number | undefined {
  const next = facts.transactions.nextStart(placeOf(input))
  // An instant in days to come was given by a clock that has been put right since; it orders nothing.
  return next !== undefined && happenedAt(next, input.receivedAt) === next ? next : undefined
}

/**
 * The idTag is verified again, as of the start: what was valid when an offline charge point let somebody charge was
 * right then. The limit of running transactions is asked only of one that runs. OCPP 1.6 §4.8.
 */
function verify(facts: Facts, input: Input, running: boolean): IdTagInfo {
  const key = idTagOf(input)
  const row = facts.idTags.get(key)
  const idTagInfo = authorize(row, Math.min(beganAt(input), input.receivedAt))
  const limit = row?.maxActiveTransactions ?? null
  if (idTagInfo.status !== "Accepted" || limit === null || !running) return idTagInfo
  return facts.transactions.activeCount(key) < limit ? idTagInfo : { ...idTagInfo, status: "ConcurrentTx" }
}

async function loadReservations(facts: Facts, inputs: readonly Input[]): Promise<void> {
  await facts.reservations.loadOpen(inputs.map((input) => input.chargePointId))
  const named = inputs.flatMap(({ chargePointId, request: { reservationId } }) =>
    reservationId === undefined ? [] : [{ chargePointId, reservationId }],
  )
  await facts.reservations.loadByNumber(named)
  const reserved = inputs.filter(
    ({ chargePointId, request: { reservationId } }) =>
      reservationId !== undefined || facts.reservations.open(chargePointId).length > 0,
  )
  await loadTold(
    facts,
    reserved.map(({ chargePointId }) => chargePointId),
  )
}

const BY_LIKELIHOOD = ["Active", "Requested", "Expired", "Cancelled", "Refused"]

/** Which reservation a number means that was given more than once; the later one of two in the same state. */
const likeliest = (sameNumber: readonly Readonly<ReservationRow>[]): Readonly<ReservationRow> | undefined =>
  BY_LIKELIHOOD.map((state) => sameNumber.findLast((row) => row.state === state)).find((row) => row !== undefined)

/**
 * A transaction uses the reservation that it names, whatever was believed of it; one that names none uses the one that
 * is kept for its idTag or group on its connector. OCPP 1.6 §4.8, §5.13.
 */
function useReservation(facts: Facts, input: Input, { transactionId, idTagKey }: TransactionRow): void {
  const { chargePointId, request, receivedAt } = input
  const { connectorId, reservationId } = request
  const reservation =
    reservationId === undefined
      ? facts.reservations
          .open(chargePointId)
          .filter((open) => open.connectorId === connectorId || open.connectorId === 0)
          .filter((open) => open.requestedAt <= beganAt(input) && beganAt(input) < open.expiryDate)
          .find((open) => isFor(open, idTagKey, facts.idTags.get(idTagOf(input))))
      : likeliest(facts.reservations.byNumber({ chargePointId, reservationId }))
  if (reservation === undefined) return
  const used = { ...reservation, state: "Used", endReason: null, endedAt: receivedAt, transactionId } as const
  moveReservation(facts, used, receivedAt)
}
