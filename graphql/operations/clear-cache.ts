import { builder } from "../builder.ts"
import { ClearCacheStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("ClearCache", {
  description: "Empties the charge point's authorization cache. OCPP 1.6 §5.4.",
  input: builder.inputType("ClearCacheInput", {
    description: "ClearCache.req. OCPP 1.6 §6.13.",
    fields: (t) => operationFields(t),
  }),
  confirmation: confirmationType("ClearCache", (t) => ({
    status: t.field({
      type: ClearCacheStatusWords.type,
      description: "Whether it does so.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
