import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { latest } from "../instants.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

/**
 * The message describes the charge point completely, so what it leaves out is no longer known. Transactions go on: a
 * charge point reports their end itself, also after a power failure.
 */
export const reportBoot: ChangeOf<"reportBoot"> = {
  subjects: (input) => [chargePointSubject(input.chargePointId)],
  async load(facts, inputs) {
    const chargePointIds = inputs.map((input) => input.chargePointId)
    await loadTold(facts, chargePointIds)
    await facts.configurationKeys.loadOf(chargePointIds)
  },
  apply(facts, { chargePointId, epoch, receivedAt, request }) {
    const row = facts.chargePoints.get(chargePointId)
    if (!row || row.epoch > epoch) return { superseded: true }
    const { registrationStatus: status, heartbeatIntervalS } = row
    const chargePoint = {
      ...row,
      vendor: request.chargePointVendor,
      model: request.chargePointModel,
      serialNumber: request.chargePointSerialNumber ?? null,
      chargeBoxSerialNumber: request.chargeBoxSerialNumber ?? null,
      firmwareVersion: request.firmwareVersion ?? null,
      iccid: request.iccid ?? null,
      imsi: request.imsi ?? null,
      meterType: request.meterType ?? null,
      meterSerialNumber: request.meterSerialNumber ?? null,
      acceptedAt: row.acceptedAt ?? (status === "Accepted" ? receivedAt : null),
      lastBootAt: receivedAt,
      lastSeenAt: latest(row.lastSeenAt, receivedAt),
    }
    facts.chargePoints.put(chargePoint)
    for (const key of facts.configurationKeys.of(chargePointId)) {
      if (key.rebootRequired) facts.configurationKeys.put({ ...key, rebootRequired: false })
    }
    tellChargePoint(facts, "Booted", chargePoint, receivedAt, { was: row })
    return { status, heartbeatIntervalS }
  },
}
