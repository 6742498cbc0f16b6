import { builder } from "../builder.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("GetLocalListVersion", {
  description: "Asks which version its local authorization list has. OCPP 1.6 §5.10.",
  input: builder.inputType("GetLocalListVersionInput", {
    description: "GetLocalListVersion.req. OCPP 1.6 §6.25.",
    fields: operationFields,
  }),
  confirmation: confirmationType("GetLocalListVersion", (t) => ({
    listVersion: t.int({
      description: "0: the list is empty; −1: the charge point has no local lists.",
      resolve: ({ confirmation }) => confirmation.listVersion,
    }),
  })),
})
