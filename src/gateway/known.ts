/** What a connection knows of its charge point: as much of the row as it looks at, for as long as it lasts. */
import type { ChargePointRow } from "../facts/rows.ts"
import type { ConfirmationOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"

export type Known = Pick<
  ChargePointRow,
  | "id"
  | "organisationId"
  | "identity"
  | "registrationStatus"
  | "acceptedAt"
  | "heartbeatIntervalS"
  | "leniency"
  | "wireLog"
>

/** What is known of a charge point from its row. Thousands of these are kept: nothing else of the row is. */
export function known(row: Known): Known {
  const { id, organisationId, identity, registrationStatus, acceptedAt, heartbeatIntervalS, leniency, wireLog } = row
  return { id, organisationId, identity, registrationStatus, acceptedAt, heartbeatIntervalS, leniency, wireLog }
}

/** As it is now by its row. Acceptance is never taken back: a row from before it must not undo it. */
export const updated = (before: Known, row: Known): Known => ({
  ...known(row),
  acceptedAt: row.acceptedAt ?? before.acceptedAt,
})

/** As it is after this answer to its BootNotification, which came in at `at` (ms). */
export function booted(
  before: Known,
  { status: registrationStatus }: ConfirmationOf<FromChargePoint["BootNotification"]>,
  at: number,
): Known {
  const acceptedAt = before.acceptedAt ?? (registrationStatus === "Accepted" ? at : null)
  return { ...before, registrationStatus, acceptedAt }
}
