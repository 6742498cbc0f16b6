/** Readings: of a transaction, of a connector, the newest ones, and those that events refer to. */
import { type RawBuilder, sql } from "kysely"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Page, Reads, Slice } from "../../services/ports.ts"
import { mergeSlices, type Order, slice } from "../paging.ts"
import { fieldsOf, meterValues } from "../tables.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import type { Source } from "./source.ts"

type MeterValueReads = Pick<Reads, "meterValues" | "meterValuesOfEach" | "latestMeterValuesOf" | "meterValuesByRefs">

const oldestFirst: Order<MeterValueRow> = {
  name: "meterValues",
  by: { at: "integer", connectorId: "integer", digest: "text" },
  direction: "asc",
}
type MeterValueKey = Parameters<Reads["meterValuesByRefs"]>[0][number]

const LATEST = 8
const fields = fieldsOf(meterValues)

const ofTransaction: ChildList<MeterValueRow, number> = {
  table: "meterValues",
  key: "id",
  parent: "transactionId",
  parentOf: ({ transactionId }) => transactionId,
  order: oldestFirst,
  fields,
}

export function meterValueReads(source: Source): MeterValueReads {
  const { db, engine } = source
  const all = () => db.selectFrom("meterValues").select(fields)
  const columns = sql.join(fields.map((field) => sql`m.${sql.ref(field)}`))

  /** The connectors that have readings, by leaps through the index: a charge point may have very many readings. */
  async function connectorsWithReadings(chargePointId: string): Promise<number[]> {
    const { rows } = await sql<{ id: number | null }>`with recursive c(id) as (
        select min(connector_id) from meter_values where charge_point_id = ${chargePointId}
        union all select (select min(connector_id) from meter_values where charge_point_id = ${chargePointId} and connector_id > c.id)
        from c where c.id is not null
      ) select id from c`.execute(db)
    return rows.flatMap(({ id }) => id ?? [])
  }

  const ofConnector = (organisationId: string, chargePointId: string, connectorId: number, page: Page) =>
    slice(
      all()
        .where("organisationId", "=", organisationId)
        .where("chargePointId", "=", chargePointId)
        .where("connectorId", "=", connectorId),
      oldestFirst,
      page,
    )

  /** Each connector's readings lie in order, those of a whole charge point do not: they are merged. */
  async function ofChargePoint(
    organisationId: string,
    chargePointId: string,
    page: Page,
  ): Promise<Slice<MeterValueRow>> {
    const connectorIds = await connectorsWithReadings(chargePointId)
    const slices = connectorIds.map((connectorId) => ofConnector(organisationId, chargePointId, connectorId, page))
    return mergeSlices(await Promise.all(slices), oldestFirst, page)
  }

  return {
    meterValues(organisationId, of, page) {
      if ("transactionId" in of) {
        const found = all().where("organisationId", "=", organisationId).where("transactionId", "=", of.transactionId)
        return slice(found, oldestFirst, page)
      }
      return of.connectorId === undefined
        ? ofChargePoint(organisationId, of.chargePointId, page)
        : ofConnector(organisationId, of.chargePointId, of.connectorId, page)
    },

    meterValuesOfEach: (transactionIds, page) => sliceOfEach(source, ofTransaction, transactionIds, [], page),

    async latestMeterValuesOf(chargePointIds, perConnector = LATEST) {
      const given =
        engine === "postgres"
          ? sql`select g as charge_point_id from unnest(${chargePointIds}::text[]) as g`
          : sql`select value as charge_point_id from json_each(${JSON.stringify(chargePointIds)})`
      const newest = (selected: RawBuilder<unknown>) => sql`select ${selected} from meter_values n
        where n.charge_point_id = c.charge_point_id and n.connector_id = c.id order by n.at desc, n.digest desc limit ${perConnector}`
      // Each engine goes through the index for one of these; the other's way would have it read the whole table.
      const joined =
        engine === "postgres"
          ? sql`cross join lateral (${newest(sql.raw("*"))}) m`
          : sql`join meter_values m on m.id in (${newest(sql.raw("n.id"))})`
      const { rows } = await sql<MeterValueRow>`with recursive given as (${given}), c(charge_point_id, id) as (
          select charge_point_id, (select min(connector_id) from meter_values where charge_point_id = given.charge_point_id) from given
          union all select charge_point_id, (select min(connector_id) from meter_values where charge_point_id = c.charge_point_id and connector_id > c.id)
          from c where c.id is not null
        ) select ${columns} from c ${joined}
        where c.id is not null order by m.charge_point_id, m.connector_id, m.at desc, m.digest desc`.execute(db)
      return rows
    },

    async meterValuesByRefs(refs) {
      if (refs.length === 0) return []
      const { rows } = await sql<MeterValueRow>`select ${columns} from ${wanted(refs)} join meter_values m
        on m.charge_point_id = k.charge_point_id and m.connector_id = k.connector_id and m.at = k.at and m.digest = k.digest`.execute(
        db,
      )
      return rows
    },
  }

  function wanted(refs: readonly MeterValueKey[]): RawBuilder<unknown> {
    if (engine === "postgres")
      return sql`unnest(${refs.map((ref) => ref.chargePointId)}::text[], ${refs.map((ref) => ref.connectorId)}::bigint[],
        ${refs.map((ref) => ref.at)}::bigint[], ${refs.map((ref) => ref.digest)}::text[]) as k(charge_point_id, connector_id, at, digest)`
    const keys = refs.map((ref) => [ref.chargePointId, ref.connectorId, ref.at, ref.digest])
    return sql`(select value ->> 0 as charge_point_id, value ->> 1 as connector_id, value ->> 2 as at, value ->> 3 as digest
      from json_each(${JSON.stringify(keys)})) as k`
  }
}
