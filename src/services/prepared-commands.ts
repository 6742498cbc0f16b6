/** Commands that something in the books belongs to: that is written before the CALL leaves, under the command's own id. */
import type { CentralSystemActionName } from "../ocpp/index.ts"
import { checkOutbound } from "../ocpp/validate.ts"
import type { CommandWish, Commands } from "./commands.ts"
import type { CommandResult, Store } from "./ports.ts"
import { InvalidInput } from "./refusals.ts"
import type { Viewer } from "./viewer.ts"

/** What belongs to a command. */
interface Preparation {
  /** Writes it; what it gives takes its place in the request. */
  prepare(commandId: string): Promise<object>
  /** Takes it back where no such command came to be, for this reason. */
  withdraw(commandId: string, reason: string): Promise<unknown>
}

/**
 * Sends the wish once what belongs to its command is written. Nothing is written for a request that the schema forbids,
 * nor for the repetition of an earlier wish. @throws InvalidInput, and what the preparation throws
 */
export async function sendPrepared(
  { store, commands }: { store: Pick<Store, "read">; commands: Commands },
  viewer: Pick<Viewer, "organisationId" | "name">,
  wish: CommandWish & { action: CentralSystemActionName; request: object },
  { prepare, withdraw }: Preparation,
): Promise<CommandResult> {
  const faults = checkOutbound(wish.action, "request", wish.request)
  if (faults.length > 0) throw new InvalidInput(faults.map(({ path, reason }) => ({ path, message: reason })))
  const { idempotencyKey } = wish
  const isRepetition =
    idempotencyKey !== undefined &&
    (await store.read.commandByIdempotencyKey(viewer.organisationId, idempotencyKey)) !== undefined
  if (isRepetition) return commands.send(viewer, wish)

  // Grows with every wish on this node, as commands' ids do.
  const commandId = wish.commandId ?? Bun.randomUUIDv7()
  const request = { ...wish.request, ...(await prepare(commandId)) }
  const result = await commands.send(viewer, { ...wish, request, commandId })
  // Unavailable leaves open whether it was sent; what belongs to it ends by itself.
  if ("command" in result ? result.command.id !== commandId : result.kind !== "Unavailable")
    await withdraw(commandId, result.kind)
  return result
}
