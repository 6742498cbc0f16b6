/**
 * On SQLite the lists of readings, by connector and by transaction, are kept in tables of their own, in which a charge
 * point's newest readings are entered many at a time: entered one by one, each reading dirtied a page of either list.
 * Where the newest of a charge point are, and which are still to be entered, stands with its subject.
 */
import { sql } from "kysely"
import { definitions } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const filedReadings: Migration = async (db, engine) => {
  const { addColumn } = definitions(db, engine)
  await addColumn("subjects", "readings", "text?")
  const newest = sql.raw(
    engine === "postgres"
      ? "json_object_agg(connector_id::text, newest)::text"
      : "json_group_object(cast(connector_id as text), newest)",
  )
  await sql`update subjects set readings = r.readings from (
      select charge_point_id, '{"newest":' || ${newest} || ',"unlisted":[]}' as readings from (
        select charge_point_id, connector_id, max(at) as newest from meter_values group by 1, 2) n group by 1) r
    where subjects.subject = 'charge-point:' || r.charge_point_id`.execute(db)
  if (engine === "postgres") return
  await sql`create table meter_values_by_connector (
    charge_point_id text not null, connector_id integer not null, at integer not null, digest text not null,
    meter_value_id integer not null,
    primary key (charge_point_id, connector_id, at, digest)) strict, without rowid`.execute(db)
  await sql`create table meter_values_by_transaction (
    transaction_id integer not null, at integer not null, connector_id integer not null, digest text not null,
    meter_value_id integer not null,
    primary key (transaction_id, at, connector_id, digest)) strict, without rowid`.execute(db)
  await sql`insert into meter_values_by_connector
    select charge_point_id, connector_id, at, digest, id from meter_values order by 1, 2, 3, 4`.execute(db)
  await sql`insert into meter_values_by_transaction
    select transaction_id, at, connector_id, digest, id from meter_values where transaction_id is not null
    order by 1, 2, 3, 4 on conflict do nothing`.execute(db)
  await db.schema.dropIndex("meter_values_key").execute()
  await db.schema.dropIndex("meter_values_of_transaction").execute()
}
