import { builder } from "../builder.ts"
import { UnlockStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("UnlockConnector", {
  description: "Releases a cable that is stuck. OCPP 1.6 §5.18.",
  input: builder.inputType("UnlockConnectorInput", {
    description: "UnlockConnector.req. OCPP 1.6 §6.53.",
    fields: (t) => ({
      ...operationFields(t),
      connectorId: t.int({ required: true, description: "The connector, also one that nobody knows." }),
    }),
  }),
  confirmation: confirmationType("UnlockConnector", (t) => ({
    status: t.field({
      type: UnlockStatusWords.type,
      description: "What came of it.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
