import type { CommandTold } from "../../src/services/following/index.ts"
import { builder } from "../builder.ts"
import { CommandChangeKindWords } from "../enums.ts"
import { Command } from "../refs.ts"
import { beginningArgs, beginningOf, changeType } from "./change.ts"
import { chargePointIdOf } from "./of.ts"

const CommandChangeRef = changeType<CommandTold>(
  "CommandChange",
  "A command has another state, or has not ended yet.",
  CommandChangeKindWords,
)

builder.objectField(CommandChangeRef, "command", (t) =>
  t.expose("command", {
    type: Command,
    nullable: true,
    description: "The command as of the change. Null with SNAPSHOT_END only.",
  }),
)

builder.subscriptionField("commandChanged", (t) =>
  t.field({
    type: CommandChangeRef,
    description: "Commands as they are queued, sent, answered, or end otherwise.",
    args: {
      chargePoint: t.arg.string({ description: "Only to the charge point with this identity." }),
      id: t.arg.globalID({ for: Command, description: "Only the command with this id." }),
      ...beginningArgs(t.arg, { snapshot: "Here: the commands that have not ended (state QUEUED or SENT)." }),
    },
    subscribe: async (_root, { chargePoint, id, ...beginning }, context) => {
      const of = { chargePointId: await chargePointIdOf(chargePoint, context), commandId: id?.id }
      return context.services.following.commands(context.viewer, of, beginningOf(beginning))
    },
    resolve: (told) => told,
  }),
)
