import { builder } from "../builder.ts"
import { MeterValueConnection, TransactionConnection } from "../connections.ts"
import { EnergyNoteWords, TransactionStateWords } from "../enums.ts"
import { ReasonWords } from "../enums-of-charging.ts"
import { TransactionFilterInput, transactionFilter } from "../filters.ts"
import { connectionOf, isEndPage, pageOf } from "../paging.ts"
import { ChargePoint, MeterValue, Transaction } from "../refs.ts"

const isTransactionId = (id: number) => Number.isInteger(id) && id > 0 && id < 2 ** 31

builder.node(Transaction, {
  description: "A transaction from StartTransaction to StopTransaction. OCPP 1.6 §4.8, §4.10.",
  id: { resolve: ({ transactionId }) => transactionId, parse: Number, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) =>
    // Anybody can write an id: one that holds no number names nothing.
    Promise.all(ids.map((id) => (isTransactionId(id) ? loaders.transaction.load(id) : null))),
  fields: (t) => ({
    transactionId: t.exposeInt("transactionId", { description: "The id given in StartTransaction.conf; unique." }),
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Where it took place; null where the charge point is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    identity: t.string({
      nullable: true,
      description: "The identity of the charge point, also where that is deleted; null where nobody knows it any more.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.identity.load(chargePointId),
    }),
    connectorId: t.exposeInt("connectorId", { description: "The connector it took place on." }),
    idTag: t.exposeString("idTag", { description: "The idTag it was started with." }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it began, by the charge point's clock." }),
    startReceivedAt: t.expose("startReceivedAt", {
      type: "DateTime",
      description: "When StartTransaction was received.",
    }),
    stoppedAt: t.expose("stoppedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended, by the charge point's clock, or as concluded.",
    }),
    stopReceivedAt: t.expose("stopReceivedAt", {
      type: "DateTime",
      nullable: true,
      description: "When StopTransaction was received.",
    }),
    meterStart: t.exposeInt("meterStart", { description: "The register at the start, Wh." }),
    meterStop: t.exposeInt("meterStop", { nullable: true, description: "The register at the end, Wh." }),
    energyWh: t.exposeInt("energyWh", {
      nullable: true,
      description: "Energy so far, or in all once it ended, Wh; null before the first register reading.",
    }),
    energyNote: t.expose("energyNote", {
      type: EnergyNoteWords.type,
      nullable: true,
      description: "Something odd about its energy register.",
    }),
    stopReason: t.field({
      type: ReasonWords.type,
      nullable: true,
      description: "Why it ended; null where none was told or the charge point used a word of its own.",
      resolve: ({ stopReason }) => ReasonWords.known(stopReason),
    }),
    reportedStopReason: t.exposeString("stopReason", {
      nullable: true,
      description: "Why it ended, in the charge point's own word.",
    }),
    stopIdTag: t.exposeString("stopIdTag", { nullable: true, description: "The idTag it was stopped with." }),
    reservationId: t.exposeInt("reservationId", { nullable: true, description: "The reservation it used." }),
    state: t.expose("state", { type: TransactionStateWords.type, description: "Where it stands." }),
    meterValues: t.connection(
      {
        type: MeterValue,
        description: "Its readings in order of their instants, oldest first.",
        resolve: async ({ organisationId, transactionId }, args, { services: { read }, loaders }) => {
          const page = pageOf(args)
          return connectionOf(
            await (isEndPage(page)
              ? loaders.meterValues.load({ of: transactionId, args: page })
              : read.meterValues(organisationId, { transactionId }, page)),
          )
        },
      },
      MeterValueConnection,
    ),
  }),
})

builder.queryFields((t) => ({
  transaction: t.field({
    type: Transaction,
    nullable: true,
    description: "The transaction with this id; null where the organisation has none.",
    args: { transactionId: t.arg.int({ required: true, description: "As given in StartTransaction.conf." }) },
    resolve: (_root, { transactionId }, { loaders }) => loaders.transaction.load(transactionId),
  }),
  transactions: t.connection(
    {
      type: Transaction,
      description: "The organisation's transactions, newest first.",
      args: { filter: t.arg({ type: TransactionFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, context) => {
        const { services, viewer } = context
        const wanted = await transactionFilter(filter, context)
        const slice = await services.read.transactions(viewer.organisationId, wanted, pageOf(page))
        return connectionOf(slice, () => services.read.countTransactions(viewer.organisationId, wanted))
      },
    },
    TransactionConnection,
  ),
}))
