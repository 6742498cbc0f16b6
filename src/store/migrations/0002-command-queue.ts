/** Commands that wait: what they will send, and who is looked for among them; and the names of charge points that are gone. */
import { sql } from "kysely"
import type { Migration } from "./migration.ts"

export const commandQueue: Migration = async (db, engine) => {
  const text = engine === "postgres" ? sql`text collate "C"` : sql`text`
  const integer = engine === "postgres" ? sql`bigint` : sql`integer`
  await db.schema.alterTable("commands").addColumn("request_digest", text).execute()
  const requests = db.schema
    .createTable("sealed_requests")
    .addColumn("command_id", text, (column) => column.notNull())
    .addColumn("organisation_id", text, (column) => column.notNull())
    .addColumn("sealed", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("sealed_requests_key", ["command_id"])
  await (engine === "sqlite" ? requests.modifyEnd(sql`strict`) : requests).execute()

  const deleted = db.schema
    .createTable("deleted_charge_points")
    .addColumn("id", text, (column) => column.notNull())
    .addColumn("organisation_id", text, (column) => column.notNull())
    .addColumn("identity", text, (column) => column.notNull())
    .addColumn("deleted_at", integer, (column) => column.notNull())
    .addPrimaryKeyConstraint("deleted_charge_points_key", ["id"])
  await (engine === "sqlite" ? deleted.modifyEnd(sql`strict`) : deleted).execute()

  // Few commands are unfinished among very many that ended: what is looked for among them reads nothing else.
  const index = (name: string, columns: readonly string[]) =>
    db.schema
      .createIndex(name)
      .on("commands")
      .columns([...columns])
  await index("commands_unfinished", ["organisation_id", "requested_at", "id"])
    .where(sql<boolean>`state in ('Queued', 'Sent')`)
    .execute()
  const isQueued = sql<boolean>`state = 'Queued'`
  await index("commands_queued", ["charge_point_id", "requested_at", "id"]).where(isQueued).execute()
  await index("commands_expiring", ["expires_at", "id"]).where(isQueued).execute()
}
