/**
 * The hot statements, prepared by hand: everything a commit group runs. Each is written for both engines and its text
 * never varies with the group's size, so that it is parsed and planned once: SQLite runs it once per row of parameters,
 * PostgreSQL once for all rows, given as one array per column. Questions of readers are Kysely's, but for the few that
 * every request asks; see `reads/`.
 */
import type { IdTagKey, NextStartKey } from "../facts/facts.ts"
import { columnOf, fieldsOf, type Kind, type SubjectRow, type Table } from "./tables.ts"

/** A statement with one text per engine; `Result` is the shape of its rows. */
export interface Statement<Result> {
  /** Under this name PostgreSQL keeps it prepared. */
  readonly name: string
  /** Parameters are `?`, one row of them; null: nothing to do on SQLite. */
  readonly sqlite: string | null
  /** Parameters are `$1`, `$2`, …: an array per column; null: nothing to do on PostgreSQL. */
  readonly postgres: string | null
  /** The fields of a result that are flags. */
  readonly flags: readonly string[]
  /** Never set; carries the type. */
  readonly result?: Result
}

/** The statement's rows with their flags as booleans; changes them in place. */
export function withFlags<Result>(statement: Statement<Result>, rows: Result[]): Result[]
export function withFlags({ flags }: Statement<unknown>, rows: Record<string, unknown>[]): unknown[] {
  if (flags.length > 0) for (const row of rows) for (const flag of flags) row[flag] = row[flag] === 1
  return rows
}

const arrayOf: Record<Kind, string> = {
  text: "text[]",
  integer: "bigint[]",
  real: "double precision[]",
  flag: "bigint[]",
}

const parameters = (kinds: readonly Kind[]): string =>
  kinds.map((kind, index) => `$${index + 1}::${arrayOf[kind]}`).join(", ")

const list = (fields: readonly string[], prefix = ""): string =>
  fields.map((field) => `${prefix}"${columnOf(field)}"`).join(", ")

function flagsOf(table: { columns: Record<string, Kind> }): string[] {
  return Object.keys(table.columns).filter((field) => table.columns[field] === "flag")
}

/** Rows whose fields `by` have the given values, if `where` holds for them too. */
export function selectBy<Row>(
  table: Table<Row>,
  by: readonly (keyof Row & string)[],
  where = "",
  fields: readonly (keyof Row & string)[] = fieldsOf(table),
): Statement<Row> {
  const selected = fields.map((field) => `t."${columnOf(field)}" AS "${field}"`).join(", ")
  const condition = where === "" ? "" : ` AND ${where}`
  const kinds = by.map((field) => table.columns[field])
  return {
    name: `select ${table.name} by ${by.join()}${fields.length === 1 ? ` ${fields[0]}` : ""}`,
    sqlite: `SELECT ${selected} FROM ${table.name} t WHERE ${by.map((field) => `t."${columnOf(field)}" = ?`).join(" AND ")}${condition}`,
    postgres: `SELECT ${selected} FROM unnest(${parameters(kinds)}) AS k(${list(by)}) JOIN ${table.name} t ON ${by
      .map((field) => `t."${columnOf(field)}" = k."${columnOf(field)}"`)
      .join(" AND ")}${condition}`,
    flags: flagsOf(table),
  }
}

/** The one row whose field has the given value, for a reader that wants no other. */
export function selectOne<Row>(table: Table<Row>, by: keyof Row & string): Statement<Row> {
  const { sqlite, flags } = selectBy(table, [by])
  const selected = fieldsOf(table).map((field) => `t."${columnOf(field)}" AS "${field}"`)
  return {
    name: `select one ${table.name} by ${by}`,
    sqlite,
    postgres: `SELECT ${selected.join(", ")} FROM ${table.name} t WHERE t."${columnOf(by)}" = ($1::${arrayOf[table.columns[by]]})[1]`,
    flags,
  }
}

/**
 * A parameter beside an ORDER BY or a min(): SQLite plans the statement anew for every value that a column is compared
 * with there, which costs more than to run it; not so for what it takes for an expression.
 */
const unpeeked = (parameter: string, kind: Kind): string =>
  `CAST(${parameter} AS ${kind === "text" ? "TEXT" : kind === "real" ? "REAL" : "INTEGER"})`

/** The same, but of each key only the rows that come last in an order that an index keeps. */
export function selectLastBy<Row>(
  table: Table<Row>,
  by: readonly (keyof Row & string)[],
  where: string,
  order: readonly (keyof Row & string)[],
  limit: number,
): Statement<Row> {
  const fields = fieldsOf(table)
  const selected = fields.map((field) => `t."${columnOf(field)}" AS "${field}"`).join(", ")
  const kinds = by.map((field) => table.columns[field])
  const last = (key: (field: keyof Row & string) => string) =>
    `SELECT ${selected} FROM ${table.name} t WHERE ${by.map((field) => `t."${columnOf(field)}" = ${key(field)}`).join(" AND ")} AND ${where} ORDER BY ${order.map((field) => `t."${columnOf(field)}" DESC`).join(", ")} LIMIT ${limit}`
  return {
    name: `select last ${table.name} by ${by.join()}`,
    sqlite: last((field) => unpeeked("?", table.columns[field])),
    postgres: `SELECT l.* FROM unnest(${parameters(kinds)}) AS k(${list(by)}) CROSS JOIN LATERAL (${last((field) => `k."${columnOf(field)}"`)}) l`,
    flags: flagsOf(table),
  }
}

/** Inserts rows; `onConflict` is the clause for those that are there. */
export function insert<Row>(
  table: Table<Row>,
  onConflict: string,
): Pick<Statement<never>, "sqlite" | "postgres" | "flags"> {
  const fields = fieldsOf(table)
  const kinds = fields.map((field) => table.columns[field])
  const into = `INSERT INTO ${table.name} (${list(fields)})`
  return {
    sqlite: `${into} VALUES (${fields.map(() => "?").join(", ")}) ${onConflict}`,
    postgres: `${into} SELECT * FROM unnest(${parameters(kinds)}) ${onConflict}`,
    flags: [],
  }
}

/** Inserts rows, or replaces those whose key is there. */
export function upsert<Row>(table: Table<Row>): Statement<never> {
  const others = fieldsOf(table).filter((field) => !table.key.includes(field))
  const set = others.map((field) => `"${columnOf(field)}" = excluded."${columnOf(field)}"`).join(", ")
  return { name: `upsert ${table.name}`, ...insert(table, `ON CONFLICT (${list(table.key)}) DO UPDATE SET ${set}`) }
}

/** Short for which of a table's fields these are: PostgreSQL cuts off names of statements after 63 characters. */
function nameOf<Row>(table: Table<Row>, fields: readonly (keyof Row & string)[]): string {
  return fieldsOf(table)
    .reduce((sum, field, index) => sum + (fields.includes(field) ? 2 ** index : 0), 0)
    .toString(36)
}

/**
 * Writes some fields of rows that are there; what an index holds of the others is not touched. Parameters: the fields in
 * their order, then the key.
 */
export function update<Row>(table: Table<Row>, fields: readonly (keyof Row & string)[]): Statement<never> {
  const kinds = [...fields, ...table.key].map((field) => table.columns[field])
  const set = (value: (field: string) => string) =>
    fields.map((field) => `"${columnOf(field)}" = ${value(field)}`).join(", ")
  const where = (value: (field: string) => string) =>
    table.key.map((field) => `t."${columnOf(field)}" = ${value(field)}`).join(" AND ")
  return {
    name: `update ${table.name} ${nameOf(table, fields)}`,
    sqlite: `UPDATE ${table.name} AS t SET ${set(() => "?")} WHERE ${where(() => "?")}`,
    postgres: `UPDATE ${table.name} t SET ${set((field) => `k."${columnOf(field)}"`)} FROM unnest(${parameters(kinds)}) AS k(${list([...fields, ...table.key])}) WHERE ${where((field) => `k."${columnOf(field)}"`)}`,
    flags: [],
  }
}

/** Inserts rows whose key is not there yet. */
export function add<Row>(table: Table<Row>): Statement<never> {
  return { name: `add ${table.name}`, ...insert(table, `ON CONFLICT (${list(table.key)}) DO NOTHING`) }
}

/** Deletes by key. */
export function remove<Row>(table: Table<Row>): Statement<never> {
  const kinds = table.key.map((field) => table.columns[field])
  return {
    name: `remove ${table.name}`,
    sqlite: `DELETE FROM ${table.name} WHERE ${table.key.map((field) => `"${columnOf(field)}" = ?`).join(" AND ")}`,
    postgres: `DELETE FROM ${table.name} t USING unnest(${parameters(kinds)}) AS k(${list(table.key)}) WHERE ${table.key
      .map((field) => `t."${columnOf(field)}" = k."${columnOf(field)}"`)
      .join(" AND ")}`,
    flags: [],
  }
}

/** Makes sure that the subjects have rows, so that these can be locked. SQLite locks the whole database instead. */
export const openSubjects: Statement<never> = {
  name: "open subjects",
  sqlite: null,
  postgres: "INSERT INTO subjects (subject, version) SELECT s, 0 FROM unnest($1::text[]) s ON CONFLICT DO NOTHING",
  flags: [],
}

const SUBJECT = `subject, organisation_id AS "organisationId", version, journal_id AS "journalId", readings`

/** The subjects, locked in key order until the transaction ends. */
export const lockSubjects: Statement<SubjectRow> = {
  name: "lock subjects",
  sqlite: `SELECT ${SUBJECT} FROM subjects WHERE subject = ?`,
  postgres: `SELECT ${SUBJECT} FROM subjects WHERE subject = ANY($1::text[]) ORDER BY subject FOR UPDATE`,
  flags: [],
}

/** Parameters: at, events, previous. On PostgreSQL `tellSubjects` does this and what follows. */
export const addJournal: Statement<{ id: number }> = {
  name: "add journal",
  sqlite: "INSERT INTO journal (at, events, previous) VALUES (?, ?, ?) RETURNING id",
  postgres: null,
  flags: [],
}

/** Notes that the journal row just added is not published yet. Parameters: one, of any value. */
export const addUnpublished: Statement<never> = {
  name: "add unpublished",
  sqlite: "INSERT INTO unpublished (id) SELECT max(id) FROM journal WHERE ? IS NOT NULL",
  postgres: null,
  flags: [],
}

/**
 * Moves subjects on to the journal row just added. Parameters: subject, organisationId, version, readings (null: as they
 * were).
 */
export const advanceSubjects: Statement<never> = {
  name: "advance subjects",
  sqlite: `INSERT INTO subjects (subject, organisation_id, version, readings, journal_id) VALUES (?, ?, ?, ?, (SELECT max(id) FROM journal))
    ON CONFLICT (subject) DO UPDATE SET organisation_id = excluded.organisation_id, version = excluded.version,
      readings = coalesce(excluded.readings, subjects.readings), journal_id = excluded.journal_id`,
  postgres: null,
  flags: [],
}

/**
 * The three before it in one: to PostgreSQL each statement is a message, and so is its answer. Parameters: as theirs;
 * those of the journal row only count in the first row.
 */
export const tellSubjects: Statement<{ id: number }> = {
  name: "tell subjects",
  sqlite: null,
  postgres: `WITH told AS (INSERT INTO journal (at, events, previous)
      VALUES (($1::bigint[])[1], ($2::text[])[1], ($3::text[])[1]) RETURNING id),
    noted AS (INSERT INTO unpublished (id) SELECT id FROM told),
    advanced AS (UPDATE subjects SET organisation_id = k.organisation_id, version = k.version,
      readings = coalesce(k.readings, subjects.readings), journal_id = told.id
      FROM told, unnest($4::text[], $5::text[], $6::bigint[], $7::text[]) AS k(subject, organisation_id, version, readings)
      WHERE subjects.subject = k.subject)
    SELECT id FROM told`,
  flags: [],
}

/** One row of parameters (any value) for each transactionId wanted. */
export const takeTransactionIds: Statement<{ transactionId: number }> = {
  name: "take transaction ids",
  sqlite: `UPDATE counters SET value = value + 1 WHERE name = 'transactionId' AND ? IS NOT NULL RETURNING value AS "transactionId"`,
  postgres: `SELECT nextval('transaction_ids') AS "transactionId" FROM unnest($1::bigint[])`,
  flags: [],
}

/** One row of parameters (any value) for each reservationId wanted. */
export const takeReservationIds: Statement<{ reservationId: number }> = {
  name: "take reservation ids",
  sqlite: `UPDATE counters SET value = value + 1 WHERE name = 'reservationId' AND ? IS NOT NULL RETURNING value AS "reservationId"`,
  postgres: `SELECT nextval('reservation_ids') AS "reservationId" FROM unnest($1::bigint[])`,
  flags: [],
}

/** Locks idTags in key order, so that two nodes cannot both count up to a limit. Parameters: organisationId, idTagKey. */
export const lockIdTags: Statement<never> = {
  name: "lock id tags",
  sqlite: null,
  postgres: `SELECT 1 FROM id_tags t JOIN unnest($1::text[], $2::text[]) AS k(organisation_id, id_tag_key)
    ON t.organisation_id = k.organisation_id AND t.id_tag_key = k.id_tag_key ORDER BY t.organisation_id, t.id_tag_key FOR UPDATE OF t`,
  flags: [],
}

/** How many transactions are Active on idTags; those with none may be left out. Parameters: organisationId, idTagKey. */
export const countActive: Statement<IdTagKey & { active: number }> = {
  name: "count active",
  sqlite: `SELECT organisation_id AS "organisationId", id_tag_key AS "idTagKey", count(*) AS active FROM transactions
    WHERE organisation_id = ? AND id_tag_key = ? AND state = 'Active' GROUP BY organisation_id, id_tag_key`,
  postgres: `SELECT t.organisation_id AS "organisationId", t.id_tag_key AS "idTagKey", count(*) AS active FROM transactions t
    JOIN unnest($1::text[], $2::text[]) AS k(organisation_id, id_tag_key) ON t.organisation_id = k.organisation_id AND t.id_tag_key = k.id_tag_key
    WHERE t.state = 'Active' GROUP BY t.organisation_id, t.id_tag_key`,
  flags: [],
}

/**
 * The earliest later start on a connector, whatever became of it: the first of the charge point's that is on it.
 * Parameters: chargePointId, connectorId, startedAt.
 */
export const selectNextStarts: Statement<NextStartKey & { next: number | null }> = {
  name: "select next starts",
  sqlite: `SELECT ?1 AS "chargePointId", ?2 AS "connectorId", ?3 AS "startedAt", (SELECT started_at FROM transactions
    WHERE charge_point_id = ${unpeeked("?1", "text")} AND started_at > ?3 AND connector_id = ${unpeeked("?2", "integer")}
    ORDER BY started_at LIMIT 1) AS next`,
  postgres: `SELECT k.charge_point_id AS "chargePointId", k.connector_id AS "connectorId", k.started_at AS "startedAt",
    (SELECT t.started_at FROM transactions t WHERE t.charge_point_id = k.charge_point_id
      AND t.started_at > k.started_at AND t.connector_id = k.connector_id ORDER BY t.started_at LIMIT 1) AS next
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS k(charge_point_id, connector_id, started_at)`,
  flags: [],
}

/** Keeps the newest power of a transaction. Parameters: as the table's columns. */
export const keepPowers: Statement<never> = {
  name: "keep powers",
  sqlite: `INSERT INTO running_powers (transaction_id, organisation_id, at, power_w) VALUES (?, ?, ?, ?)
    ON CONFLICT (transaction_id) DO UPDATE SET at = excluded.at, power_w = excluded.power_w WHERE excluded.at >= running_powers.at`,
  postgres: `INSERT INTO running_powers (transaction_id, organisation_id, at, power_w)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::double precision[])
    ON CONFLICT (transaction_id) DO UPDATE SET at = excluded.at, power_w = excluded.power_w WHERE excluded.at >= running_powers.at`,
  flags: [],
}

const deviationConflict = `ON CONFLICT (charge_point_id, kind, place) DO UPDATE SET count = deviations.count + excluded.count,
  example = excluded.example,
  first_at = CASE WHEN excluded.first_at < deviations.first_at THEN excluded.first_at ELSE deviations.first_at END,
  last_at = CASE WHEN excluded.last_at > deviations.last_at THEN excluded.last_at ELSE deviations.last_at END`

/** Adds counts to a table of deviations. Parameters: as its columns. */
export function addCounts<Row>(table: Table<Row>): Statement<never> {
  return { name: "add deviations", ...insert(table, deviationConflict) }
}

/** Appends rows to a table that numbers them itself, in their order; gives the numbers. Parameters: as its columns. */
export function append<Row>(table: Table<Row>): Statement<{ id: number }> {
  return { name: `append ${table.name}`, ...insert(table, "RETURNING id") }
}

/** Gives the ids of those that were not marked before. Parameters: id. */
export const markPublished: Statement<{ id: number }> = {
  name: "mark published",
  sqlite: "DELETE FROM unpublished WHERE id = ? RETURNING id",
  postgres: "DELETE FROM unpublished WHERE id = ANY($1::bigint[]) RETURNING id",
  flags: [],
}

/** Gives the setting's key back where it had the value. Parameters: key, the value before, the value from now on. */
export const moveSetting: Statement<{ key: string }> = {
  name: "move setting",
  sqlite: "UPDATE settings SET value = ?3 WHERE key = ?1 AND value = ?2 RETURNING key",
  postgres:
    "UPDATE settings SET value = ($3::text[])[1] WHERE key = ($1::text[])[1] AND value = ($2::text[])[1] RETURNING key",
  flags: [],
}

/** Parameters: key, value. */
export const putSetting: Statement<never> = {
  name: "put setting",
  sqlite: "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  postgres:
    "INSERT INTO settings (key, value) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  flags: [],
}

/** Parameters: key, value. The update that changes nothing makes the row that was there come back too. */
export const settleSetting: Statement<{ value: string }> = {
  name: "settle setting",
  sqlite:
    "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value",
  postgres:
    "INSERT INTO settings (key, value) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value",
  flags: [],
}

/**
 * Deletes from a table's oldest rows those recorded before an instant. Its ids grow with the instants of recording, so
 * no index by instant is needed. Parameters: the instant, and how many of the oldest to look at.
 */
export function prune(table: string, recordedAt: string, besides = ""): Statement<{ id: number }> {
  const oldest = (limit: string): string => `(SELECT id FROM ${table} ORDER BY id LIMIT ${limit})${besides}`
  return {
    name: `prune ${table}`,
    sqlite: `DELETE FROM ${table} WHERE ${recordedAt} < ?1 AND id IN ${oldest("?2")} RETURNING id`,
    postgres: `DELETE FROM ${table} WHERE ${recordedAt} < ($1::bigint[])[1] AND id IN ${oldest("($2::bigint[])[1]")} RETURNING id`,
    flags: [],
  }
}

export const pruneMessages = prune("messages", "at")
/** Never the newest row, from which SQLite counts on: no number is given twice. */
export const pruneJournal = prune("journal", "at", " AND id < (SELECT max(id) FROM journal)")
