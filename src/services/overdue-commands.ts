/** Commands that nobody will end any more: sent by a node that died, never to be sent again. */
import type { Clock, Store } from "./ports.ts"

/** The node that sent a command ends it itself at the deadline; what it then writes takes a moment. */
const MARGIN_MS = 5_000
const AT_ONCE = 200

/**
 * Ends as TimedOut what is still Sent after its deadline: its outcome is unknown. Resolves to how many there were. Two
 * runs at once do no harm: a command that has ended stays as it is.
 */
export async function endOverdueCommands({
  store,
  clock,
}: {
  store: Pick<Store, "change" | "read">
  clock: Clock
}): Promise<number> {
  let ended = 0
  for (;;) {
    const overdue = await store.read.overdueCommands(clock.now() - MARGIN_MS, AT_ONCE)
    await Promise.all(
      overdue.map((command) =>
        store.change("endCommand", {
          organisationId: command.organisationId,
          commandId: command.id,
          chargePointId: command.chargePointId,
          state: "TimedOut",
          at: clock.now(),
          confirmation: null,
          error: { code: "Lost", description: "the node that sent the CALL ended before the answer" },
          configurationKeys: [],
        }),
      ),
    )
    ended += overdue.length
    if (overdue.length < AT_ONCE) return ended
  }
}
