/** Hot statements on the readers' connections. */
import type pg from "pg"
import type { Ask } from "../reads/source.ts"
import { type Statement, withFlags } from "../statements.ts"
import type { Value } from "../tables.ts"
import { reporting } from "./kysely.ts"
import { arraysOf } from "./parameters.ts"

/** Each connection keeps each of them prepared. */
export const askPostgres =
  (pool: pg.Pool): Ask =>
  async <Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]) => {
    const { name, postgres: text } = statement
    if (text === null || rows.length === 0) return []
    const { rows: found } = await reporting(() => pool.query({ name, text, values: arraysOf(text, rows) }))
    return withFlags(statement, found)
  }
