/**
 * Readings by the lists they stand in: with PostgreSQL indexes of their table, with SQLite tables of their own that name
 * them by id (migration 0011).
 */
import { type RawBuilder, sql } from "kysely"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { EndPage, Page, Slice } from "../../services/ports.ts"
import { slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { type ReadingName, readingColumns, readingFields, readingOrder } from "./reading-order.ts"
import type { Source } from "./source.ts"

const inTable: ChildList<MeterValueRow, number> = {
  table: "meterValues",
  key: "id",
  parent: "transactionId",
  parentOf: ({ transactionId }) => transactionId,
  order: readingOrder,
  fields: readingFields,
}

const ofTransactions: { readonly [_ in Source["engine"]]: ChildList<MeterValueRow, number> } = {
  postgres: inTable,
  sqlite: { ...inTable, listedIn: { table: "meterValuesByTransaction", key: "meterValueId" } },
}

export function listedReadings(source: Source) {
  const { db, engine } = source
  const columns = sql.join(readingColumns.map((column) => sql.ref(column)))
  const byConnector = sql.raw(engine === "postgres" ? "meter_values" : "meter_values_by_connector")
  const id = sql.raw(engine === "postgres" ? "id" : "meter_value_id")

  return {
    ofTransaction(organisationId: string, transactionId: number, page: Page): Promise<Slice<MeterValueRow>> {
      if (engine === "postgres") {
        const found = db.selectFrom("meterValues as m").select(readingColumns)
        const its = found.where("m.organisationId", "=", organisationId).where("m.transactionId", "=", transactionId)
        return slice(its, readingOrder, page, "m")
      }
      const found = db
        .selectFrom("meterValuesByTransaction as l")
        .innerJoin("meterValues as m", "m.id", "l.meterValueId")
        .select(readingColumns)
        .where("m.organisationId", "=", organisationId)
        .where("l.transactionId", "=", transactionId)
      return slice(found, readingOrder, page, "l")
    },

    ofEach: (transactionIds: readonly number[], page: EndPage): Promise<Map<number, Slice<MeterValueRow>>> =>
      sliceOfEach(source, ofTransactions[engine], transactionIds, [], page),

    /** The connectors that have readings, by leaps through the list: a charge point may have very many readings. */
    async connectorsOf(chargePointId: string): Promise<number[]> {
      const { rows } = await sql<{ id: number | null }>`with recursive c(id) as (
          select min(connector_id) from ${byConnector} where charge_point_id = ${chargePointId}
          union all select (select min(connector_id) from ${byConnector} where charge_point_id = ${chargePointId} and connector_id > c.id)
          from c where c.id is not null
        ) select id from c`.execute(db)
      return rows.flatMap((row) => row.id ?? [])
    },

    ofConnector(
      organisationId: string,
      chargePointId: string,
      connectorId: number,
      page: Page,
    ): Promise<Slice<MeterValueRow>> {
      if (engine === "postgres") {
        const found = db
          .selectFrom("meterValues as m")
          .select(readingColumns)
          .where("m.organisationId", "=", organisationId)
          .where("m.chargePointId", "=", chargePointId)
          .where("m.connectorId", "=", connectorId)
        return slice(found, readingOrder, page, "m")
      }
      const found = db
        .selectFrom("meterValuesByConnector as l")
        .innerJoin("meterValues as m", "m.id", "l.meterValueId")
        .select(readingColumns)
        .where("m.organisationId", "=", organisationId)
        .where("l.chargePointId", "=", chargePointId)
        .where("l.connectorId", "=", connectorId)
      return slice(found, readingOrder, page, "l")
    },

    async latestOf(chargePointIds: readonly string[], perConnector: number): Promise<MeterValueRow[]> {
      const given =
        engine === "postgres"
          ? sql`select g as charge_point_id from unnest(${chargePointIds}::text[]) as g`
          : sql`select value as charge_point_id from json_each(${JSON.stringify(chargePointIds)})`
      const newest = (selected: RawBuilder<unknown>) => sql`select ${selected} from ${byConnector} n
        where n.charge_point_id = c.charge_point_id and n.connector_id = c.id order by n.at desc, n.digest desc limit ${perConnector}`
      // Each engine goes through the list for one of these; the other's way would have it read the whole table.
      const joined =
        engine === "postgres"
          ? sql`cross join lateral (${newest(sql.raw("*"))}) m`
          : sql`join meter_values m on m.id in (${newest(sql`n.${id}`)})`
      const { rows } = await sql<MeterValueRow>`with recursive given as (${given}), c(charge_point_id, id) as (
          select charge_point_id, (select min(connector_id) from ${byConnector} where charge_point_id = given.charge_point_id) from given
          union all select charge_point_id, (select min(connector_id) from ${byConnector} where charge_point_id = c.charge_point_id and connector_id > c.id)
          from c where c.id is not null
        ) select ${columns} from c ${joined} where c.id is not null`.execute(db)
      return rows
    },

    async byRefs(refs: readonly ReadingName[]): Promise<MeterValueRow[]> {
      const found =
        engine === "postgres"
          ? sql`unnest(${refs.map((ref) => ref.chargePointId)}::text[], ${refs.map((ref) => ref.connectorId)}::bigint[],
              ${refs.map((ref) => ref.at)}::bigint[], ${refs.map((ref) => ref.digest)}::text[]) as k(charge_point_id, connector_id, at, digest)
              join meter_values m`
          : sql`(select value ->> 0 as charge_point_id, value ->> 1 as connector_id, value ->> 2 as at, value ->> 3 as digest
              from json_each(${JSON.stringify(refs.map((ref) => [ref.chargePointId, ref.connectorId, ref.at, ref.digest]))})) as k
              join meter_values_by_connector l`
      const list = sql.raw(engine === "postgres" ? "m" : "l")
      const itself = engine === "postgres" ? sql`` : sql`join meter_values m on m.id = l.meter_value_id`
      const { rows } = await sql<MeterValueRow>`select ${columns} from ${found}
        on ${list}.charge_point_id = k.charge_point_id and ${list}.connector_id = k.connector_id
          and ${list}.at = k.at and ${list}.digest = k.digest ${itself}`.execute(db)
      return rows
    },
  }
}
