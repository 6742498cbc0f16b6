/** Charge points that are online by the books alone: silent ones, and those whose node is gone. */
import type { Log } from "../log.ts"
import { isCutOff } from "./cut-off.ts"
import type { Bus, Clock, OnlineChargePoint, Ownership, Store } from "./ports.ts"

export interface LivenessOptions {
  store: Pick<Store, "change" | "read" | "setting">
  bus: Pick<Bus, "ownersOf" | "disconnect" | "lapsedNodes">
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
  /** Nodes that have ended without a word, as far as they have been swept up after. */
  #ended: ReadonlySet<string> = new Set()

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  /** Sweeps where a node has ended without a word since the last look. @throws BusUnavailable, StoreUnavailable */
  async look(): Promise<void> {
    const { bus } = this.#options
    const lapsed = await bus.lapsedNodes()
    const ended: string[] = []
    // One that is cut off may still end without another word.
    for (const nodeId of lapsed) if (this.#ended.has(nodeId) || !(await this.#isCutOff(nodeId))) ended.push(nodeId)
    const isNews = ended.some((nodeId) => !this.#ended.has(nodeId))
    this.#ended = new Set(ended)
    if (isNews) await this.sweep()
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
    const lapsed = new Set(await bus.lapsedNodes())
    const cutOff = new Map<string, boolean>()
    for (let afterId: string | null = null; ;) {
      const page: OnlineChargePoint[] = await store.read.onlineChargePoints(afterId, PAGE)
      const owners = await bus.ownersOf(page.map((chargePoint) => chargePoint.id))
      for (const chargePoint of page) {
        const nodeId = chargePoint.nodeId ?? ""
        const isEnded = lapsed.has(nodeId)
        if (isEnded && !cutOff.has(nodeId)) cutOff.set(nodeId, await this.#isCutOff(nodeId))
        if (cutOff.get(nodeId) === true) continue
        const reason = this.#whyOffline(chargePoint, owners.get(chargePoint.id), unheld, isEnded)
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

  /** Whether it lives, though it cannot be reached. */
  #isCutOff(nodeId: string): Promise<boolean> {
    const { store, clock } = this.#options
    return isCutOff(store, clock, nodeId)
  }

  #whyOffline(
    { id, epoch, lastSeenAt, connectedSince, heartbeatIntervalS }: OnlineChargePoint,
    owner: Ownership | undefined,
    unheldBefore: ReadonlyMap<string, { epoch: number; since: number }>,
    isEnded: boolean,
  ): "silent" | "unheld" | undefined {
    const { clock, silenceLimitMs, graceMs = GRACE_MS } = this.#options
    const now = clock.now()
    const limitMs = Math.max(silenceLimitMs, (heartbeatIntervalS ?? 0) * 1_000 * HEARTBEATS_MISSED)
    if (now - Math.max(lastSeenAt ?? 0, connectedSince ?? 0) > limitMs) return "silent"
    if (owner !== undefined) return undefined
    // Only an emptied Redis is given time: this one remembers the node, and its lease is over.
    if (isEnded) return "unheld"
    const before = unheldBefore.get(id)
    const since = before?.epoch === epoch ? before.since : now
    if (now - since >= graceMs) return "unheld"
    this.#unheld.set(id, { epoch, since })
    return undefined
  }

  async #goOffline({ organisationId, id: chargePointId, epoch, lastSeenAt }: OnlineChargePoint): Promise<void> {
    const { store, clock } = this.#options
    await store.change("goOffline", { organisationId, chargePointId, epoch, at: clock.now(), lastSeenAt })
  }
}
