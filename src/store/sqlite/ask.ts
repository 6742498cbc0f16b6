/** Hot statements on a connection that only reads. */
import type { Database } from "bun:sqlite"
import type { Ask } from "../reads/source.ts"
import { type Statement, withFlags } from "../statements.ts"
import type { Value } from "../tables.ts"
import { reporting } from "./kysely.ts"

/** The connection keeps each of them prepared. */
export const askSqlite =
  (db: Database): Ask =>
  async <Result>(statement: Statement<Result>, values: readonly Value[]) => {
    const { sqlite: text } = statement
    return text === null ? [] : reporting(() => withFlags(statement, db.query<Result, Value[]>(text).all(...values)))
  }
