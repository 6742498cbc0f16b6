import type { CommandRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { CommandChangeKindWords } from "../enums.ts"
import { Live } from "../live.ts"
import { Command } from "../refs.ts"
import { AFTER, type Change, changeType } from "./change.ts"
import { chargePointIdOf } from "./of.ts"

interface CommandChange extends Change<"Changed"> {
  command: CommandRow
}

const CommandChangeRef = changeType<CommandChange>(
  "CommandChange",
  "A command has another state.",
  CommandChangeKindWords,
)

builder.objectField(CommandChangeRef, "command", (t) =>
  t.expose("command", { type: Command, description: "The command as of the change." }),
)

builder.subscriptionField("commandChanged", (t) =>
  t.field({
    type: CommandChangeRef,
    description: "Commands as they are sent, answered, or end otherwise.",
    args: {
      chargePoint: t.arg.string({ description: "Only to the charge point with this identity." }),
      id: t.arg.globalID({ for: Command, description: "Only the command with this id." }),
      after: t.arg({ type: "Cursor", description: AFTER }),
    },
    subscribe: async (_root, { chargePoint, id, after }, context) => {
      const of = { chargePointId: await chargePointIdOf(chargePoint, context), commandId: id?.id }
      return new Live(context, (signal) =>
        context.services.following.commands(context.viewer, of, { after: after ?? undefined, signal }),
      )
    },
    resolve: ({ cursor, event: { at, command } }) => ({ cursor, at, kind: "Changed" as const, command }),
  }),
)
