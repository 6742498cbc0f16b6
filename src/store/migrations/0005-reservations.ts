/** Reservations, from the wish to their end. */
import { sql } from "kysely"
import { definitions, oneOf } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const reservations: Migration = async (db, engine) => {
  const { table, index } = definitions(db, engine)
  await table(
    "reservations",
    {
      id: "text",
      organisation_id: "text",
      charge_point_id: "text",
      reservation_id: "integer",
      connector_id: "integer",
      id_tag: "text",
      id_tag_key: "text",
      parent_id_tag: "text?",
      expiry_date: "integer",
      state: "text",
      end_reason: "text?",
      requested_by: "text",
      requested_at: "integer",
      accepted_at: "integer?",
      ended_at: "integer?",
      transaction_id: "integer?",
    },
    (t) =>
      t
        .addPrimaryKeyConstraint("reservations_key", ["id"])
        .addForeignKeyConstraint("reservations_organisation", ["organisation_id"], "organisations", ["id"])
        .addCheckConstraint(
          "reservations_state",
          oneOf("state", ["Requested", "Active", "Used", "Cancelled", "Expired", "Refused"]),
        ),
  )
  const isOpen = oneOf("state", ["Requested", "Active"])
  await index("reservations_open", "reservations", ["charge_point_id"]).where(isOpen).execute()
  await index("reservations_by_expiry", "reservations", ["expiry_date", "id"]).where(isOpen).execute()
  await index("reservations_by_number", "reservations", ["charge_point_id", "reservation_id"]).execute()
  await index("reservations_of_organisation", "reservations", ["organisation_id", "requested_at", "id"]).execute()
  await index("reservations_of_charge_point", "reservations", ["charge_point_id", "requested_at", "id"]).execute()
  if (engine === "postgres") await sql`create sequence reservation_ids as integer`.execute(db)
  else await sql`insert into counters (name, value) values ('reservationId', 0)`.execute(db)
}
