import { builder } from "../builder.ts"
import { CancelReservationStatusWords } from "../enums-of-reservations.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("CancelReservation", {
  description: "Gives a reservation up, by its number; one that Busbar does not know is asked for too. OCPP 1.6 §5.1.",
  input: builder.inputType("CancelReservationInput", {
    description: "CancelReservation.req. OCPP 1.6 §6.5.",
    fields: (t) => ({
      ...operationFields(t),
      reservationId: t.int({ required: true, description: "The number it was made with." }),
    }),
  }),
  confirmation: confirmationType("CancelReservation", (t) => ({
    status: t.field({
      type: CancelReservationStatusWords.type,
      description: "Whether there was such a reservation.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
