/** Hot statements on a connection that only reads. */
import type { Database } from "bun:sqlite"
import type { Ask } from "../reads/source.ts"
import { type Statement, withFlags } from "../statements.ts"
import type { Value } from "../tables.ts"
import { reporting } from "./kysely.ts"

/** The connection keeps each of them prepared. */
export const askSqlite =
  (db: Database): Ask =>
  async <Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]) => {
    const { sqlite: text } = statement
    if (text === null) return []
    return reporting(() => {
      const prepared = db.query<Result, Value[]>(text)
      return withFlags(
        statement,
        rows.flatMap((values) => prepared.all(...values)),
      )
    })
  }
