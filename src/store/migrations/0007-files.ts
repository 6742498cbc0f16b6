/** Firmware images, what charge points fetch and bring, and the bytes of both in parts. */
import { sql } from "kysely"
import { definitions, oneOf } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const files: Migration = async (db, engine) => {
  const { table, index, unique } = definitions(db, engine)

  await table(
    "firmware_images",
    {
      id: "text",
      organisation_id: "text",
      name: "text",
      version: "text",
      file_name: "text",
      vendor: "text?",
      model: "text?",
      size: "integer",
      sha256: "text",
      created_at: "integer",
      created_by: "text",
    },
    (t) => t.addPrimaryKeyConstraint("firmware_images_key", ["id"]),
  )
  await index("firmware_images_by_organisation", "firmware_images", ["organisation_id", "created_at", "id"]).execute()

  await table(
    "firmware_updates",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      firmware_image_id: "text?",
      location: "text",
      retrieve_date: "integer",
      requested_at: "integer",
      token_hash: "text?",
      expires_at: "integer?",
      state: "text",
      status: "text?",
      status_at: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("firmware_updates_key", ["id"])
        .addCheckConstraint("firmware_updates_state", oneOf("state", ["Requested", "Accepted", "Failed"])),
  )
  await index("firmware_updates_by_charge_point", "firmware_updates", [
    "charge_point_id",
    "requested_at",
    "id",
  ]).execute()
  await unique("firmware_updates_by_token", "firmware_updates", ["token_hash"])

  await table(
    "diagnostics",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      location: "text",
      requested_at: "integer",
      token_hash: "text?",
      expires_at: "integer?",
      state: "text",
      file_name: "text?",
      status: "text?",
      status_at: "integer?",
      upload_id: "text?",
      lease_until: "integer?",
      received_name: "text?",
      size: "integer?",
      sha256: "text?",
      received_at: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("diagnostics_key", ["id"])
        .addCheckConstraint(
          "diagnostics_state",
          oneOf("state", ["Requested", "Failed", "Nothing", "Expected", "Receiving", "Received"]),
        ),
  )
  await index("diagnostics_by_charge_point", "diagnostics", ["charge_point_id", "requested_at", "id"]).execute()
  await index("diagnostics_by_age", "diagnostics", ["requested_at"]).execute()
  await index("diagnostics_by_upload", "diagnostics", ["upload_id"]).execute()
  await unique("diagnostics_by_token", "diagnostics", ["token_hash"])

  // Bytes are no text: they stand in a column of a kind that nothing else needs.
  const bytes = sql.raw(engine === "postgres" ? "bytea" : "blob")
  const chunks = db.schema
    .createTable("file_chunks")
    .addColumn("file_id", engine === "postgres" ? sql`text collate "C"` : sql`text`, (column) => column.notNull())
    .addColumn("position", engine === "postgres" ? sql`bigint` : sql`integer`, (column) => column.notNull())
    .addColumn("at", engine === "postgres" ? sql`bigint` : sql`integer`, (column) => column.notNull())
    .addColumn("bytes", sql`${bytes}`, (column) => column.notNull())
    .addPrimaryKeyConstraint("file_chunks_key", ["file_id", "position"])
  await (engine === "sqlite" ? chunks.modifyEnd(sql`strict`) : chunks).execute()
}
