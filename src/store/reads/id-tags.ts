/** The idTags of an organisation. */
import { sql } from "kysely"
import { idTagKeyOf } from "../../facts/id-tags.ts"
import type { IdTagRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { among, contains, type Source } from "./source.ts"

const byIdTag: Order<IdTagRow> = { name: "idTags", by: { idTagKey: "text" }, direction: "asc" }

export function idTagReads(source: Source): Pick<Reads, "idTagsByIds" | "idTags"> {
  const all = () => source.db.selectFrom("idTags").selectAll()
  return {
    idTagsByIds: (ids) =>
      all()
        .where(among(source, "id", ids))
        .execute(),

    idTags(organisationId, { search, status, parentIdTag }, page) {
      let found = all().where("organisationId", "=", organisationId)
      if (search !== undefined)
        found = found.where(({ or }) => or([contains("idTag", search), contains("note", search)]))
      if (status !== undefined) found = found.where("status", "=", status)
      if (parentIdTag !== undefined)
        found = found.where(sql<boolean>`lower(trim(parent_id_tag)) = ${idTagKeyOf(parentIdTag)}`)
      return slice(found, byIdTag, page)
    },
  }
}
