/** The journal's long texts are packed by the quicker of PostgreSQL's ways, where the server was built with it. */
import { sql } from "kysely"
import type { Migration } from "./migration.ts"

export const journalCompression: Migration = async (db, engine) => {
  if (engine !== "postgres") return
  for (const column of ["events", "previous"])
    await sql`do $$ begin
      execute 'alter table journal alter column ${sql.raw(column)} set compression lz4';
    exception when others then
      raise notice 'the journal is packed by pglz: %', sqlerrm;
    end $$`.execute(db)
}
