/** Telling of a charge point: its state, its connectors' statuses and what of both is new, for those who follow by filter. */
import {
  type ChargePointChangeKind,
  chargePointBefore,
  chargePointState,
  chargePointSubject,
  type DiagnosticsState,
  type EventBody,
} from "./events.ts"
import type { Facts } from "./facts.ts"
import type { ChargePointRow, ConnectorRow, ReservationRow } from "./rows.ts"

/** Loads what `tellChargePoint` needs. */
export async function loadTold(facts: Facts, chargePointIds: readonly string[]): Promise<void> {
  await Promise.all([facts.chargePoints.load(chargePointIds), facts.connectors.loadOf(chargePointIds)])
}

/** The statuses of the charge point's connectors above 0, in order of connectorId. Throws NotLoaded. */
export function connectorStatuses(facts: Facts, chargePointId: string): string[] {
  const connectors = facts.connectors.of(chargePointId).filter(({ connectorId }) => connectorId > 0)
  return connectors.sort((one, other) => one.connectorId - other.connectorId).map(({ status }) => status)
}

/**
 * Tells what happened to the charge point, whose connectors are put already. `was`: its row before, `statuses`: its
 * connectors' statuses before; each left out where the event does not change it.
 */
export function tellChargePoint(
  facts: Facts,
  kind: ChargePointChangeKind,
  row: ChargePointRow,
  at: number,
  { was, statuses, connector, action, reservation, diagnostics }: Told = {},
): void {
  const now = connectorStatuses(facts, row.id)
  const before = {
    ...(was && chargePointBefore(was, row)),
    ...(statuses && !Bun.deepEquals(statuses, now) && { connectorStatuses: statuses }),
  }
  const body: EventBody = {
    type: "ChargePoint",
    kind,
    chargePoint: chargePointState(row),
    connectorStatuses: now,
    ...(Object.keys(before).length > 0 && { before }),
    ...(connector && { connector }),
    ...(action !== undefined && { action }),
    ...(reservation && { reservation }),
    ...(diagnostics && { diagnostics }),
  }
  facts.tell(row.organisationId, chargePointSubject(row.id), at, body)
}

interface Told {
  was?: ChargePointRow
  statuses?: string[]
  connector?: ConnectorRow
  action?: string
  reservation?: ReservationRow
  diagnostics?: DiagnosticsState
}
