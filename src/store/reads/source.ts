/** What questions to the facts are asked of, and the condition that many of them share. */
import { CamelCasePlugin, type Dialect, Kysely, type RawBuilder, sql } from "kysely"
import type { EngineName } from "../session.ts"
import type { Statement } from "../statements.ts"
import type { Schema, Value } from "../tables.ts"

export interface Source {
  readonly db: Kysely<Schema>
  /** For reads of several statements, which would keep short ones waiting. */
  readonly apart: Kysely<Schema>
  readonly engine: EngineName
}

/** Asks a hot statement for these rows of parameters, as a read of its own. @throws StoreUnavailable */
export type Ask = <Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]) => Promise<Result[]>

/** What a store reads from. Within a transaction there is no `ask`, which would look beside it. */
export interface StoreSource extends Source {
  readonly ask: Ask
}

/** Where one connection is all that `db` has, `apart` is another. */
export function sourceOf(dialect: Dialect, engine: EngineName, ask: Ask, apart?: Dialect): StoreSource {
  const open = (over: Dialect) => new Kysely<Schema>({ dialect: over, plugins: [new CamelCasePlugin()] })
  const db = open(dialect)
  return { db, apart: apart === undefined ? db : open(apart), engine, ask }
}

/** The field has one of these values. One parameter whatever their number, so the statement's text stays the same. */
export function among({ engine }: Source, field: string, values: readonly (string | number)[]): RawBuilder<boolean> {
  return engine === "postgres"
    ? sql<boolean>`${sql.ref(field)} = any(${values})`
    : sql<boolean>`${sql.ref(field)} in (select value from json_each(${JSON.stringify(values)}))`
}

/** The field contains this text, whatever the case of its Latin letters. */
export function contains(field: string, text: string): RawBuilder<boolean> {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`
  return sql<boolean>`lower(${sql.ref(field)}) like lower(${pattern}) escape '\\'`
}
