import type { MessageRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { MessageChangeKindWords } from "../enums.ts"
import { Live } from "../live.ts"
import { OcppMessage } from "../refs.ts"
import { type Change, changeType } from "./change.ts"

interface MessageChange extends Change<"Exchanged"> {
  message: MessageRow
}

const MessageChangeRef = changeType<MessageChange>(
  "MessageChange",
  "A frame was received or sent.",
  MessageChangeKindWords,
)

builder.objectField(MessageChangeRef, "message", (t) =>
  t.expose("message", { type: OcppMessage, description: "The frame, secrets masked." }),
)

builder.subscriptionField("messageExchanged", (t) =>
  t.field({
    type: MessageChangeRef,
    description: "The wire of a charge point, both directions, as it is; watching keeps its frames in the wire log.",
    args: { chargePoint: t.arg.string({ required: true, description: "The identity of the charge point." }) },
    subscribe: async (_root, { chargePoint }, context) => {
      const { id } = await context.services.chargePoints.find(context.viewer, chargePoint)
      return new Live(context, (signal) => context.services.following.messages(id, signal))
    },
    resolve: (message) => ({ cursor: String(message.id), at: message.at, kind: "Exchanged" as const, message }),
  }),
)
