/** The words of reservations. */
import type { ReservationState } from "../src/facts/rows.ts"
import { words } from "./words.ts"

export const ReservationStateWords = words("ReservationState", "Where a reservation stands.", {
  Requested: "The charge point was asked, or will be, and has not answered.",
  Active: "The charge point keeps the connector.",
  Used: "A transaction used it.",
  Cancelled: "It was given up before its time.",
  Expired: "Its time is over and nobody came.",
  Refused: "The charge point never kept anything.",
} satisfies Record<ReservationState, string>)

export const ReservationStatusWords = words("ReservationStatus", "OCPP 1.6 §7.38.", {
  Accepted: "The reservation has been made.",
  Faulted: "The connector, or the charge point, is faulted.",
  Occupied: "The connector is in use or reserved.",
  Rejected: "The charge point does not take reservations, or not such ones.",
  Unavailable: "The connector is out of operation.",
})

export const CancelReservationStatusWords = words("CancelReservationStatus", "OCPP 1.6 §7.6.", {
  Accepted: "The reservation is cancelled.",
  Rejected: "The charge point knows of no reservation with this number.",
})
