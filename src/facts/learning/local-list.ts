import type { Facts } from "../facts.ts"
import { entriesOf, unknownList, updated } from "../local-list.ts"
import type { CommandRow, LocalListRow } from "../rows.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"
import type { Ended, Learner } from "./learner.ts"

async function load(facts: Facts, ended: readonly { command: CommandRow }[]): Promise<void> {
  const chargePointIds = ended.map(({ command }) => command.chargePointId)
  await loadTold(facts, chargePointIds)
  await facts.localLists.load(chargePointIds)
}

/** Puts the list as it is believed to be from now on; a deleted charge point has none. */
function believe(facts: Facts, { command, at }: Pick<Ended<"SendLocalList">, "command" | "at">, list: LocalListRow) {
  const { chargePointId } = command
  const chargePoint = facts.chargePoints.get(chargePointId)
  if (!chargePoint || Bun.deepEquals(list, facts.localLists.get(chargePointId))) return
  facts.localLists.put(list)
  tellChargePoint(facts, "LocalList", chargePoint, at)
}

const listOf = (facts: Facts, { organisationId, chargePointId }: CommandRow): Readonly<LocalListRow> =>
  facts.localLists.get(chargePointId) ?? unknownList(organisationId, chargePointId)

/** The charge point says which version it has. OCPP 1.6 §5.10. */
export const getLocalListVersion: Learner<"GetLocalListVersion"> = {
  load,
  learn(facts, ended) {
    const { command, confirmation, at } = ended
    if (confirmation === null) return
    const { listVersion } = confirmation
    const list = listOf(facts, command)
    const isEmpty = listVersion === 0 || listVersion === -1
    believe(facts, ended, {
      ...list,
      listVersion,
      highestVersion: Math.max(list.highestVersion, listVersion),
      // With a version of its own, or of somebody else, its entries are anybody's guess.
      entries: isEmpty ? "[]" : listVersion === list.listVersion ? list.entries : null,
      toldAt: at,
    })
  },
}

/** The charge point took a list, or did not. OCPP 1.6 §5.15. */
export const sendLocalList: Learner<"SendLocalList"> = {
  load,
  learn(facts, ended) {
    const { command, request, confirmation, at } = ended
    const list = listOf(facts, command)
    if (confirmation === null) {
      // Sent, and nobody knows what became of it: the list is the old one or the new one.
      if (command.state === "TimedOut") believe(facts, ended, { ...list, listVersion: null, entries: null })
      return
    }
    const { status } = confirmation
    const answered = { ...list, lastStatus: status, lastStatusAt: at }
    if (status === "Accepted") {
      const base = request.updateType === "Full" ? [] : entriesOf(list)
      const entries = base && updated(base, request.localAuthorizationList ?? [])
      believe(facts, ended, {
        ...answered,
        listVersion: request.listVersion,
        entries: entries && JSON.stringify(entries),
        toldAt: at,
      })
    } else if (status === "NotSupported") {
      believe(facts, ended, { ...answered, listVersion: -1, entries: "[]" })
    } else if (status === "VersionMismatch") {
      // It has another version than was believed.
      believe(facts, ended, { ...answered, listVersion: null, entries: null })
    } else {
      believe(facts, ended, answered)
    }
  },
}
