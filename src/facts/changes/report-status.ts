import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { endReservation } from "../reservations.ts"
import type { ConnectorRow } from "../rows.ts"
import { connectorStatuses, loadTold, tellChargePoint } from "../told-charge-point.ts"

/**
 * What arrives last is current, whatever its timestamp: a charge point reports in order, after an offline time only the
 * present status, and a clock that is set back must not freeze the connector. A report that repeats the last one leaves
 * `statusAt` where the status began. Any connector and any combination of status and error is taken.
 */
export const reportStatus: ChangeOf<"reportStatus"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await loadTold(
      facts,
      inputs.map((input) => input.chargePointId),
    )
    await facts.reservations.loadOpen(
      inputs.filter(({ request }) => endsReservations(request.status)).map(({ chargePointId }) => chargePointId),
    )
  },
  apply(facts, { organisationId, chargePointId, epoch, receivedAt, request, statusAt }) {
    const chargePoint = facts.chargePoints.get(chargePointId)
    if (!chargePoint || chargePoint.epoch > epoch) return { superseded: true }
    const { connectorId } = request
    const before = facts.connectors.of(chargePointId).find((row) => row.connectorId === connectorId)
    const connector: ConnectorRow = {
      organisationId,
      chargePointId,
      connectorId,
      status: request.status,
      errorCode: request.errorCode,
      info: request.info ?? null,
      vendorId: request.vendorId ?? null,
      vendorErrorCode: request.vendorErrorCode ?? null,
      statusAt,
    }
    if (before && Bun.deepEquals({ ...connector, statusAt: before.statusAt }, before)) return { recorded: true }
    const statuses = connectorStatuses(facts, chargePointId)
    facts.connectors.put(connector)
    tellChargePoint(facts, "ConnectorStatus", chargePoint, receivedAt, { statuses, connector })
    if (endsReservations(request.status)) {
      for (const reservation of facts.reservations.open(chargePointId))
        if (reservation.state === "Active" && (connectorId === 0 || reservation.connectorId === connectorId))
          endReservation(facts, reservation, "Cancelled", request.status, receivedAt)
    }
    return { recorded: true }
  },
}

/** A connector that cannot be used is not kept for anybody either. OCPP 1.6 §5.13. */
const endsReservations = (status: string): boolean => status === "Faulted" || status === "Unavailable"
