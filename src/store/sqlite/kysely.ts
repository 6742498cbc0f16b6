/** Kysely over Bun's SQLite. */
import type { Database } from "bun:sqlite"
import { SqliteDialect } from "kysely"
import { StoreUnavailable } from "../../services/ports.ts"
import { encodeText } from "../tables.ts"
import { isUnavailable } from "./engine.ts"

/** What `act` gives. @throws StoreUnavailable where SQLite cannot be used */
export function reporting<Result>(act: () => Result): Result {
  try {
    return act()
  } catch (cause) {
    throw isUnavailable(cause) ? new StoreUnavailable("SQLite cannot be used", { cause }) : cause
  }
}

/** The dialect on an open connection, which it closes when it is destroyed. Its errors may be StoreUnavailable. */
export function sqliteDialect(db: Database): SqliteDialect {
  return new SqliteDialect({
    database: {
      prepare: (text) => {
        const statement = reporting(() => db.query<unknown, (string | number | null)[]>(text))
        const given = (parameters: readonly unknown[]) => parameters.map(parameterOf)
        return {
          reader: statement.columnNames.length > 0,
          all: (parameters) => reporting(() => statement.all(...given(parameters))),
          run: (parameters) => reporting(() => statement.run(...given(parameters))),
          iterate: (parameters) => statement.iterate(...given(parameters)),
        }
      },
      close: () => db.close(),
    },
  })
}

function parameterOf(value: unknown): string | number | null {
  if (typeof value === "string") return encodeText(value)
  if (value === null || typeof value === "number") return value
  throw new TypeError(`SQLite is not given a ${typeof value}`)
}
