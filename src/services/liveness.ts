/** Charge points that are online by the books alone: silent ones, and those whose node is gone. */
import type { ChargePointRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Bus, Clock, Ownership, Store } from "./ports.ts"

export interface LivenessOptions {
  store: Pick<Store, "change" | "read">
  bus: Pick<Bus, "ownersOf" | "disconnect">
  clock: Clock
  log: Log
  /** After this long without a sign of life a charge point counts as offline, ms. */
  silenceLimitMs: number
  /** How long a charge point may be without an owner: nodes that find Redis emptied register theirs again. */
  graceMs?: number
}

const PAGE = 500
const GRACE_MS = 4_000
/** A charge point told to speak more rarely than the silence limit is silent after this many intervals. */
const HEARTBEATS_MISSED = 2

export class Liveness {
  readonly #options: LivenessOptions
  /** Charge points seen without an owner, under their epoch, and since when. */
  #unheld = new Map<string, { epoch: number; since: number }>()

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  /**
   * Looks at every charge point that is online by the books and takes those offline that are not. Two sweeps at once do
   * no harm: each goes offline under the epoch it was seen with. @throws BusUnavailable, StoreUnavailable
   */
  async sweep(): Promise<{ silent: number; unheld: number }> {
    const { store, bus, log } = this.#options
    const counts = { silent: 0, unheld: 0 }
    const unheld = this.#unheld
    this.#unheld = new Map()
    for (let afterId: string | null = null; ;) {
      const page: ChargePointRow[] = await store.read.onlineChargePoints(afterId, PAGE)
      const owners = await bus.ownersOf(page.map((chargePoint) => chargePoint.id))
      for (const chargePoint of page) {
        const reason = this.#whyOffline(chargePoint, owners.get(chargePoint.id), unheld)
        if (reason === undefined) continue
        counts[reason]++
        log.info({ identity: chargePoint.identity, reason }, "a charge point is offline")
        if (reason === "silent") await bus.disconnect(chargePoint.id, "Silent")
        await this.#goOffline(chargePoint)
      }
      afterId = page.at(-1)?.id ?? null
      if (page.length < PAGE) return counts
    }
  }

  #whyOffline(
    { id, epoch, lastSeenAt, connectedSince, heartbeatIntervalS }: ChargePointRow,
    owner: Ownership | undefined,
    unheldBefore: ReadonlyMap<string, { epoch: number; since: number }>,
  ): "silent" | "unheld" | undefined {
    const { clock, silenceLimitMs, graceMs = GRACE_MS } = this.#options
    const now = clock.now()
    const limitMs = Math.max(silenceLimitMs, (heartbeatIntervalS ?? 0) * 1_000 * HEARTBEATS_MISSED)
    if (now - Math.max(lastSeenAt ?? 0, connectedSince ?? 0) > limitMs) return "silent"
    if (owner !== undefined) return undefined
    const before = unheldBefore.get(id)
    const since = before?.epoch === epoch ? before.since : now
    if (now - since >= graceMs) return "unheld"
    this.#unheld.set(id, { epoch, since })
    return undefined
  }

  async #goOffline({ organisationId, id: chargePointId, epoch, lastSeenAt }: ChargePointRow): Promise<void> {
    const { store, clock } = this.#options
    await store.change("goOffline", { organisationId, chargePointId, epoch, at: clock.now(), lastSeenAt })
  }
}
