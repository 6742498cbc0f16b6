/** The words in which migrations say what a table is like, on either engine. */
import { type CreateTableBuilder, type SqlBool, sql, type Transaction } from "kysely"
import type { EngineName } from "../session.ts"

/** A column: text or number, `?` where null is allowed. */
export type Column = "text" | "text?" | "integer" | "integer?" | "real" | "real?" | "flag"
export type Builder = CreateTableBuilder<string, string>

/** The column has one of these words. */
export const oneOf = (column: string, words: readonly string[]) =>
  sql<SqlBool>`${sql.ref(column)} in (${sql.join(words.map((word) => sql.lit(word)))})`

const oneOfFlags = (column: string) => sql`${sql.ref(column)} in (0, 1)`

/** What makes tables, columns and indexes within a migration's transaction. */
export function definitions(db: Transaction<unknown>, engine: EngineName) {
  // Text compares by its bytes on both engines, so that lists and cursors have one order.
  const types = {
    text: engine === "postgres" ? sql`text collate "C"` : sql`text`,
    integer: engine === "postgres" ? sql`bigint` : sql`integer`,
    real: engine === "postgres" ? sql`double precision` : sql`real`,
  }
  const kindOf = (column: Column) =>
    column.startsWith("text") ? types.text : column.startsWith("real") ? types.real : types.integer

  const table = async (name: string, columns: Record<string, Column>, more: (builder: Builder) => Builder) => {
    let builder: Builder = db.schema.createTable(name)
    for (const [column, kind] of Object.entries(columns)) {
      builder = builder.addColumn(column, kindOf(kind), (definition) =>
        kind.endsWith("?") ? definition : definition.notNull(),
      )
      if (kind === "flag") builder = builder.addCheckConstraint(`${name}_${column}`, oneOfFlags(column))
    }
    builder = more(builder)
    await (engine === "sqlite" ? builder.modifyEnd(sql`strict`) : builder).execute()
  }

  /** A table that numbers its rows itself, growing, and never gives a number twice. */
  const numbered = async (name: string, columns: Record<string, Column>) => {
    const id = engine === "postgres" ? sql`bigint generated always as identity` : sql`integer`
    let builder: Builder = db.schema.createTable(name)
    builder = builder.addColumn("id", id, (definition) =>
      engine === "sqlite" ? definition.primaryKey().autoIncrement() : definition.primaryKey(),
    )
    for (const [column, kind] of Object.entries(columns))
      builder = builder.addColumn(column, kindOf(kind), (definition) =>
        kind.endsWith("?") ? definition : definition.notNull(),
      )
    await (engine === "sqlite" ? builder.modifyEnd(sql`strict`) : builder).execute()
  }

  const index = (name: string, on: string, columns: readonly string[]) =>
    db.schema
      .createIndex(name)
      .on(on)
      .columns([...columns])
  const unique = (name: string, on: string, columns: readonly string[]) => index(name, on, columns).unique().execute()

  /** Another column of a table that is there. */
  const addColumn = (name: string, column: string, kind: Column) =>
    db.schema
      .alterTable(name)
      .addColumn(column, kindOf(kind), (definition) => (kind.endsWith("?") ? definition : definition.notNull()))
      .execute()

  return { table, numbered, index, unique, addColumn }
}
