/** Who holds a charge point's socket: claimed in Redis, written with the facts, given back at the end. */
import type { InputOf } from "../facts/catalogue.ts"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { sayCutOff } from "./cut-off.ts"
import type { Line } from "./lines.ts"
import { held, OwnershipLost } from "./ownership.ts"
import { Proofs } from "./proofs.ts"
import { type Bus, BusUnavailable, type Claim, type Clock, type Store } from "./ports.ts"

/** What presence asks of the bus. */
export type OwnershipBus = Pick<
  Bus,
  "nodeId" | "nextEpoch" | "claim" | "release" | "register" | "isCertain" | "certain"
>

interface PresenceOptions {
  store: Pick<Store, "change" | "putSetting"> & { read: Pick<Store["read"], "chargePointsByIds"> }
  bus: OwnershipBus
  clock: Clock
  log: Log
}

/** A charge point as it was admitted. */
type Admitted = Pick<ChargePointRow, "id" | "organisationId" | "epoch" | "nodeId">

/** How long what could not be written or registered waits for its next try. */
const RETRY_MS = 1000
const REGISTERED_AT_ONCE = 500

export class Presence implements AsyncDisposable {
  readonly #options: PresenceOptions
  readonly #proofs: Proofs
  /** Ends that the store could not take yet. The epoch makes a late one harmless. */
  readonly #unwritten = new Map<string, InputOf<"goOffline">>()
  /** Epochs that Redis does not know of yet. */
  readonly #unregistered = new Map<string, number>()
  readonly #retries: Timer

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#proofs = new Proofs(options)
    this.#retries = setInterval(
      () => void Promise.all([this.#writeEnds(), this.register(), this.#sayIfCutOff()]),
      RETRY_MS,
    )
  }

  /**
   * The epoch under which a socket that is about to be opened will be claimed: sockets are as new as these are great,
   * however late a node comes to claim one. Null while Redis is away. Never throws.
   */
  async nextEpoch({ epoch }: Pick<ChargePointRow, "epoch">): Promise<number | null> {
    return (await unlessAway(this.#options.bus.nextEpoch(epoch))) ?? null
  }

  /**
   * Makes this node the charge point's owner and resolves to the epoch when that is on disk, and no older socket answers
   * any more. While Redis is away the store gives the epoch. @throws OwnershipLost where somebody newer came first or
   * the charge point is gone; StoreUnavailable.
   */
  async take(
    { id, organisationId, epoch: storedEpoch, nodeId: formerNodeId }: Admitted,
    epoch: number | null,
  ): Promise<number> {
    const { store, bus, clock } = this.#options
    const claim = epoch === null ? undefined : await this.#claim(id, epoch, formerNodeId)
    try {
      const at = clock.now()
      const outcome = held(
        await store.change("goOnline", {
          organisationId,
          chargePointId: id,
          nodeId: bus.nodeId,
          epoch: epoch ?? { after: storedEpoch },
          at,
        }),
      )
      if ("notFound" in outcome) throw new OwnershipLost()
      if (claim === undefined) this.#unregistered.set(id, outcome.epoch)
      await claim?.yielded
      return outcome.epoch
    } catch (cause) {
      if (epoch !== null) await this.#release(id, epoch)
      throw cause
    }
  }

  /** Whether a newer socket anywhere would be known of here: then what an older one says and asks may be answered. */
  get isCertain(): boolean {
    return this.#options.bus.isCertain
  }

  /**
   * Resolves when it is proven that the line was the newest after the call.
   * @throws OwnershipLost; BusUnavailable or StoreUnavailable while nobody can tell.
   */
  prove(line: Pick<Line, "chargePointId" | "epoch">): Promise<void> {
    return this.#proofs.prove(line)
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
    const waiting = [...this.#unregistered]
    try {
      for (let at = 0; at < waiting.length; at += REGISTERED_AT_ONCE)
        await Promise.all(waiting.slice(at, at + REGISTERED_AT_ONCE).map((one) => this.#registerOne(...one)))
    } catch (cause) {
      if (!(cause instanceof BusUnavailable))
        this.#options.log.warn({ err: cause }, "ownership could not be registered")
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#retries)
    await this.#writeEnds()
  }

  async #sayIfCutOff(): Promise<void> {
    const { store, bus, clock, log } = this.#options
    if (bus.isCertain) return
    try {
      await sayCutOff(store, clock, bus.nodeId)
    } catch (cause) {
      log.debug({ err: cause }, "neither the other nodes nor the books can be told that this node lives")
    }
  }

  async #registerOne(chargePointId: string, epoch: number): Promise<void> {
    await this.#options.bus.register(chargePointId, epoch)
    if (this.#unregistered.get(chargePointId) === epoch) this.#unregistered.delete(chargePointId)
  }

  /** Undefined while Redis is away. @throws OwnershipLost */
  async #claim(chargePointId: string, epoch: number, formerNodeId: string | null): Promise<Claim | undefined> {
    const claim = await unlessAway(this.#options.bus.claim(chargePointId, epoch, formerNodeId))
    if (claim === null) throw new OwnershipLost()
    return claim
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

/** Undefined while Redis is away. */
async function unlessAway<Reply>(asking: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await asking
  } catch (cause) {
    if (cause instanceof BusUnavailable) return undefined
    throw cause
  }
}
