// What an idTag may do. OCPP 1.6 §4.1, §7.27, §7.28.
import type { IdTagInfo } from "./catalogue.ts"
import type { IdTagRow } from "./rows.ts"

const maxLength = 20

/** The one form in which idTags are compared: letter case and surrounding blanks carry no meaning. OCPP 1.6 §3.9. */
export const idTagKeyOf = (idTag: string): string => idTag.trim().toLowerCase()

/**
 * What is known about an idTag at an instant (epoch ms), for Authorize, StartTransaction and StopTransaction alike. An
 * unknown one and one of more than 20 characters are Invalid. Never ConcurrentTx: that is StartTransaction's to say.
 */
export function authorize(row: Readonly<IdTagRow> | undefined, at: number): IdTagInfo {
  if (!row || [...row.idTag.trim()].length > maxLength) return { status: "Invalid" }
  const expired = row.status === "Accepted" && row.expiryDate !== null && row.expiryDate <= at
  return {
    status: expired ? "Expired" : row.status,
    ...(row.expiryDate !== null && { expiryDate: new Date(row.expiryDate).toISOString() }),
    ...(row.parentIdTag !== null && { parentIdTag: row.parentIdTag }),
  }
}

/** Whether two idTags belong to one group: one may stop what the other started. OCPP 1.6 §3.10. */
export function sameGroup(one: Readonly<IdTagRow> | undefined, other: Readonly<IdTagRow> | undefined): boolean {
  const [parent, otherParent] = [one?.parentIdTag, other?.parentIdTag]
  return !!parent && !!otherParent && idTagKeyOf(parent) === idTagKeyOf(otherParent)
}
