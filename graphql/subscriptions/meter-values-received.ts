import type { ReadingsTold } from "../../src/services/following/index.ts"
import { builder } from "../builder.ts"
import { MeterValuesChangeKindWords } from "../enums.ts"
import { ChargePoint, MeterValue, Transaction } from "../refs.ts"
import { beginningArgs, beginningOf, changeType } from "./change.ts"
import { chargePointIdOf } from "./of.ts"

const MeterValuesChangeRef = changeType<ReadingsTold>(
  "MeterValuesChange",
  "New readings of one connector, or its newest ones.",
  MeterValuesChangeKindWords,
)

builder.objectFields(MeterValuesChangeRef, (t) => ({
  meterValues: t.expose("readings", {
    type: [MeterValue],
    description:
      "The readings, each received one told once; with SNAPSHOT the connector's newest ones that belong together, oldest first; empty with SNAPSHOT_END.",
  }),
  connectorId: t.exposeInt("connectorId", {
    nullable: true,
    description: "The connector; 0 is the main meter. Null with SNAPSHOT_END only.",
  }),
  chargePoint: t.field({
    type: ChargePoint,
    nullable: true,
    description: "Whose meter it is, as of now; null where the charge point is deleted, and with SNAPSHOT_END.",
    resolve: ({ chargePointId }, _args, { loaders }) =>
      chargePointId === null ? null : loaders.chargePoint.load(chargePointId),
  }),
  transaction: t.field({
    type: Transaction,
    nullable: true,
    description: "The transaction they belong to, as of now.",
    resolve: ({ transactionId }, _args, { loaders }) =>
      transactionId === null ? null : loaders.transaction.load(transactionId),
  }),
}))

builder.subscriptionField("meterValuesReceived", (t) =>
  t.field({
    type: MeterValuesChangeRef,
    description: "Readings as they arrive.",
    args: {
      chargePoint: t.arg.string({ description: "Only of the charge point with this identity." }),
      transactionId: t.arg.int({ description: "Only of this transaction." }),
      ...beginningArgs(t.arg, { snapshot: "Here: the newest readings of each connector." }),
    },
    subscribe: async (_root, { chargePoint, transactionId, ...beginning }, context) => {
      const of = {
        chargePointId: await chargePointIdOf(chargePoint, context),
        transactionId: transactionId ?? undefined,
      }
      return context.services.following.meterValues(context.viewer, of, beginningOf(beginning))
    },
    resolve: (told) => told,
  }),
)
