/**
 * The statements about readings. PostgreSQL keeps their lists, by connector and by transaction, as indexes; SQLite as
 * tables in which many are entered at a time (migration 0011). What is not entered yet is named by the subject's row.
 */
import type { MeterValueKey } from "../facts/facts.ts"
import type { MeterValueRow } from "../facts/rows.ts"
import { insert, prune, type Statement, selectBy } from "./statements.ts"
import { columnOf, fieldsOf, meterValues } from "./tables.ts"

const keyFields = ["chargePointId", "connectorId", "at", "digest"] as const
const fields = fieldsOf(meterValues)
const key = keyFields.map((field) => `m."${columnOf(field)}" AS "${field}"`).join(", ")
const row = fields.map((field) => `m."${columnOf(field)}" AS "${field}"`).join(", ")

/** Stores readings that are known not to be stored: with PostgreSQL it costs much to have the table look again. */
export const addReadings: Statement<never> = { name: "add readings", ...insert(meterValues, "") }

/** The id of the reading stored last; those stored with it have the ids before. Parameters: one, of any value. */
export const lastReadingId: Statement<{ id: number }> = {
  name: "last reading id",
  sqlite: "SELECT seq AS id FROM sqlite_sequence WHERE name = 'meter_values' AND ? IS NOT NULL",
  postgres: null,
  flags: [],
}

/** Which of these readings are stored and listed. Parameters: as `keyFields`. */
export const selectListed: Statement<MeterValueKey> = {
  ...selectBy<MeterValueRow>(meterValues, keyFields, "", keyFields),
  sqlite: `SELECT ${key} FROM meter_values_by_connector m WHERE charge_point_id = ? AND connector_id = ? AND at = ? AND digest = ?`,
}

/** The keys of readings that are stored and not listed. Parameters: id. */
export const selectUnlisted: Statement<MeterValueKey> = {
  name: "select unlisted",
  sqlite: `SELECT ${key} FROM meter_values m WHERE id = ?`,
  postgres: null,
  flags: [],
}

/** All readings of transactions. Parameters: transactionId. */
export const selectOfTransaction: Statement<MeterValueRow> = {
  ...selectBy(meterValues, ["transactionId"]),
  sqlite: `SELECT ${row} FROM meter_values_by_transaction l JOIN meter_values m ON m.id = l.meter_value_id WHERE l.transaction_id = ?1
    UNION ALL SELECT ${row} FROM transactions t
      JOIN subjects s ON s.subject = 'charge-point:' || t.charge_point_id
      JOIN json_each(s.readings, '$.unlisted') u JOIN meter_values m ON m.id = u.value
      WHERE t.transaction_id = ?1 AND m.transaction_id = ?1`,
}

/** Enters readings in their lists. Parameters: their ids, as a JSON list. */
export const listReadings: readonly Statement<never>[] = [
  {
    name: "list readings by connector",
    sqlite: `INSERT INTO meter_values_by_connector (charge_point_id, connector_id, at, digest, meter_value_id)
      SELECT m.charge_point_id, m.connector_id, m.at, m.digest, m.id FROM json_each(?) u JOIN meter_values m ON m.id = u.value
      WHERE true ON CONFLICT DO NOTHING`,
    postgres: null,
    flags: [],
  },
  {
    name: "list readings by transaction",
    sqlite: `INSERT INTO meter_values_by_transaction (transaction_id, at, connector_id, digest, meter_value_id)
      SELECT m.transaction_id, m.at, m.connector_id, m.digest, m.id FROM json_each(?) u JOIN meter_values m ON m.id = u.value
      WHERE m.transaction_id IS NOT NULL ON CONFLICT DO NOTHING`,
    postgres: null,
    flags: [],
  },
]

export const pruneMeterValues = prune("meter_values", "received_at")

/** Takes out of the lists what `pruneMeterValues` is about to delete. Parameters: the same. */
export const unlistOldest: readonly Statement<never>[] = [
  unlist("meter_values_by_connector", "charge_point_id, connector_id, at, digest"),
  unlist("meter_values_by_transaction", "transaction_id, at, connector_id, digest"),
]

function unlist(list: string, keyColumns: string): Statement<never> {
  return {
    name: `prune ${list}`,
    sqlite: `DELETE FROM ${list} WHERE (${keyColumns}) IN (SELECT ${keyColumns} FROM meter_values
      WHERE received_at < ?1 AND id IN (SELECT id FROM meter_values ORDER BY id LIMIT ?2))`,
    postgres: null,
    flags: [],
  }
}
