// What ends a reservation, and whom it is kept for. OCPP 1.6 §3.11, §5.13.
import type { Facts } from "./facts.ts"
import { idTagKeyOf } from "./id-tags.ts"
import type { IdTagRow, ReservationRow } from "./rows.ts"
import { tellChargePoint } from "./told-charge-point.ts"

/** Puts the reservation as it is from now on and tells it; `loadTold` must have been asked for the charge point. */
export function moveReservation(facts: Facts, reservation: ReservationRow, at: number): void {
  facts.reservations.put(reservation)
  const chargePoint = facts.chargePoints.get(reservation.chargePointId)
  if (!chargePoint) return
  tellChargePoint(facts, "Reservation", chargePoint, at, { reservation })
}

/** Ends the reservation so, for that reason. */
export function endReservation(
  facts: Facts,
  reservation: Readonly<ReservationRow>,
  state: "Cancelled" | "Expired" | "Refused",
  endReason: string | null,
  at: number,
): void {
  moveReservation(facts, { ...reservation, state, endReason, endedAt: at }, at)
}

/** Whether a transaction of this idTag uses the reservation: it is the reserved one, or of the reserved group. */
export function isFor(reservation: Readonly<ReservationRow>, idTagKey: string, idTag: IdTagRow | undefined): boolean {
  if (reservation.idTagKey === idTagKey) return true
  const { parentIdTag: group } = reservation
  const parent = idTag?.parentIdTag
  return group !== null && !!parent && idTagKeyOf(group) === idTagKeyOf(parent)
}
