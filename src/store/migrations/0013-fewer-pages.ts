/**
 * What one command dirties: every page of it is written to the log before the frame may leave, and again before the
 * answer may. Only a few commands have an idempotencyKey; one index finds all that are unfinished; and SQLite need not
 * keep a table of its own to number the journal, of which the newest row always stays.
 */
import { sql } from "kysely"
import { definitions } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const fewerPages: Migration = async (db, engine, now) => {
  const { index } = definitions(db, engine)
  for (const name of ["commands_idempotency_key", "commands_sent", "commands_unfinished"])
    await db.schema.dropIndex(name).execute()
  await index("commands_idempotency_key", "commands", ["organisation_id", "idempotency_key"])
    .unique()
    .where(sql.ref("idempotency_key"), "is not", null)
    .execute()
  // Whose time is over is seen without a look at the rows.
  await index("commands_unfinished", "commands", ["organisation_id", "requested_at", "id", "state", "deadline_at"])
    .where(sql<boolean>`state in ('Queued', 'Sent')`)
    .execute()
  if (engine === "sqlite") await renumber(db, now)
}

/** The journal goes on from the greatest number that was ever given, also where no row is left that has it. */
async function renumber(db: Parameters<Migration>[0], now: number): Promise<void> {
  await sql`create table renumbered (
    id integer primary key, at integer not null, events text not null, previous text not null) strict`.execute(db)
  await sql`insert into renumbered select id, at, events, previous from journal order by id`.execute(db)
  await sql`insert into renumbered select seq, ${now}, '[]', '{}' from sqlite_sequence
    where name = 'journal' and seq > (select coalesce(max(id), 0) from journal)`.execute(db)
  await sql`drop table journal`.execute(db)
  await sql`alter table renumbered rename to journal`.execute(db)
}
