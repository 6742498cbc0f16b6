import type { ChangeOf } from "../catalogue.ts"
import { chargePointState, chargePointSubject } from "../events.ts"
import { latest } from "../instants.ts"

const subjects = (input: { chargePointId: string }) => [chargePointSubject(input.chargePointId)]

/**
 * Every newer socket is told as Online, also when the charge point was online already: connectedSince and the node that
 * holds it have changed. A socket that had fallen silent and speaks again comes back under its own epoch.
 */
export const goOnline: ChangeOf<"goOnline"> = {
  subjects,
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
  apply(facts, { organisationId, chargePointId, nodeId, epoch: claimed, at }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    const epoch = claimed ?? row.epoch + 1
    if (row.epoch > epoch) return { superseded: true }
    if (row.online && row.epoch === epoch && row.nodeId === nodeId) return { epoch }
    const lastSeenAt = latest(row.lastSeenAt, at)
    const chargePoint = { ...row, online: true, epoch, nodeId, connectedSince: at, disconnectedAt: null, lastSeenAt }
    facts.chargePoints.put(chargePoint)
    const body = { type: "ChargePoint", kind: "Online", chargePoint: chargePointState(chargePoint) } as const
    facts.tell(organisationId, chargePointSubject(chargePointId), at, body)
    return { epoch }
  },
}

/** The late close of an older socket finds a newer epoch and changes nothing. */
export const goOffline: ChangeOf<"goOffline"> = {
  subjects,
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
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
    const body = { type: "ChargePoint", kind: "Offline", chargePoint: chargePointState(chargePoint) } as const
    facts.tell(organisationId, chargePointSubject(chargePointId), at, body)
    return { recorded: true }
  },
}

export const noteSeen: ChangeOf<"noteSeen"> = {
  subjects,
  load: (facts, inputs) => facts.chargePoints.load(inputs.map((input) => input.chargePointId)),
  apply(facts, { organisationId, chargePointId, lastSeenAt }) {
    const row = facts.chargePoints.get(chargePointId)
    if (row?.organisationId !== organisationId) return { recorded: false }
    if (row.lastSeenAt !== null && row.lastSeenAt >= lastSeenAt) return { recorded: false }
    facts.chargePoints.put({ ...row, lastSeenAt })
    return { recorded: true }
  },
}
