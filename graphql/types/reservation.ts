import { builder } from "../builder.ts"
import { ReservationConnection } from "../connections.ts"
import { ReservationStateWords } from "../enums-of-reservations.ts"
import { type Given, idsOf } from "../filters.ts"
import { connectionOf, given, isEndPage, pageOf } from "../paging.ts"
import { ChargePoint, Reservation, Transaction } from "../refs.ts"

builder.node(Reservation, {
  description: "A connector kept for somebody, from the wish to its end. OCPP 1.6 §3.11.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.reservation.load(id))),
  fields: (t) => ({
    reservationId: t.exposeInt("reservationId", { description: "Its number on the wire." }),
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Where; null where the charge point is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    connectorId: t.exposeInt("connectorId", { description: "The connector; 0: any one of the charge point." }),
    idTag: t.exposeString("idTag", { description: "For whom." }),
    parentIdTag: t.exposeString("parentIdTag", { nullable: true, description: "Whose group may use it too." }),
    expiryDate: t.expose("expiryDate", { type: "DateTime", description: "Until when." }),
    state: t.expose("state", { type: ReservationStateWords.type, description: "Where it stands." }),
    endReason: t.exposeString("endReason", {
      nullable: true,
      description: "In a word why it was refused or cancelled: the charge point's own status, or what went wrong.",
    }),
    requestedBy: t.exposeString("requestedBy", { description: "The name of the token that asked." }),
    requestedAt: t.expose("requestedAt", { type: "DateTime", description: "When it was asked for." }),
    acceptedAt: t.expose("acceptedAt", {
      type: "DateTime",
      nullable: true,
      description: "When the charge point accepted it.",
    }),
    endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it ended, whatever the end." }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      description: "The transaction that used it.",
      resolve: ({ transactionId }, _args, { loaders }) =>
        transactionId === null ? null : loaders.transaction.load(transactionId),
    }),
  }),
})

const ReservationFilterInput = builder.inputType("ReservationFilter", {
  description: "Narrows reservations; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    chargePoints: t.stringList({ description: "At a charge point with one of these identities." }),
    idTag: t.string({ description: "For this idTag, whatever its letter case." }),
    state: t.field({ type: [ReservationStateWords.type], description: "In one of these states." }),
  }),
})

builder.queryField("reservations", (t) =>
  t.connection(
    {
      type: Reservation,
      description: "The organisation's reservations, newest first.",
      args: { filter: t.arg({ type: ReservationFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, context) => {
        const { chargePoints, ...rest } = given(filter as Given<typeof ReservationFilterInput>)
        const wanted = { ...rest, ...(chargePoints && { chargePointIds: await idsOf(chargePoints, context) }) }
        const { services, viewer } = context
        return connectionOf(await services.read.reservations(viewer.organisationId, wanted, pageOf(page)))
      },
    },
    ReservationConnection,
  ),
)

builder.objectField(ChargePoint, "reservations", (t) =>
  t.connection(
    {
      type: Reservation,
      description: "Its reservations, newest first.",
      resolve: async ({ id, organisationId }, args, { services: { read }, loaders }) => {
        const page = pageOf(args)
        return connectionOf(
          await (isEndPage(page)
            ? loaders.reservations.load({ of: id, args: page })
            : read.reservations(organisationId, { chargePointIds: [id] }, page)),
        )
      },
    },
    ReservationConnection,
  ),
)
