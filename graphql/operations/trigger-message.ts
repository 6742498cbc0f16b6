import { builder } from "../builder.ts"
import { MessageTriggerWords, TriggerMessageStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("TriggerMessage", {
  description: "Asks for a message that the charge point could have sent by itself. OCPP 1.6 §5.17.",
  input: builder.inputType("TriggerMessageInput", {
    description: "TriggerMessage.req. OCPP 1.6 §6.51.",
    fields: (t) => ({
      ...operationFields(t),
      requestedMessage: t.field({ type: MessageTriggerWords.type, required: true, description: "Which message." }),
      connectorId: t.int({ description: "About which connector; all that it can concern when left out." }),
    }),
  }),
  confirmation: confirmationType("TriggerMessage", (t) => ({
    status: t.field({
      type: TriggerMessageStatusWords.type,
      description: "Whether it will send it.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
