/** Commands whose time was over before they could be sent. */
import type { Clock, Store } from "./ports.ts"

interface ExpiryOptions {
  store: Pick<Store, "change" | "read">
  clock: Clock
}

/** Names a command and its place. */
export interface WaitingCommand {
  organisationId: string
  chargePointId: string
  commandId: string
}

const AT_ONCE = 200

/** Ends the command as Expired if it still waits and its time is over. A second time changes nothing. */
export async function expireCommand({ store, clock }: ExpiryOptions, command: WaitingCommand): Promise<void> {
  await store.change("dropQueuedCommand", { ...command, state: "Expired", at: clock.now() })
}

/** Ends every command that has expired, whoever forgot it; how many there were. Two runs at once do no harm. */
export async function expireCommands(options: ExpiryOptions): Promise<number> {
  for (let ended = 0; ;) {
    const expired = await options.store.read.expiredCommands(options.clock.now(), AT_ONCE)
    await Promise.all(expired.map(({ id, ...command }) => expireCommand(options, placeOf(id, command))))
    ended += expired.length
    if (expired.length < AT_ONCE) return ended
  }
}

const placeOf = (commandId: string, { organisationId, chargePointId }: Omit<WaitingCommand, "commandId">) => ({
  organisationId,
  chargePointId,
  commandId,
})
