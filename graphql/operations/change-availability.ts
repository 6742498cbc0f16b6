import { builder } from "../builder.ts"
import { AvailabilityStatusWords, AvailabilityTypeWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("ChangeAvailability", {
  description: "Takes a connector, or with 0 the whole charge point, in or out of operation. OCPP 1.6 §5.2.",
  input: builder.inputType("ChangeAvailabilityInput", {
    description: "ChangeAvailability.req. OCPP 1.6 §6.7.",
    fields: (t) => ({
      ...operationFields(t),
      connectorId: t.int({ required: true, description: "The connector; 0: the charge point and all its connectors." }),
      type: t.field({ type: AvailabilityTypeWords.type, required: true, description: "In or out of operation." }),
    }),
  }),
  confirmation: confirmationType("ChangeAvailability", (t) => ({
    status: t.field({
      type: AvailabilityStatusWords.type,
      description: "Whether it does so.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
