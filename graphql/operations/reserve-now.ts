import { builder } from "../builder.ts"
import { ReservationStatusWords } from "../enums-of-reservations.ts"
import { given } from "../paging.ts"
import { Reservation } from "../refs.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("ReserveNow", {
  description:
    "Asks the charge point to keep a connector for an idTag, whatever the connector's state; the charge point decides. OCPP 1.6 §5.13.",
  input: builder.inputType("ReserveNowInput", {
    description: "ReserveNow.req. OCPP 1.6 §6.37.",
    fields: (t) => ({
      ...operationFields(t),
      connectorId: t.int({ required: true, description: "The connector; 0: any one of the charge point." }),
      idTag: t.string({ required: true, description: "For whom." }),
      expiryDate: t.field({
        type: "DateTime",
        required: true,
        description: "Until when; with delivery QUEUE the command waits no longer than that.",
      }),
      parentIdTag: t.string({ description: "Its group may use the reservation too." }),
      withParentIdTag: t.boolean({
        description: "True: parentIdTag, where it is left out, is the one that is known of the idTag.",
      }),
      reservationId: t.int({
        description: "Its number; one that the charge point knows replaces that reservation. A new one when left out.",
      }),
    }),
  }),
  send: ({ connectorId, idTag, expiryDate, ...fields }, who, { services, viewer }) =>
    services.reservations.reserve(viewer, { ...who, connectorId, idTag, expiryDate, ...given(fields) }),
  confirmation: confirmationType("ReserveNow", (t) => ({
    status: t.field({
      type: ReservationStatusWords.type,
      description: "Whether the connector is kept.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
    reservation: t.field({
      type: Reservation,
      nullable: true,
      description: "What becomes of it.",
      resolve: ({ command }, _args, { loaders }) => loaders.reservation.load(command.id),
    }),
  })),
})
