/** What each charge point is believed to hold as its local authorization list. */
import { definitions } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const localLists: Migration = async (db, engine) => {
  const { table } = definitions(db, engine)
  await table(
    "local_lists",
    {
      charge_point_id: "text",
      organisation_id: "text",
      list_version: "integer?",
      highest_version: "integer",
      entries: "text?",
      told_at: "integer?",
      last_status: "text?",
      last_status_at: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("local_lists_key", ["charge_point_id"])
        .addForeignKeyConstraint("local_lists_charge_point", ["charge_point_id"], "charge_points", ["id"], (key) =>
          key.onDelete("cascade"),
        ),
  )
}
