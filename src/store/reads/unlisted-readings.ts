/**
 * The readings of charge points that stand in no list yet; their ids stand with the charge point's subject. There are
 * such only with SQLite.
 */
import { sql } from "kysely"
import { chargePointSubject } from "../../facts/events.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { EndPage, Page, Reads, Slice } from "../../services/ports.ts"
import { compare, fieldsOf, readingOf, slice, sliceOf } from "../paging.ts"
import { type ReadingName, readingColumns, readingOrder } from "./reading-order.ts"
import type { Source } from "./source.ts"

const NONE: Slice<MeterValueRow> = { rows: [], hasNextPage: false, hasPreviousPage: false }
const UNLISTED = sql.raw("json_each(s.readings, '$.unlisted') u")

export function unlistedReadings({ db, engine }: Source) {
  /** Their ids are asked for among these subjects alone: no other way leads to them quickly. */
  const all = () => db.selectFrom("meterValues as m").select(readingColumns)
  const idsOfSubjects = (chargePointIds: readonly string[]) => sql<number>`(select u.value
    from json_each(${JSON.stringify(chargePointIds.map(chargePointSubject))}) g join subjects s on s.subject = g.value, ${UNLISTED})`
  const idsOfTransactions = (transactionIds: readonly number[]) => sql<number>`(select u.value
    from json_each(${JSON.stringify(transactionIds)}) g join transactions t on t.transaction_id = g.value
    join subjects s on s.subject = 'charge-point:' || t.charge_point_id, ${UNLISTED})`
  const ofTransactions = (transactionIds: readonly number[]) =>
    all()
      .where("m.id", "in", idsOfTransactions(transactionIds))
      .where("m.transactionId", "in", sql<number>`(select value from json_each(${JSON.stringify(transactionIds)}))`)
  const ofChargePoints = (chargePointIds: readonly string[]) => all().where("m.id", "in", idsOfSubjects(chargePointIds))

  return {
    async slice(
      organisationId: string,
      of: Parameters<Reads["meterValues"]>[1],
      page: Page,
    ): Promise<Slice<MeterValueRow>> {
      if (engine === "postgres") return NONE
      const found = "transactionId" in of ? ofTransactions([of.transactionId]) : ofChargePoints([of.chargePointId])
      const its = found.where("m.organisationId", "=", organisationId)
      const narrowed =
        "transactionId" in of || of.connectorId === undefined ? its : its.where("m.connectorId", "=", of.connectorId)
      return slice(narrowed, readingOrder, page, "m")
    },

    /** Only of those that have such readings. */
    async ofEach(transactionIds: readonly number[], page: EndPage): Promise<Map<number, Slice<MeterValueRow>>> {
      if (engine === "postgres") return new Map()
      const rows = await ofTransactions(transactionIds).execute()
      const { direction, limit } = readingOf(readingOrder, page)
      const sign = direction === "asc" ? 1 : -1
      rows.sort((one, other) => sign * compare(one, other, fieldsOf(readingOrder)))
      const slices = new Map<number, Slice<MeterValueRow>>()
      for (const [id, ofIt] of Map.groupBy(rows, ({ transactionId }) => transactionId))
        if (id !== null) slices.set(id, sliceOf(ofIt.slice(0, limit), readingOrder, page))
      return slices
    },

    ofChargePoints: async (chargePointIds: readonly string[]): Promise<MeterValueRow[]> =>
      engine === "postgres" ? [] : ofChargePoints(chargePointIds).execute(),

    async byRefs(refs: readonly ReadingName[]): Promise<MeterValueRow[]> {
      if (engine === "postgres") return []
      const keys = refs.map((ref) => [chargePointSubject(ref.chargePointId), ref.connectorId, ref.at, ref.digest])
      const { rows } = await sql<MeterValueRow>`select ${sql.join(readingColumns.map((column) => sql.ref(column)))}
        from json_each(${JSON.stringify(keys)}) k join subjects s on s.subject = k.value ->> 0, ${UNLISTED}
        join meter_values m on m.id = u.value
        where m.at = k.value ->> 2 and m.connector_id = k.value ->> 1 and m.digest = k.value ->> 3`.execute(db)
      return rows
    },
  }
}
