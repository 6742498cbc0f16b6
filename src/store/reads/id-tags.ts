/** The idTags of an organisation. */
import type { IdTagRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { among, contains, type Source } from "./source.ts"

const byIdTag: Order<IdTagRow> = { name: "idTags", by: { idTagKey: "text" }, direction: "asc" }

export function idTagReads(source: Source): Pick<Reads, "idTagsByKeys" | "idTagsByIds" | "idTags"> {
  const all = () => source.db.selectFrom("idTags").selectAll()
  return {
    idTagsByKeys: (organisationId, idTagKeys) =>
      all()
        .where("organisationId", "=", organisationId)
        .where(among(source, "idTagKey", idTagKeys))
        .execute(),

    idTagsByIds: (ids) =>
      all()
        .where(among(source, "id", ids))
        .execute(),

    idTags(organisationId, { search, status, parentIdTag }, page) {
      let found = all().where("organisationId", "=", organisationId)
      if (search !== undefined) found = found.where(contains("idTag", search))
      if (status !== undefined) found = found.where("status", "=", status)
      if (parentIdTag !== undefined) found = found.where("parentIdTag", "=", parentIdTag)
      return slice(found, byIdTag, page)
    },
  }
}
