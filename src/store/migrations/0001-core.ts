/** The first tables: everything of the base standard, commands, journal, wire log. */
import { sql } from "kysely"
import { definitions, oneOf } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const core: Migration = async (db, engine, now) => {
  const { table, numbered, index, unique } = definitions(db, engine)

  await table("organisations", { id: "text", name: "text", created_at: "integer" }, (t) =>
    t.addPrimaryKeyConstraint("organisations_key", ["id"]),
  )
  await sql`insert into organisations (id, name, created_at) values ('default', 'Default', ${now})`.execute(db)

  await table(
    "charge_points",
    {
      id: "text",
      organisation_id: "text",
      identity: "text",
      created_at: "integer",
      registration_status: "text",
      accepted_at: "integer?",
      last_boot_at: "integer?",
      heartbeat_interval_s: "integer?",
      security_profile: "integer",
      password_hash: "text?",
      leniency: "text?",
      wire_log: "flag",
      vendor: "text?",
      model: "text?",
      serial_number: "text?",
      charge_box_serial_number: "text?",
      firmware_version: "text?",
      iccid: "text?",
      imsi: "text?",
      meter_type: "text?",
      meter_serial_number: "text?",
      online: "flag",
      epoch: "integer",
      node_id: "text?",
      connected_since: "integer?",
      disconnected_at: "integer?",
      last_seen_at: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("charge_points_key", ["id"])
        .addForeignKeyConstraint("charge_points_organisation", ["organisation_id"], "organisations", ["id"])
        .addCheckConstraint(
          "charge_points_registration_status",
          oneOf("registration_status", ["Accepted", "Pending", "Rejected"]),
        )
        .addCheckConstraint("charge_points_leniency", oneOf("leniency", ["strict", "tolerant"]))
        .addCheckConstraint("charge_points_security_profile", sql`security_profile between 0 and 3`),
  )
  await unique("charge_points_identity", "charge_points", ["identity"])
  await sql`create index charge_points_identity_in_any_case on charge_points (lower(identity))`.execute(db)
  await index("charge_points_of_organisation", "charge_points", ["organisation_id", "identity"]).execute()
  await index("charge_points_online", "charge_points", ["organisation_id", "online"]).execute()
  await index("charge_points_online_by_id", "charge_points", ["id"]).where(sql.ref("online"), "=", sql.lit(1)).execute()

  await table(
    "connectors",
    {
      organisation_id: "text",
      charge_point_id: "text",
      connector_id: "integer",
      status: "text",
      error_code: "text",
      info: "text?",
      vendor_id: "text?",
      vendor_error_code: "text?",
      status_at: "integer",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("connectors_key", ["charge_point_id", "connector_id"])
        .addForeignKeyConstraint("connectors_charge_point", ["charge_point_id"], "charge_points", ["id"], (key) =>
          key.onDelete("cascade"),
        ),
  )
  await index("connectors_by_status", "connectors", ["organisation_id", "status", "connector_id"]).execute()

  await table(
    "transactions",
    {
      transaction_id: "integer",
      organisation_id: "text",
      charge_point_id: "text",
      connector_id: "integer",
      id_tag: "text",
      id_tag_key: "text",
      start_key: "text",
      started_at: "integer",
      start_received_at: "integer",
      meter_start: "integer",
      reservation_id: "integer?",
      start_id_tag_info: "text",
      state: "text",
      stopped_at: "integer?",
      stop_received_at: "integer?",
      meter_stop: "integer?",
      stop_reason: "text?",
      stop_id_tag: "text?",
      stop_id_tag_info: "text?",
      energy_wh: "real?",
      energy_note: "text?",
      register_at: "integer?",
      register_wh: "real?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("transactions_key", ["transaction_id"])
        .addCheckConstraint("transactions_id", sql`transaction_id between 1 and 2147483647`)
        .addCheckConstraint("transactions_state", oneOf("state", ["Active", "Ended", "EndedInferred"]))
        .addCheckConstraint(
          "transactions_energy_note",
          oneOf("energy_note", ["RegisterRestarted", "RegisterRanBackwards", "StopBelowStart", "NoRegister"]),
        ),
  )
  await unique("transactions_start_key", "transactions", ["charge_point_id", "start_key"])
  await index("transactions_of_charge_point", "transactions", [
    "charge_point_id",
    "started_at",
    "transaction_id",
  ]).execute()
  await index("transactions_of_connector", "transactions", ["charge_point_id", "connector_id", "started_at"]).execute()
  await index("transactions_of_organisation", "transactions", [
    "organisation_id",
    "started_at",
    "transaction_id",
  ]).execute()
  await index("transactions_by_id_tag", "transactions", [
    "organisation_id",
    "id_tag_key",
    "started_at",
    "transaction_id",
  ]).execute()
  await index("transactions_by_end", "transactions", ["organisation_id", "stopped_at"])
    .where(sql.ref("stopped_at"), "is not", null)
    .execute()
  await index("transactions_by_end_of_charge_point", "transactions", ["charge_point_id", "stopped_at"])
    .where(sql.ref("stopped_at"), "is not", null)
    .execute()
  // What runs is listed often: the lists keep their order within these, so that nothing that ended is looked at.
  await index("transactions_unended", "transactions", ["charge_point_id", "started_at", "transaction_id"])
    .where(sql.ref("state"), "<>", sql.lit("Ended"))
    .execute()
  await index("transactions_active", "transactions", ["organisation_id", "id_tag_key"])
    .where(sql.ref("state"), "=", sql.lit("Active"))
    .execute()
  await index("transactions_running", "transactions", ["organisation_id", "started_at", "transaction_id"])
    .where(sql.ref("state"), "=", sql.lit("Active"))
    .execute()
  await (
    engine === "postgres"
      ? sql`create sequence transaction_ids as integer`
      : sql`create table counters (name text primary key, value integer not null) strict`
  ).execute(db)
  if (engine === "sqlite") await sql`insert into counters (name, value) values ('transactionId', 0)`.execute(db)

  await numbered("meter_values", {
    digest: "text",
    organisation_id: "text",
    charge_point_id: "text",
    connector_id: "integer",
    transaction_id: "integer?",
    at: "integer",
    received_at: "integer",
    sampled_values: "text",
  })
  await unique("meter_values_key", "meter_values", ["charge_point_id", "connector_id", "at", "digest"])
  await index("meter_values_of_transaction", "meter_values", ["transaction_id", "at"])
    .where(sql.ref("transaction_id"), "is not", null)
    .execute()

  await table(
    "running_powers",
    { transaction_id: "integer", organisation_id: "text", at: "integer", power_w: "real" },
    (t) => t.addPrimaryKeyConstraint("running_powers_key", ["transaction_id"]),
  )

  await table(
    "id_tags",
    {
      id: "text",
      organisation_id: "text",
      id_tag: "text",
      id_tag_key: "text",
      status: "text",
      parent_id_tag: "text?",
      expiry_date: "integer?",
      max_active_transactions: "integer?",
      note: "text?",
      created_at: "integer",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("id_tags_key", ["organisation_id", "id_tag_key"])
        .addUniqueConstraint("id_tags_id", ["id"])
        .addForeignKeyConstraint("id_tags_organisation", ["organisation_id"], "organisations", ["id"])
        .addCheckConstraint("id_tags_status", oneOf("status", ["Accepted", "Blocked", "Expired", "Invalid"])),
  )

  await table(
    "commands",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      action: "text",
      request: "text",
      state: "text",
      requested_by: "text",
      requested_at: "integer",
      deadline_at: "integer",
      expires_at: "integer?",
      sent_at: "integer?",
      answered_at: "integer?",
      confirmation: "text?",
      error: "text?",
      idempotency_key: "text?",
      node_id: "text?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("commands_key", ["id"])
        .addCheckConstraint(
          "commands_state",
          oneOf("state", ["Queued", "Sent", "Answered", "Failed", "TimedOut", "Expired", "Cancelled"]),
        ),
  )
  await unique("commands_idempotency_key", "commands", ["organisation_id", "idempotency_key"])
  await index("commands_of_organisation", "commands", ["organisation_id", "requested_at", "id"]).execute()
  await index("commands_of_charge_point", "commands", ["charge_point_id", "requested_at", "id"]).execute()
  await index("commands_sent", "commands", ["deadline_at"]).where(sql.ref("state"), "=", sql.lit("Sent")).execute()

  await table(
    "configuration_keys",
    {
      organisation_id: "text",
      charge_point_id: "text",
      key: "text",
      value: "text?",
      readonly: "flag",
      known: "flag",
      reboot_required: "flag",
      reported_at: "integer",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("configuration_keys_key", ["charge_point_id", "key"])
        .addForeignKeyConstraint(
          "configuration_keys_charge_point",
          ["charge_point_id"],
          "charge_points",
          ["id"],
          (key) => key.onDelete("cascade"),
        ),
  )

  await table(
    "reports",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      action: "text",
      payload: "text",
      received_at: "integer",
    },
    (t) => t.addPrimaryKeyConstraint("reports_key", ["id"]),
  )
  await index("reports_of_charge_point", "reports", ["charge_point_id", "received_at", "id"]).execute()

  await table(
    "stray_messages",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      action: "text",
      transaction_id: "integer",
      reason: "text",
      payload: "text",
      received_at: "integer",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("stray_messages_key", ["id"])
        .addCheckConstraint(
          "stray_messages_reason",
          oneOf("reason", ["UnknownTransaction", "OtherChargePoint", "ConflictingStop", "StopBeforeStart"]),
        ),
  )
  await index("stray_messages_of_charge_point", "stray_messages", ["charge_point_id", "received_at", "id"]).execute()

  await table(
    "deviations",
    {
      organisation_id: "text",
      charge_point_id: "text",
      kind: "text",
      place: "text",
      example: "text",
      count: "integer",
      first_at: "integer",
      last_at: "integer",
    },
    (t) => t.addPrimaryKeyConstraint("deviations_key", ["charge_point_id", "kind", "place"]),
  )

  await numbered("messages", {
    organisation_id: "text",
    charge_point_id: "text",
    at: "integer",
    direction: "text",
    message_type: "text",
    unique_id: "text?",
    action: "text?",
    text: "text",
  })
  await index("messages_of_charge_point", "messages", ["charge_point_id", "id"]).execute()

  await table(
    "api_tokens",
    {
      id: "text",
      organisation_id: "text",
      name: "text",
      role: "text",
      token_hash: "text",
      created_at: "integer",
      expires_at: "integer?",
      revoked_at: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("api_tokens_key", ["id"])
        .addUniqueConstraint("api_tokens_hash", ["token_hash"])
        .addForeignKeyConstraint("api_tokens_organisation", ["organisation_id"], "organisations", ["id"])
        .addCheckConstraint("api_tokens_role", oneOf("role", ["Viewer", "Operator", "Admin"])),
  )
  await index("api_tokens_of_organisation", "api_tokens", ["organisation_id", "created_at", "id"]).execute()

  // Events carry their organisation themselves.
  await numbered("journal", { at: "integer", published: "integer", events: "text", previous: "text" })
  await index("journal_unpublished", "journal", ["id"]).where(sql.ref("published"), "=", sql.lit(0)).execute()

  await table(
    "subjects",
    { subject: "text", organisation_id: "text?", version: "integer", journal_id: "integer?" },
    (t) => t.addPrimaryKeyConstraint("subjects_key", ["subject"]),
  )

  await table("settings", { key: "text", value: "text" }, (t) => t.addPrimaryKeyConstraint("settings_key", ["key"]))
}
