import type { KeyValue } from "../../src/ocpp/types.ts"
import { builder } from "../builder.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

const KeyValueRef = builder.objectRef<KeyValue>("KeyValue").implement({
  description: "One configuration key in an answer. OCPP 1.6 §7.29.",
  fields: (t) => ({
    key: t.exposeString("key", { description: "Its name." }),
    readonly: t.exposeBoolean("readonly", { description: "Whether it can only be read." }),
    value: t.string({
      nullable: true,
      description: "Its value, always text; null where it has none.",
      resolve: ({ value }) => value ?? null,
    }),
  }),
})

operation("GetConfiguration", {
  description: "Asks for configuration keys; what is answered is kept in ChargePoint.configuration. OCPP 1.6 §5.8.",
  input: builder.inputType("GetConfigurationInput", {
    description: "GetConfiguration.req. OCPP 1.6 §6.23.",
    fields: (t) => ({
      ...operationFields(t),
      key: t.stringList({ description: "Which keys; all when left out." }),
    }),
  }),
  confirmation: confirmationType("GetConfiguration", (t) => ({
    configurationKey: t.field({
      type: [KeyValueRef],
      nullable: true,
      description: "The keys that are known.",
      resolve: ({ confirmation }) => confirmation.configurationKey ?? null,
    }),
    unknownKey: t.stringList({
      nullable: true,
      description: "The keys that are not.",
      resolve: ({ confirmation }) => confirmation.unknownKey ?? null,
    }),
  })),
})
