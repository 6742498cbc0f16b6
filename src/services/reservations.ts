/** Reservations: taken into the books before the charge point is asked, and ended when their time is over. OCPP 1.6 §3.11. */
import { idTagKeyOf } from "../facts/id-tags.ts"
import type { ReservationRow } from "../facts/rows.ts"
import type { CommandWish, Commands } from "./commands.ts"
import type { Clock, CommandResult, Store } from "./ports.ts"
import { sendPrepared } from "./prepared-commands.ts"
import { ChargePointNotFound } from "./refusals.ts"
import type { Viewer } from "./viewer.ts"

/** Whom a connector is to be kept for, and until when; to whom the wish goes. */
export interface ReservationWish extends Pick<
  CommandWish,
  "chargePointId" | "identity" | "asked" | "delivery" | "idempotencyKey" | "timeoutMs"
> {
  connectorId: number
  idTag: string
  /** Epoch ms. */
  expiryDate: number
  parentIdTag?: string | undefined
  /** The parent is the one that is known of the idTag, where there is one. */
  withParentIdTag?: boolean | undefined
  /** Left out: a number that was never given before. */
  reservationId?: number | undefined
}

interface ReservationsOptions {
  store: Pick<Store, "read" | "change">
  commands: Commands
  clock: Clock
}

const PAGE = 500

export class Reservations {
  readonly #options: ReservationsOptions

  constructor(options: ReservationsOptions) {
    this.#options = options
  }

  /**
   * Asks the charge point to keep a connector: one CALL, and one reservation in the books that follows its answer and
   * what becomes of it. @throws InvalidInput, ChargePointNotFound
   */
  async reserve(viewer: Pick<Viewer, "organisationId" | "name">, wish: ReservationWish): Promise<CommandResult> {
    const { store, clock } = this.#options
    const {
      connectorId,
      idTag,
      expiryDate,
      parentIdTag: named,
      withParentIdTag,
      reservationId,
      delivery,
      ...who
    } = wish
    const { organisationId } = viewer
    const { chargePointId } = who
    const parentIdTag = named ?? (withParentIdTag ? await this.#parentOf(organisationId, idTag) : undefined)
    const request = {
      connectorId,
      expiryDate: new Date(expiryDate).toISOString(),
      idTag,
      ...(parentIdTag !== undefined && { parentIdTag }),
      // Where none is given the books give one.
      reservationId: reservationId ?? 0,
    }
    return sendPrepared(
      this.#options,
      viewer,
      {
        ...who,
        ...(delivery && { delivery: { ...delivery, uselessFrom: expiryDate } }),
        action: "ReserveNow",
        request,
      },
      {
        async prepare(id) {
          const outcome = await store.change("requestReservation", {
            id,
            organisationId,
            chargePointId,
            reservationId: reservationId ?? null,
            connectorId,
            idTag,
            idTagKey: idTagKeyOf(idTag),
            parentIdTag: parentIdTag ?? null,
            expiryDate,
            requestedBy: viewer.name,
            requestedAt: clock.now(),
          })
          if ("notFound" in outcome) throw new ChargePointNotFound(who.identity)
          return { reservationId: outcome.reservation.reservationId }
        },
        withdraw: (id, reason) =>
          store.change("withdrawReservation", { organisationId, chargePointId, id, reason, at: clock.now() }),
      },
    )
  }

  async #parentOf(organisationId: string, idTag: string): Promise<string | undefined> {
    const [row] = await this.#options.store.read.idTagsByKeys(organisationId, [idTagKeyOf(idTag)])
    return row?.parentIdTag ?? undefined
  }
}

/**
 * Ends every reservation whose time is over; how many. No CALL is sent: the charge point forgets by itself. A second run
 * at the same time ends none of them twice. OCPP 1.6 §5.13.
 */
export async function endOverdueReservations({
  store,
  clock,
}: {
  store: Pick<Store, "read" | "change">
  clock: Clock
}): Promise<number> {
  let ended = 0
  for (;;) {
    const at = clock.now()
    const overdue = await store.read.overdueReservations(at, PAGE)
    const outcomes = await Promise.all(
      overdue.map((reservation) => store.change("expireReservation", { ...key(reservation), at })),
    )
    ended += outcomes.filter(({ expired }) => expired).length
    if (overdue.length < PAGE) return ended
  }
}

const key = ({ organisationId, chargePointId, id }: ReservationRow) => ({ organisationId, chargePointId, id })
