import { builder } from "../builder.ts"
import { ResetStatusWords, ResetTypeWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("Reset", {
  description: "Restarts the charge point. OCPP 1.6 §5.14.",
  input: builder.inputType("ResetInput", {
    description: "Reset.req. OCPP 1.6 §6.39.",
    fields: (t) => ({
      ...operationFields(t),
      type: t.field({ type: ResetTypeWords.type, required: true, description: "Gently or at once." }),
    }),
  }),
  confirmation: confirmationType("Reset", (t) => ({
    status: t.field({
      type: ResetStatusWords.type,
      description: "Whether it does so.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
