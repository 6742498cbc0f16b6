/** Transactions, by id, by charge point and as a filtered list. */
import type { SelectQueryBuilder } from "kysely"
import type { TransactionRow } from "../../facts/rows.ts"
import type { Reads, TransactionFilter } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import type { Schema } from "../tables.ts"
import { among, type Source } from "./source.ts"

type TransactionReads = Pick<Reads, "transactionsByIds" | "activeTransactionsOf" | "transactions" | "countTransactions">

const newestFirst: Order<TransactionRow> = {
  name: "transactions",
  by: { startedAt: "integer", transactionId: "integer" },
  direction: "desc",
}

export function transactionReads(source: Source): TransactionReads {
  const all = () => source.db.selectFrom("transactions").selectAll()

  function matching<Row>(query: SelectQueryBuilder<Schema, "transactions", Row>, filter: TransactionFilter) {
    const { chargePointIds, connectorId, idTag, state, startedAfter, startedBefore } = filter
    let found = query
    if (chargePointIds !== undefined) found = found.where(among(source, "chargePointId", chargePointIds))
    if (connectorId !== undefined) found = found.where("connectorId", "=", connectorId)
    if (idTag !== undefined) found = found.where("idTagKey", "=", idTag.toLowerCase())
    if (state !== undefined) found = found.where(among(source, "state", state))
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
  }
}
