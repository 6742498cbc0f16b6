// Which transaction a message means: the one it names, or the only one it can mean. OCPP 1.6 §4.7, §4.10, errata §3.18.
import type { InputOf, Reading } from "./catalogue.ts"
import type { Facts } from "./facts.ts"
import { idTagKeyOf, sameGroup } from "./id-tags.ts"
import type { StrayReason, TransactionRow } from "./rows.ts"

/** A transaction, or why there is none: nothing was named and nothing fits, or what was named cannot be meant. */
export interface Attribution {
  transaction?: Readonly<TransactionRow> | undefined
  stray?: StrayReason | undefined
}

interface Naming {
  chargePointId: string
  transactionId: number | null
}

/** Ids that Busbar may have given: positive and 32 bit. Charge points use −1 and 0 where they never got one. */
const maxId = 2 ** 31 - 1
const isGiven = (id: number | null): id is number => id !== null && id > 0 && id <= maxId

/** Loads the transactions that these messages name. */
export const loadNamed = (facts: Facts, messages: readonly Naming[]): Promise<void> =>
  facts.transactions.load([...new Set(messages.map(({ transactionId }) => transactionId).filter(isGiven))])

/** The transaction that a message names, whosever it is. */
export const named = (facts: Facts, { transactionId }: Naming): Readonly<TransactionRow> | undefined =>
  isGiven(transactionId) ? facts.transactions.get(transactionId) : undefined

const wasRunningAt = ({ startedAt, stoppedAt }: TransactionRow, at: number) =>
  startedAt <= at && (stoppedAt === null || at <= stoppedAt)

/** The only one, or none. */
const only = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined)

/**
 * The transaction that a reading belongs to. One without a known transactionId belongs to what ran on its connector at
 * its instant; the main meter's (connector 0) belongs to none unless it names one.
 */
export function attributeReading(facts: Facts, input: InputOf<"reportMeterValues">, { at }: Reading): Attribution {
  const { chargePointId, connectorId, transactionId } = input
  const transaction = named(facts, input)
  if (transaction?.chargePointId === chargePointId) return { transaction }
  if (transaction) return { stray: "OtherChargePoint" }
  const fitting = connectorId === 0 ? [] : facts.transactions.unended(chargePointId)
  const fits = only(fitting.filter((row) => row.connectorId === connectorId && wasRunningAt(row, at)))
  if (fits) return { transaction: fits }
  return transactionId !== null && transactionId > 0 ? { stray: "UnknownTransaction" } : {}
}

/**
 * The transaction that a StopTransaction ends, or has ended when it came before. One without a known transactionId ends
 * what ran at its instant with a register not above its own, started by the idTag that it names or one of its group.
 */
export function attributeStop(facts: Facts, input: InputOf<"stopTransaction">): Attribution {
  const { organisationId, chargePointId, request, stoppedAt } = input
  const transaction = named(facts, { chargePointId, transactionId: request.transactionId })
  if (transaction?.chargePointId === chargePointId) return { transaction }
  if (transaction) return { stray: "OtherChargePoint" }
  const stopped = facts.transactions.stoppedAt(input)
  const before = stopped.find(
    (row) => row.meterStop === request.meterStop && isNoOtherTag(row.stopIdTag, request.idTag),
  )
  if (before) return { transaction: before }

  const running = facts.transactions
    .unended(chargePointId)
    .filter((row) => wasRunningAt(row, stoppedAt) && row.meterStart <= request.meterStop)
  const { idTag } = request
  if (idTag === undefined) return onlyOrUnknown(running)
  const idTagKey = idTagKeyOf(idTag)
  const own = running.filter((row) => row.idTagKey === idTagKey)
  if (own.length > 0) return onlyOrUnknown(own)
  const presented = facts.idTags.get({ organisationId, idTagKey })
  return onlyOrUnknown(
    running.filter((row) => sameGroup(presented, facts.idTags.get({ organisationId, idTagKey: row.idTagKey }))),
  )
}

const isNoOtherTag = (stopIdTag: string | null, idTag: string | undefined) =>
  idTagKeyOf(stopIdTag ?? "") === idTagKeyOf(idTag ?? "")

function onlyOrUnknown(fitting: readonly Readonly<TransactionRow>[]): Attribution {
  const transaction = only(fitting)
  return transaction ? { transaction } : { stray: "UnknownTransaction" }
}
