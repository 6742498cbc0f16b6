import { builder } from "../builder.ts"
import { ConfigurationStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("ChangeConfiguration", {
  description:
    "Sets one configuration key. After AuthorizationKey, give the new password to updateChargePoint too: Busbar goes on asking for the old one. OCPP 1.6 §5.3.",
  input: builder.inputType("ChangeConfigurationInput", {
    description: "ChangeConfiguration.req. OCPP 1.6 §6.9.",
    fields: (t) => ({
      ...operationFields(t),
      key: t.string({ required: true, description: "The key's name, also one that nobody knows." }),
      value: t.string({ required: true, description: "The new value; always text." }),
    }),
  }),
  confirmation: confirmationType("ChangeConfiguration", (t) => ({
    status: t.field({
      type: ConfigurationStatusWords.type,
      description: "Whether it does so.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
