import type { TransactionChangeKind } from "../../src/facts/events.ts"
import type { TransactionRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { TransactionChangeKindWords } from "../enums.ts"
import { TransactionFilterInput, transactionFilter } from "../filters.ts"
import { Live } from "../live.ts"
import { Transaction } from "../refs.ts"
import { AFTER, type Change, changeType } from "./change.ts"

interface TransactionChange extends Change<TransactionChangeKind> {
  transaction: TransactionRow
}

const TransactionChangeRef = changeType<TransactionChange>(
  "TransactionChange",
  "A transaction has changed.",
  TransactionChangeKindWords,
)

builder.objectField(TransactionChangeRef, "transaction", (t) =>
  t.expose("transaction", { type: Transaction, description: "The transaction as of the change." }),
)

builder.subscriptionField("transactionChanged", (t) =>
  t.field({
    type: TransactionChangeRef,
    description: "Transactions as they begin, go on and end.",
    args: {
      filter: t.arg({
        type: TransactionFilterInput,
        description:
          "Only changes after which the transaction is within; all when left out. state: [ACTIVE] does not tell of ends: to see them, filter by what stays, such as chargePoints.",
      }),
      after: t.arg({ type: "Cursor", description: AFTER }),
    },
    subscribe: async (_root, { filter, after }, context) => {
      const wanted = await transactionFilter(filter, context)
      return new Live(context, (signal) =>
        context.services.following.transactions(context.viewer, wanted, { after: after ?? undefined, signal }),
      )
    },
    resolve: ({ cursor, event: { at, kind, transaction } }) => ({ cursor, at, kind, transaction }),
  }),
)
