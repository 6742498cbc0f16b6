/** Who holds a charge point's socket: claimed in Redis, written with the facts, given back at the end. */
import type { InputOf } from "../facts/catalogue.ts"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Line } from "./lines.ts"
import { held, OwnershipLost } from "./ownership.ts"
import { type Bus, BusUnavailable, type Clock, type Store } from "./ports.ts"

/** What presence asks of the bus. */
export type OwnershipBus = Pick<Bus, "nodeId" | "claim" | "release"> & {
  /** Makes known an ownership whose epoch the store gave while Redis was away; a greater one wins. */
  register(chargePointId: string, epoch: number): Promise<void>
}

interface PresenceOptions {
  store: Pick<Store, "change">
  bus: OwnershipBus
  clock: Clock
  log: Log
}

/** How long what could not be written or registered waits for its next try. */
const RETRY_MS = 1000

export class Presence implements AsyncDisposable {
  readonly #options: PresenceOptions
  /** Ends that the store could not take yet. The epoch makes a late one harmless. */
  readonly #unwritten = new Map<string, InputOf<"goOffline">>()
  /** Epochs that the store gave while Redis was away. */
  readonly #unregistered = new Map<string, number>()
  readonly #retries: Timer

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#retries = setInterval(() => void Promise.all([this.#writeEnds(), this.register()]), RETRY_MS)
  }

  /**
   * Makes this node the charge point's owner and resolves to the epoch when that is on disk. While Redis is away the
   * store gives the epoch. @throws OwnershipLost where somebody newer came first or the charge point is gone;
   * StoreUnavailable.
   */
  async take({
    id,
    organisationId,
    epoch: storedEpoch,
  }: Pick<ChargePointRow, "id" | "organisationId" | "epoch">): Promise<number> {
    const { store, bus, clock } = this.#options
    const claimed = await this.#claim(id, storedEpoch)
    try {
      const outcome = held(
        await store.change("goOnline", {
          organisationId,
          chargePointId: id,
          nodeId: bus.nodeId,
          epoch: claimed,
          at: clock.now(),
        }),
      )
      if ("notFound" in outcome) throw new OwnershipLost()
      if (claimed === null) this.#unregistered.set(id, outcome.epoch)
      return outcome.epoch
    } catch (cause) {
      if (claimed !== null) await this.#release(id, claimed)
      throw cause
    }
  }

  /** The socket is closed. Resolves when that is known, or put down to be written later; never throws. */
  async leave({ chargePointId, organisationId, epoch, lastSeenAt }: Line): Promise<void> {
    const at = this.#options.clock.now()
    if (this.#unregistered.get(chargePointId) === epoch) this.#unregistered.delete(chargePointId)
    if ((this.#unwritten.get(chargePointId)?.epoch ?? 0) <= epoch) {
      this.#unwritten.set(chargePointId, { organisationId, chargePointId, epoch, at, lastSeenAt })
    }
    await Promise.all([this.#writeEnd(chargePointId), this.#release(chargePointId, epoch)])
  }

  /** A line that was taken for dead is heard of again: it comes back under its own epoch. Never throws. */
  async resume(line: Line): Promise<void> {
    const { store, bus, clock, log } = this.#options
    const { organisationId, chargePointId, epoch } = line
    try {
      const at = clock.now()
      held(await store.change("goOnline", { organisationId, chargePointId, nodeId: bus.nodeId, epoch, at }))
      // Whoever took it for dead may have found no owner of it.
      this.#unregistered.set(chargePointId, epoch)
      await this.register()
    } catch (cause) {
      if (cause instanceof OwnershipLost) line.close("Superseded")
      else log.warn({ err: cause, chargePointId }, "a line that is heard of again could not be written as online")
    }
  }

  /**
   * Makes known what was opened while Redis was away; the newest opening wins, whoever is older hears that it is
   * superseded. Never throws: while Redis stays away, a later try does it.
   */
  async register(): Promise<void> {
    try {
      for (const [chargePointId, epoch] of this.#unregistered) {
        await this.#options.bus.register(chargePointId, epoch)
        if (this.#unregistered.get(chargePointId) === epoch) this.#unregistered.delete(chargePointId)
      }
    } catch (cause) {
      if (!(cause instanceof BusUnavailable))
        this.#options.log.warn({ err: cause }, "ownership could not be registered")
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#retries)
    await this.#writeEnds()
  }

  async #claim(chargePointId: string, storedEpoch: number): Promise<number | null> {
    try {
      return await this.#options.bus.claim(chargePointId, storedEpoch)
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause
      return null
    }
  }

  async #release(chargePointId: string, epoch: number): Promise<void> {
    try {
      await this.#options.bus.release(chargePointId, epoch)
    } catch (cause) {
      // An ownership nobody gives up is overruled by the next claim.
      this.#options.log.debug({ err: cause, chargePointId }, "ownership could not be given up")
    }
  }

  async #writeEnd(chargePointId: string): Promise<void> {
    const end = this.#unwritten.get(chargePointId)
    if (end === undefined) return
    try {
      await this.#options.store.change("goOffline", end)
      if (this.#unwritten.get(chargePointId) === end) this.#unwritten.delete(chargePointId)
    } catch (cause) {
      this.#options.log.debug({ err: cause, chargePointId }, "the end of a line could not be written yet")
    }
  }

  async #writeEnds(): Promise<void> {
    await Promise.all([...this.#unwritten.keys()].map((chargePointId) => this.#writeEnd(chargePointId)))
  }
}
