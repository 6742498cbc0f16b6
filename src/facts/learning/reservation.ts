import type { Facts } from "../facts.ts"
import { endReservation, moveReservation } from "../reservations.ts"
import type { CommandError, CommandRow, ReservationRow } from "../rows.ts"
import { loadTold } from "../told-charge-point.ts"
import type { Ended, Learner } from "./learner.ts"

const numberOf = ({ command, request }: Ended<"ReserveNow"> | Ended<"CancelReservation">) => ({
  chargePointId: command.chargePointId,
  reservationId: request.reservationId,
})

async function load(facts: Facts, ended: readonly (Ended<"ReserveNow"> | Ended<"CancelReservation">)[]): Promise<void> {
  const numbers = ended.map(numberOf)
  await loadTold(
    facts,
    numbers.map(({ chargePointId }) => chargePointId),
  )
  await facts.reservations.load(ended.map(({ command }) => command.id))
  await facts.reservations.loadByNumber(numbers)
  const sameNumber = numbers.flatMap((number) => facts.reservations.byNumber(number))
  await facts.commands.load(sameNumber.map(({ id }) => id))
}

/**
 * Whether the charge point holds it, or may: what it has not been asked for yet, or is just being asked for, is not what
 * an answer to another CALL is about.
 */
const mayBeHeld = (facts: Facts, { id, state }: Readonly<ReservationRow>): boolean =>
  state === "Active" || (state === "Requested" && facts.commands.get(id)?.state === "TimedOut")

/** The charge point keeps a connector, or does not. OCPP 1.6 §5.13. */
export const reserveNow: Learner<"ReserveNow"> = {
  load,
  learn(facts, ended) {
    const { command, confirmation, at } = ended
    const asked = facts.reservations.get(command.id)
    if (asked?.state !== "Requested") return
    if (confirmation?.status === "Accepted") {
      // A reservation with a number that is known replaces the one there was.
      for (const older of facts.reservations.byNumber(numberOf(ended)))
        if (older.id !== asked.id && mayBeHeld(facts, older)) endReservation(facts, older, "Cancelled", "Replaced", at)
      moveReservation(facts, { ...asked, state: "Active", acceptedAt: at }, at)
    } else if (confirmation !== null) {
      endReservation(facts, asked, "Refused", confirmation.status, at)
    } else if (command.state !== "TimedOut") {
      endReservation(facts, asked, "Refused", reasonOf(command), at)
    }
    // Where nobody knows whether it was taken it stays requested: a transaction or its expiry will settle it.
  },
}

/** The charge point has given a reservation up; Rejected: it knew of none. OCPP 1.6 §5.1. */
export const cancelReservation: Learner<"CancelReservation"> = {
  load,
  learn(facts, ended) {
    if (ended.confirmation?.status !== "Accepted") return
    for (const reservation of facts.reservations.byNumber(numberOf(ended)))
      if (mayBeHeld(facts, reservation)) endReservation(facts, reservation, "Cancelled", null, ended.at)
  },
}

/** Why a command that had no confirmation ended, in one word. */
function reasonOf({ error, state }: CommandRow): string {
  if (error === null) return state
  const { code, callErrorCode }: CommandError = JSON.parse(error)
  return callErrorCode ?? code
}
