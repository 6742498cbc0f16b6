import type { ChangeOf } from "../catalogue.ts"
import { chargePointState, chargePointSubject } from "../events.ts"
import type { ConnectorRow } from "../rows.ts"

/**
 * What arrives last is current, whatever its timestamp: a charge point reports in order, after an offline time only the
 * present status, and a clock that is set back must not freeze the connector. A report that repeats the last one leaves
 * `statusAt` where the status began. Any connector and any combination of status and error is taken.
 */
export const reportStatus: ChangeOf<"reportStatus"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    await facts.chargePoints.load(inputs.map((input) => input.chargePointId))
    await facts.connectors.load(
      inputs.map(({ chargePointId, request: { connectorId } }) => ({ chargePointId, connectorId })),
    )
  },
  apply(facts, { organisationId, chargePointId, epoch, receivedAt, request, statusAt }) {
    const chargePoint = facts.chargePoints.get(chargePointId)
    if (!chargePoint || chargePoint.epoch > epoch) return { superseded: true }
    const { connectorId } = request
    const before = facts.connectors.get({ chargePointId, connectorId })
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
    facts.connectors.put(connector)
    facts.tell(organisationId, chargePointSubject(chargePointId), receivedAt, {
      type: "ChargePoint",
      kind: "ConnectorStatus",
      chargePoint: chargePointState(chargePoint),
      connector,
    })
    return { recorded: true }
  },
}
