/** What is changed of a charge point on any node reaches the one that holds its socket. */
import { type ChargePointState, chargePointState } from "../facts/events.ts"
import type { Log } from "../log.ts"
import type { Lines } from "./lines.ts"
import type { Bus, Store } from "./ports.ts"

/** Kinds of changes that the owner's connection does not make itself: an operator's, and a worker's that takes it for gone. */
const FOREIGN = new Set(["Updated", "Offline"])
const AT_ONCE = 500

/** Tells the owners what is committed on this node. Never throws. */
export function tellOwners(store: Pick<Store, "onJournal">, bus: Pick<Bus, "tellUpdated">): void {
  store.onJournal(({ events }) => {
    for (const { type, kind, chargePointId } of events)
      if (type === "ChargePoint" && FOREIGN.has(kind)) bus.tellUpdated(chargePointId)
  })
}

/**
 * Gives `update` the present state of a charge point held by this node whenever another node, or this one, has changed
 * it. What was said while Redis, or this node, was away is lost, so on the return all are read again.
 */
export function followUpdates(
  { store, bus, lines, log }: { store: Pick<Store, "read">; bus: Bus; lines: Pick<Lines, "all">; log: Log },
  update: (state: ChargePointState) => void,
): void {
  const refresh = async (chargePointIds: readonly string[]): Promise<void> => {
    try {
      for (let at = 0; at < chargePointIds.length; at += AT_ONCE) {
        const rows = await store.read.chargePointsByIds(chargePointIds.slice(at, at + AT_ONCE))
        for (const row of rows) update(chargePointState(row))
      }
    } catch (cause) {
      log.warn({ err: cause, chargePoints: chargePointIds.length }, "updated charge points were not read again")
    }
  }
  bus.onUpdated((chargePointId) => void refresh([chargePointId]))
  bus.onReturn(() => refresh(lines.all().map((line) => line.chargePointId)))
}
