import { builder } from "../builder.ts"
import { MessageDirectionWords, MessageTypeWords, StrayReasonWords } from "../enums.ts"
import { OcppMessage, StrayMessage } from "../refs.ts"

builder.objectType(OcppMessage, {
  description: "A frame on the wire, secrets masked. OCPP-J 1.6 §4.2.",
  fields: (t) => ({
    at: t.expose("at", { type: "DateTime", description: "When it was received or sent." }),
    direction: t.expose("direction", { type: MessageDirectionWords.type, description: "Who sent it." }),
    messageType: t.expose("messageType", { type: MessageTypeWords.type, description: "What it is." }),
    uniqueId: t.exposeString("uniqueId", {
      nullable: true,
      description: "What ties an answer to its request; null where it could not be read.",
    }),
    action: t.exposeString("action", {
      nullable: true,
      description: "The action of the request, also with its answer; null where it is not known.",
    }),
    text: t.exposeString("text", { description: "The frame's text." }),
  }),
})

builder.objectType(StrayMessage, {
  description:
    "A message about a transaction that fits none, or contradicts one: answered, kept, shown; it changed nothing else.",
  fields: (t) => ({
    receivedAt: t.expose("receivedAt", { type: "DateTime", description: "When it was received." }),
    action: t.exposeString("action", { description: "The action of the request." }),
    transactionId: t.exposeInt("transactionId", { description: "The transactionId that it names." }),
    reason: t.expose("reason", { type: StrayReasonWords.type, description: "Why it could not be taken at its word." }),
    payload: t.field({
      type: "JSON",
      description: "The request.",
      resolve: ({ payload }): unknown => JSON.parse(payload),
    }),
  }),
})
