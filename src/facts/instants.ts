// Instants as Charge Points give them, and how far their clocks are believed.
import { readDateTime } from "../ocpp/date-time.ts"

const dayMs = 86_400_000

/** Epoch ms. No charge point that speaks OCPP 1.6 was built before: an earlier instant says that the clock is not set. */
export const FIRST_PLAUSIBLE = Date.UTC(2010, 0, 1)

/** Whether the clock that gave this instant (epoch ms) had been set. */
export const isClockSet = (at: number): boolean => at >= FIRST_PLAUSIBLE

/**
 * Epoch ms of an OCPP dateTime; without a zone it is UTC. OCPP 1.6 §3.14.
 * @throws RangeError where the text names no instant, which no message that was let in contains.
 */
export function instantOf(dateTime: string): number {
  const at = Date.parse(readDateTime(dateTime)?.value ?? "")
  if (Number.isNaN(at)) throw new RangeError(`not an instant: ${dateTime}`)
  return at
}

/**
 * When something happened by the charge point's clock if that can be believed, else when it was received. A clock up to
 * a day ahead is believed: it shows local time as UTC, but it orders its own events rightly.
 */
export const happenedAt = (at: number, receivedAt: number): number =>
  isClockSet(at) && at <= receivedAt + dayMs ? at : receivedAt

/** The later of two instants, where there is one. */
export function latest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.max(one, other)
}
