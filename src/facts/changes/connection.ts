import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { latest } from "../instants.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

const subjects = (input: { chargePointId: string }) => [chargePointSubject(input.chargePointId)]

/**
 * Every newer socket is told as Online, also when the charge point was online already: connectedSince and the node that
 * holds it have changed. A socket that had fallen silent and speaks again comes back under its own epoch.
 */
export const goOnline: ChangeOf<"goOnline"> = {
  subjects,
  load: (facts, inputs) =>
    loadTold(
      facts,
      inputs.map((input) => input.chargePointId),
    ),
  apply(facts, { organisationId, chargePointId, nodeId, epoch: claimed, at }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    const isGuessed = typeof claimed === "object"
    const epoch = isGuessed ? claimed.after + 1 : claimed
    const isTaken = row.epoch === epoch && (isGuessed || (row.nodeId ?? nodeId) !== nodeId)
    if (row.epoch > epoch || isTaken) return { superseded: true }
    if (row.online && row.epoch === epoch && row.nodeId === nodeId) return { epoch }
    const lastSeenAt = latest(row.lastSeenAt, at)
    const chargePoint = { ...row, online: true, epoch, nodeId, connectedSince: at, disconnectedAt: null, lastSeenAt }
    facts.chargePoints.put(chargePoint)
    tellChargePoint(facts, "Online", chargePoint, at, { was: row })
    return { epoch }
  },
}

/** The late close of an older socket finds a newer epoch and changes nothing. */
export const goOffline: ChangeOf<"goOffline"> = {
  subjects,
  load: (facts, inputs) =>
    loadTold(
      facts,
      inputs.map((input) => input.chargePointId),
    ),
  apply(facts, { organisationId, chargePointId, epoch, at, lastSeenAt }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    if (row.epoch > epoch) return { superseded: true }
    if (!row.online) return { recorded: true }
    const chargePoint = {
      ...row,
      online: false,
      epoch,
      nodeId: null,
      connectedSince: null,
      disconnectedAt: at,
      lastSeenAt: latest(row.lastSeenAt, lastSeenAt),
    }
    facts.chargePoints.put(chargePoint)
    tellChargePoint(facts, "Offline", chargePoint, at, { was: row })
    return { recorded: true }
  },
}

export const noteSeen: ChangeOf<"noteSeen"> = {
  subjects,
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
  apply(facts, { organisationId, chargePointId, epoch, lastSeenAt }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    if (row.epoch > epoch) return { superseded: true }
    const offline = !row.online
    if (row.lastSeenAt !== null && row.lastSeenAt >= lastSeenAt) return { recorded: false, offline }
    facts.chargePoints.put({ ...row, lastSeenAt })
    return { recorded: true, offline }
  },
}
