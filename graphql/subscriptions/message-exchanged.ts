import type { MessageTold } from "../../src/services/following/messages.ts"
import { builder } from "../builder.ts"
import { MessageChangeKindWords } from "../enums.ts"
import { OcppMessage } from "../refs.ts"
import { beginningArgs, beginningOf, changeType } from "./change.ts"

const MessageChangeRef = changeType<MessageTold>(
  "MessageChange",
  "A frame was received or sent.",
  MessageChangeKindWords,
)

builder.objectField(MessageChangeRef, "message", (t) =>
  t.expose("message", {
    type: OcppMessage,
    nullable: true,
    description: "The frame, secrets masked. Null with SNAPSHOT_END only.",
  }),
)

builder.subscriptionField("messageExchanged", (t) =>
  t.field({
    type: MessageChangeRef,
    description: "The wire of a charge point, both directions, as it is; watching keeps its frames in the wire log.",
    args: {
      chargePoint: t.arg.string({ required: true, description: "The identity of the charge point." }),
      ...beginningArgs(t.arg, {
        after:
          "First the frames that the wire log keeps from after this one, then those that are exchanged; none twice. What was exchanged while nobody watched is there as far as the charge point's wire log is on. Ends as CURSOR_EXPIRED where the log no longer keeps the frame with this cursor.",
        snapshot: "Here: nothing, for frames are history; only SNAPSHOT_END, whose cursor names the log's end.",
      }),
    },
    subscribe: async (_root, { chargePoint, ...beginning }, { services, viewer }) => {
      const { id } = await services.chargePoints.find(viewer, chargePoint)
      return services.following.messages(id, beginningOf(beginning))
    },
    resolve: (told) => told,
  }),
)
