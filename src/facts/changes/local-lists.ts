import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject } from "../events.ts"
import { unknownList } from "../local-list.ts"

export const takeListVersion: ChangeOf<"takeListVersion"> = {
  // Locked although nothing is told: two who send at once must not take the same number.
  subjects: ({ chargePointId }) => [chargePointSubject(chargePointId)],
  async load(facts, inputs) {
    const chargePointIds = inputs.map(({ chargePointId }) => chargePointId)
    await facts.chargePoints.load(chargePointIds)
    await facts.localLists.load(chargePointIds)
  },
  apply(facts, { organisationId, chargePointId, listVersion: given }) {
    if (facts.chargePoints.get(chargePointId)?.organisationId !== organisationId) return { notFound: true }
    const list = facts.localLists.get(chargePointId) ?? unknownList(organisationId, chargePointId)
    const listVersion = given ?? list.highestVersion + 1
    facts.localLists.put({ ...list, highestVersion: Math.max(list.highestVersion, listVersion) })
    return { listVersion }
  },
}
