// Local authorization lists as both sides count them. OCPP 1.6 §3.5, §5.15.
import type { AuthorizationData } from "../ocpp/types.ts"
import { idTagKeyOf } from "./id-tags.ts"
import type { LocalListRow } from "./rows.ts"

/** A list that nothing is known of yet. */
export const unknownList = (organisationId: string, chargePointId: string): LocalListRow => ({
  chargePointId,
  organisationId,
  listVersion: null,
  highestVersion: 0,
  entries: null,
  toldAt: null,
  lastStatus: null,
  lastStatusAt: null,
})

/** The entries that the charge point is believed to hold, in order of idTag; null where they are not known. */
export const entriesOf = ({ entries }: Pick<LocalListRow, "entries">): AuthorizationData[] | null =>
  entries === null ? null : JSON.parse(entries)

/** What a list of these entries holds after a differential update: an entry without idTagInfo deletes. OCPP 1.6 §5.15. */
export function updated(
  entries: readonly AuthorizationData[],
  update: readonly AuthorizationData[],
): AuthorizationData[] {
  const list = new Map(entries.map((entry) => [idTagKeyOf(entry.idTag), entry]))
  for (const entry of update) {
    if (entry.idTagInfo === undefined) list.delete(idTagKeyOf(entry.idTag))
    else list.set(idTagKeyOf(entry.idTag), entry)
  }
  return [...list].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry)
}

/** The differential update that makes one list the other. */
export function difference(from: readonly AuthorizationData[], to: readonly AuthorizationData[]): AuthorizationData[] {
  const before = new Map(from.map((entry) => [idTagKeyOf(entry.idTag), entry]))
  const after = new Set(to.map(({ idTag }) => idTagKeyOf(idTag)))
  const changed = to.filter((entry) => !Bun.deepEquals(before.get(idTagKeyOf(entry.idTag)), entry))
  const gone = from.filter(({ idTag }) => !after.has(idTagKeyOf(idTag)))
  return [...changed, ...gone.map(({ idTag }) => ({ idTag }))]
}
