import { builder } from "../builder.ts"
import { RemoteStartStopStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("RemoteStopTransaction", {
  description: "Asks the charge point to stop a transaction. OCPP 1.6 §5.12.",
  input: builder.inputType("RemoteStopTransactionInput", {
    description: "RemoteStopTransaction.req. OCPP 1.6 §6.35.",
    fields: (t) => ({
      ...operationFields(t),
      transactionId: t.int({ required: true, description: "The transaction, also one that nobody knows." }),
    }),
  }),
  confirmation: confirmationType("RemoteStopTransaction", (t) => ({
    status: t.field({
      type: RemoteStartStopStatusWords.type,
      description: "Whether it will do so.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
