/** Commands that a transfer belongs to: an update to be followed, or diagnostics to be taken. */
import type { CentralSystemActionName } from "../ocpp/index.ts"
import type { CommandWish, Commands } from "./commands.ts"
import type { CommandResult, Store } from "./ports.ts"
import { sendPrepared } from "./prepared-commands.ts"
import type { Viewer } from "./viewer.ts"

/**
 * Sends the wish once `prepare` has written what belongs to its command; takes that back where no such command came to
 * be. @throws InvalidInput, and what `prepare` throws
 */
export function sendTransfer(
  { store, commands }: { store: Pick<Store, "change" | "read">; commands: Commands },
  viewer: Pick<Viewer, "organisationId" | "name">,
  wish: CommandWish & { action: CentralSystemActionName; request: object },
  prepare: (commandId: string) => Promise<unknown>,
): Promise<CommandResult> {
  const { chargePointId } = wish
  return sendPrepared({ store, commands }, viewer, wish, {
    async prepare(commandId) {
      await prepare(commandId)
      return {}
    },
    withdraw: (commandId) => store.change("withdrawTransfer", { chargePointId, commandId }),
  })
}
