import { decodeGlobalID } from "@pothos/plugin-relay"
import type { CommandRow } from "../../src/facts/rows.ts"
import { whyNotCancelled } from "../../src/services/command-queue.ts"
import { CommandNotFound } from "../../src/services/refusals.ts"
import { builder } from "../builder.ts"
import { NotAllowedNow } from "../errors.ts"
import { mutation } from "../mutation.ts"
import { Command } from "../refs.ts"

const CancelCommandInput = builder.inputType("CancelCommandInput", {
  description: "A command that shall not be sent any more.",
  fields: (t) => ({ id: t.id({ required: true, description: "The id of the Command." }) }),
})

const CancelCommandPayload = builder.objectRef<{ command: CommandRow }>("CancelCommandPayload").implement({
  description: "The command was taken back: it is never sent.",
  fields: (t) => ({
    command: t.expose("command", { type: Command, description: "The command as it is kept, state CANCELLED." }),
  }),
})

/** @throws CommandNotFound where the id is none of a command. */
function commandIdOf(globalId: string): string {
  try {
    const { typename, id } = decodeGlobalID(globalId)
    if (typename === Command.name) return id
  } catch {
    // Not even an id of ours.
  }
  throw new CommandNotFound()
}

mutation("cancelCommand", {
  description: "Takes back a command that waits. One that was sent, or has ended, stays as it is: NotAllowedNow.",
  role: "Operator",
  input: CancelCommandInput,
  success: CancelCommandPayload,
  errors: ["CommandNotFound", "NotAllowedNow"],
  resolve: async ({ id }, { services, viewer }) => {
    const { command, moved } = await services.commands.cancel(viewer, commandIdOf(id))
    if (!moved) throw new NotAllowedNow(whyNotCancelled(command.state))
    return { command }
  },
})
