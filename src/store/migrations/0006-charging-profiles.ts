/** What each charge point is believed to hold as charging profiles, and what is stated of its supply. */
import { definitions, oneOf } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const chargingProfiles: Migration = async (db, engine) => {
  const { table, index, addColumn } = definitions(db, engine)
  await addColumn("charge_points", "voltage_v", "real?")
  await addColumn("charge_points", "phases", "integer?")
  await table(
    "charging_profiles",
    {
      command_id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      connector_id: "integer?",
      transaction_id: "integer?",
      id_tag_key: "text?",
      charging_profile_id: "integer",
      charging_profile_purpose: "text",
      stack_level: "integer",
      charging_profile: "text",
      accepted_at: "integer",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("charging_profiles_key", ["command_id"])
        .addForeignKeyConstraint(
          "charging_profiles_charge_point",
          ["charge_point_id"],
          "charge_points",
          ["id"],
          (key) => key.onDelete("cascade"),
        )
        .addCheckConstraint(
          "charging_profiles_purpose",
          oneOf("charging_profile_purpose", ["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]),
        ),
  )
  await index("charging_profiles_of_charge_point", "charging_profiles", ["charge_point_id", "accepted_at"]).execute()
}
