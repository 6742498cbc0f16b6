/** Firmware campaigns and the charge points in them. */
import { sql } from "kysely"
import { definitions, oneOf } from "./definitions.ts"
import type { Migration } from "./migration.ts"

const UNDER_WAY = ["Requested", "Downloading", "Downloaded", "Installing"]

export const firmwareCampaigns: Migration = async (db, engine) => {
  const { table, index, unique } = definitions(db, engine)

  await table(
    "firmware_campaigns",
    {
      id: "text",
      organisation_id: "text",
      name: "text?",
      firmware_image_id: "text?",
      location: "text?",
      sealed_location: "text?",
      protocol: "text?",
      start_at: "integer",
      window_from: "integer?",
      window_until: "integer?",
      concurrency: "integer",
      max_failure_share: "real",
      min_finished: "integer",
      max_attempts: "integer",
      attempt_timeout_s: "integer",
      retry_delay_s: "integer",
      retrieve_delay_s: "integer",
      retries: "integer?",
      retry_interval: "integer?",
      state: "text",
      pause_reason: "text?",
      counts: "text",
      finished_before: "integer",
      failed_before: "integer",
      created_by: "text",
      created_at: "integer",
      started_at: "integer?",
      ended_at: "integer?",
      idempotency_key: "text?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("firmware_campaigns_key", ["id"])
        .addForeignKeyConstraint("firmware_campaigns_organisation", ["organisation_id"], "organisations", ["id"])
        .addCheckConstraint(
          "firmware_campaigns_state",
          oneOf("state", ["Scheduled", "Running", "Paused", "Completed", "Cancelled"]),
        ),
  )
  const isAtWork = oneOf("state", ["Scheduled", "Running"])
  await index("firmware_campaigns_at_work", "firmware_campaigns", ["start_at", "id"]).where(isAtWork).execute()
  const ofOrganisation = ["organisation_id", "created_at", "id"]
  await index("firmware_campaigns_of_organisation", "firmware_campaigns", ofOrganisation).execute()
  await unique("firmware_campaigns_by_idempotency_key", "firmware_campaigns", ["organisation_id", "idempotency_key"])

  const name = "campaign_charge_points"
  await table(
    name,
    {
      id: "text",
      campaign_id: "text",
      charge_point_id: "text",
      organisation_id: "text",
      position: "integer",
      state: "text",
      attempts: "integer",
      command_id: "text?",
      sent_at: "integer?",
      status: "text?",
      status_at: "integer?",
      due_at: "integer?",
      failure: "text?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint(`${name}_key`, ["campaign_id", "charge_point_id"])
        .addForeignKeyConstraint(`${name}_campaign`, ["campaign_id"], "firmware_campaigns", ["id"])
        .addCheckConstraint(
          `${name}_state`,
          oneOf("state", ["Pending", ...UNDER_WAY, "Installed", "Failed", "Cancelled", "Skipped"]),
        ),
  )
  await unique(`${name}_by_id`, name, ["id"])
  await unique(`${name}_in_order`, name, ["campaign_id", "position"])
  const isPending = oneOf("state", ["Pending"])
  await index(`${name}_pending`, name, ["campaign_id", "position"]).where(isPending).execute()
  await index(`${name}_under_way`, name, ["charge_point_id"]).where(oneOf("state", UNDER_WAY)).execute()
  await index(`${name}_expired`, name, ["charge_point_id"])
    .where(sql<boolean>`failure = 'Expired'`)
    .execute()
  await index(`${name}_waiting`, name, ["charge_point_id"]).where(isPending).execute()
}
