import type { TransactionTold } from "../../src/services/following/index.ts"
import { builder } from "../builder.ts"
import { TransactionChangeKindWords } from "../enums.ts"
import { TransactionFilterInput, transactionFilter } from "../filters.ts"
import { Transaction } from "../refs.ts"
import { beginningArgs, beginningOf, changeType, LEFT } from "./change.ts"

const TransactionChangeRef = changeType<TransactionTold>(
  "TransactionChange",
  "A transaction has changed, or runs.",
  TransactionChangeKindWords,
)

builder.objectFields(TransactionChangeRef, (t) => ({
  transaction: t.expose("transaction", {
    type: Transaction,
    nullable: true,
    description: "The transaction as of the change. Null with SNAPSHOT_END only.",
  }),
  left: t.exposeBoolean("left", { description: LEFT }),
}))

builder.subscriptionField("transactionChanged", (t) =>
  t.field({
    type: TransactionChangeRef,
    description: "Transactions as they begin, go on and end.",
    args: {
      filter: t.arg({
        type: TransactionFilterInput,
        description:
          "Only transactions within; all when left out. The change with which one leaves is told too, see left: state: [ACTIVE] tells of ends.",
      }),
      ...beginningArgs(t.arg, { snapshot: "Here: the transactions within the filter that run (state ACTIVE)." }),
    },
    subscribe: async (_root, { filter, ...beginning }, context) =>
      context.services.following.transactions(
        context.viewer,
        await transactionFilter(filter, context),
        beginningOf(beginning),
      ),
    resolve: (told) => told,
  }),
)
