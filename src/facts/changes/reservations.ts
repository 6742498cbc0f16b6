import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { endReservation, moveReservation } from "../reservations.ts"
import { loadTold } from "../told-charge-point.ts"

export const requestReservation: ChangeOf<"requestReservation"> = {
  subjects: ({ chargePointId }) => [chargePointSubject(chargePointId)],
  async load(facts, inputs) {
    await loadTold(
      facts,
      inputs.map(({ chargePointId }) => chargePointId),
    )
    await facts.reservations.load(inputs.map(({ id }) => id))
    await facts.reservations.drawIds(inputs.filter(({ reservationId }) => reservationId === null).length)
  },
  apply(facts, { reservationId: given, ...wish }) {
    const chargePoint = facts.chargePoints.get(wish.chargePointId)
    if (chargePoint?.organisationId !== wish.organisationId) return { notFound: true }
    const known = facts.reservations.get(wish.id)
    if (known) return { reservation: known }
    const reservation = {
      ...wish,
      reservationId: given ?? facts.reservations.nextId(),
      state: "Requested" as const,
      endReason: null,
      acceptedAt: null,
      endedAt: null,
      transactionId: null,
    }
    moveReservation(facts, reservation, wish.requestedAt)
    return { reservation }
  },
}

async function loadOne(facts: Facts, inputs: readonly { chargePointId: string; id: string }[]): Promise<void> {
  await loadTold(
    facts,
    inputs.map(({ chargePointId }) => chargePointId),
  )
  await facts.reservations.load(inputs.map(({ id }) => id))
}

/** What was never asked of the charge point is kept for nobody. */
export const withdrawReservation: ChangeOf<"withdrawReservation"> = {
  subjects: ({ chargePointId }) => [chargePointSubject(chargePointId)],
  load: loadOne,
  apply(facts, { organisationId, id, reason, at }) {
    const reservation = facts.reservations.get(id)
    if (reservation?.organisationId !== organisationId || reservation.state !== "Requested") return { withdrawn: false }
    endReservation(facts, reservation, "Refused", reason, at)
    return { withdrawn: true }
  },
}

/** The charge point forgets it by itself at that instant. OCPP 1.6 §5.13. */
export const expireReservation: ChangeOf<"expireReservation"> = {
  subjects: ({ chargePointId }) => [chargePointSubject(chargePointId)],
  load: loadOne,
  apply(facts, { organisationId, id, at }) {
    const reservation = facts.reservations.get(id)
    if (reservation?.organisationId !== organisationId) return { expired: false }
    const isOpen = reservation.state === "Requested" || reservation.state === "Active"
    if (!isOpen || reservation.expiryDate > at) return { expired: false }
    endReservation(facts, reservation, "Expired", null, at)
    return { expired: true }
  },
}
