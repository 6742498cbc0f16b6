/** Which journal rows are not published lies beside the journal: to say so of a long row took reading all of it. */
import { sql } from "kysely"
import { definitions } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const unpublished: Migration = async (db, engine) => {
  const { table } = definitions(db, engine)
  await table("unpublished", { id: "integer" }, (t) => t.addPrimaryKeyConstraint("unpublished_key", ["id"]))
  await sql`insert into unpublished (id) select id from journal where published = 0`.execute(db)
  await db.schema.dropIndex("journal_unpublished").execute()
  await db.schema.alterTable("journal").dropColumn("published").execute()
}
