/** The tables' history: each migration runs once per database, in order, on either engine. */
import { type Kysely, sql } from "kysely"
import type { EngineName } from "../session.ts"
import { core } from "./0001-core.ts"
import { commandQueue } from "./0002-command-queue.ts"
import { localLists } from "./0004-local-lists.ts"
import { reservations } from "./0005-reservations.ts"
import { chargingProfiles } from "./0006-charging-profiles.ts"
import { files } from "./0007-files.ts"
import { firmwareCampaigns } from "./0008-firmware-campaigns.ts"
import { postgresStorage } from "./0009-postgres-storage.ts"
import { unpublished } from "./0010-unpublished.ts"
import { filedReadings } from "./0011-filed-readings.ts"
import { fewerIndexes } from "./0012-fewer-indexes.ts"
import { fewerPages } from "./0013-fewer-pages.ts"
import type { Migration } from "./migration.ts"

/** By name, in order. A migration that has been released is never edited. */
const migrations: Readonly<Record<string, Migration>> = {
  "0001-core": core,
  "0002-command-queue": commandQueue,
  "0004-local-lists": localLists,
  "0005-reservations": reservations,
  "0006-charging-profiles": chargingProfiles,
  "0007-files": files,
  "0008-firmware-campaigns": firmwareCampaigns,
  "0009-postgres-storage": postgresStorage,
  "0010-unpublished": unpublished,
  "0011-filed-readings": filedReadings,
  "0012-fewer-indexes": fewerIndexes,
  "0013-fewer-pages": fewerPages,
}

/** Any number, as long as every node takes the same one. */
const ADVISORY_LOCK = 4_741_607

/** The database was migrated by a newer Busbar than this one. */
export class NewerDatabase extends Error {
  override readonly name = "NewerDatabase"
}

/**
 * Brings the database up to this version in one transaction; gives the names of what was run. Nodes that start together
 * wait for each other. @throws NewerDatabase
 */
export function migrate(db: Kysely<unknown>, engine: EngineName, now: number): Promise<string[]> {
  return db.transaction().execute(async (trx) => {
    if (engine === "postgres") await sql`select pg_advisory_xact_lock(${sql.lit(ADVISORY_LOCK)})`.execute(trx)
    await sql`create table if not exists migrations (name text primary key, at bigint not null)`.execute(trx)
    const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(trx)
    const done = new Set(rows.map(({ name }) => name))
    const unknown = [...done].filter((name) => !Object.hasOwn(migrations, name))
    if (unknown.length > 0)
      throw new NewerDatabase(`the database knows ${unknown.join(", ")}, which this version of Busbar does not`)
    const pending = Object.entries(migrations).filter(([name]) => !done.has(name))
    for (const [name, run] of pending) {
      await run(trx, engine, now)
      await sql`insert into migrations (name, at) values (${name}, ${now})`.execute(trx)
    }
    return pending.map(([name]) => name)
  })
}
