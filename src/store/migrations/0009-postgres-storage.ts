/** How PostgreSQL lays down what changes often and what is long; SQLite has nothing of the kind. */
import { sql } from "kysely"
import type { Migration } from "./migration.ts"

/** Their rows are changed again and again, in columns that no index holds. */
const OFTEN_CHANGED = ["charge_points", "connectors", "running_powers", "subjects", "transactions"]

export const postgresStorage: Migration = async (db, engine) => {
  if (engine !== "postgres") return
  // With room beside it, a changed row stays on its page, and none of the table's indexes has to hear of it.
  for (const name of OFTEN_CHANGED) await sql`alter table ${sql.table(name)} set (fillfactor = 50)`.execute(db)
  // The quicker way to pack long texts, where the server was built with it.
  for (const column of ["events", "previous"])
    await sql`do $$ begin
      execute 'alter table journal alter column ${sql.raw(column)} set compression lz4';
    exception when others then
      raise notice 'the journal is packed by pglz: %', sqlerrm;
    end $$`.execute(db)
}
