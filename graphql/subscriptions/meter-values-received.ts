import type { MeterValueRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { MeterValuesChangeKindWords } from "../enums.ts"
import { Live } from "../live.ts"
import { ChargePoint, MeterValue, Transaction } from "../refs.ts"
import { AFTER, type Change, changeType } from "./change.ts"
import { chargePointIdOf } from "./of.ts"

interface MeterValuesChange extends Change<"Received"> {
  meterValues: MeterValueRow[]
  chargePointId: string
  connectorId: number
  transactionId: number | null
}

const MeterValuesChangeRef = changeType<MeterValuesChange>(
  "MeterValuesChange",
  "New readings of one connector.",
  MeterValuesChangeKindWords,
)

builder.objectFields(MeterValuesChangeRef, (t) => ({
  meterValues: t.expose("meterValues", { type: [MeterValue], description: "The readings, each told once." }),
  connectorId: t.exposeInt("connectorId", { description: "The connector; 0 is the main meter." }),
  chargePoint: t.field({
    type: ChargePoint,
    nullable: true,
    description: "Whose meter it is, as of now; null where the charge point is deleted.",
    resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
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
      after: t.arg({ type: "Cursor", description: AFTER }),
    },
    subscribe: async (_root, { chargePoint, transactionId, after }, context) => {
      const chargePointId = await chargePointIdOf(chargePoint, context)
      const of = { chargePointId, transactionId: transactionId ?? undefined }
      return new Live(context, (signal) =>
        context.services.following.meterValues(context.viewer, of, { after: after ?? undefined, signal }),
      )
    },
    resolve: ({ cursor, event: { at, chargePointId, connectorId, transactionId }, readings }) => ({
      cursor,
      at,
      kind: "Received" as const,
      meterValues: readings,
      chargePointId,
      connectorId,
      transactionId,
    }),
  }),
)
