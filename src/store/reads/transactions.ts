/** Transactions, by id, by charge point and as a filtered list. */
import { type RawBuilder, type SelectQueryBuilder, sql } from "kysely"
import { idTagKeyOf } from "../../facts/id-tags.ts"
import type { TransactionRow, TransactionState } from "../../facts/rows.ts"
import type { Reads, TransactionFilter } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import type { Schema } from "../tables.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, type Source } from "./source.ts"

type TransactionReads = Pick<
  Reads,
  | "transactionsByIds"
  | "activeTransactionsOf"
  | "transactions"
  | "countTransactions"
  | "transactionsOfEach"
  | "countTransactionsOfEach"
>

const newestFirst: Order<TransactionRow> = {
  name: "transactions",
  by: { startedAt: "integer", transactionId: "integer" },
  direction: "desc",
}

const ofChargePoint: ChildList<TransactionRow, string> = {
  table: "transactions",
  key: "transactionId",
  parent: "chargePointId",
  parentOf: ({ chargePointId }) => chargePointId,
  order: newestFirst,
}

/**
 * One of these states; none given: any. What runs is soon found among very many that ended, as it has indexes of its own,
 * which a statement may only use whose text says that no other is meant.
 */
function inState(
  source: Source,
  field: string,
  states: readonly TransactionState[] | undefined,
): RawBuilder<boolean>[] {
  if (states === undefined) return []
  const state = sql.ref(field)
  return [
    among(source, field, states),
    ...(states.includes("Ended") ? [] : [sql<boolean>`${state} <> ${sql.lit("Ended")}`]),
    ...(states.every((one) => one === "Active") ? [sql<boolean>`${state} = ${sql.lit("Active")}`] : []),
  ]
}

export function transactionReads(source: Source): TransactionReads {
  const all = () => source.db.selectFrom("transactions").selectAll()

  function matching<Row>(query: SelectQueryBuilder<Schema, "transactions", Row>, filter: TransactionFilter) {
    const { chargePointIds, connectorId, idTag, state, startedAfter, startedBefore } = filter
    let found = query
    if (chargePointIds !== undefined) found = found.where(among(source, "chargePointId", chargePointIds))
    if (connectorId !== undefined) found = found.where("connectorId", "=", connectorId)
    if (idTag !== undefined) found = found.where("idTagKey", "=", idTagKeyOf(idTag))
    for (const condition of inState(source, "state", state)) found = found.where(condition)
    if (startedAfter !== undefined) found = found.where("startedAt", ">", startedAfter)
    if (startedBefore !== undefined) found = found.where("startedAt", "<", startedBefore)
    return found
  }

  return {
    transactionsByIds: (transactionIds) =>
      all()
        .where(among(source, "transactionId", transactionIds))
        .execute(),

    activeTransactionsOf: (chargePointIds) =>
      all()
        .where(among(source, "chargePointId", chargePointIds))
        .where("state", "<>", "Ended")
        .where("state", "=", "Active")
        .orderBy("startedAt", "desc")
        .orderBy("transactionId", "desc")
        .execute(),

    transactions: (organisationId, filter, page) =>
      slice(matching(all().where("organisationId", "=", organisationId), filter), newestFirst, page),

    async countTransactions(organisationId, filter) {
      const counting = source.db
        .selectFrom("transactions")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("organisationId", "=", organisationId)
      return (await matching(counting, filter).executeTakeFirstOrThrow()).count
    },

    transactionsOfEach: (chargePointIds, { state }, page) =>
      sliceOfEach(source, ofChargePoint, chargePointIds, inState(source, "n.state", state), page),

    async countTransactionsOfEach(chargePointIds, { state }) {
      let counting = source.db
        .selectFrom("transactions")
        .select(({ fn }) => ["chargePointId", fn.countAll<number>().as("count")])
        .where(among(source, "chargePointId", chargePointIds))
        .groupBy("chargePointId")
      for (const condition of inState(source, "state", state)) counting = counting.where(condition)
      const rows = await counting.execute()
      return new Map(rows.map(({ chargePointId, count }) => [chargePointId, count]))
    },
  }
}
