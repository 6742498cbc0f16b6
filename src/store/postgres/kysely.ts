/** Kysely over `pg`. */
import { PostgresDialect } from "kysely"
import type pg from "pg"
import { StoreUnavailable } from "../../services/ports.ts"
import { encodeText } from "../tables.ts"
import { judge } from "./connection.ts"

/** What `act` gives. @throws StoreUnavailable where PostgreSQL cannot be used */
export async function reporting<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    throw judge(cause) !== "unavailable" ? cause : new StoreUnavailable("PostgreSQL cannot be used", { cause })
  }
}

/** What is asked for is written as what is stored: a NUL, which PostgreSQL refuses, finds what was stored in its place. */
function parameterOf(value: unknown): unknown {
  if (typeof value === "string") return encodeText(value)
  return Array.isArray(value) ? value.map(parameterOf) : value
}

/** The client, with queries whose errors may be StoreUnavailable. */
function reportingClient(client: pg.PoolClient): pg.PoolClient {
  const query = (text: string, parameters: unknown[]) =>
    reporting(() => client.query(text, parameters.map(parameterOf)))
  return new Proxy(client, {
    get: (_, property) => (property === "query" ? query : Reflect.get(client, property, client)),
  })
}

/** The dialect on a pool, which it ends when it is destroyed. Its errors may be StoreUnavailable. */
export function postgresDialect(pool: pg.Pool): PostgresDialect {
  return new PostgresDialect({
    pool: {
      options: pool.options,
      end: () => pool.end(),
      connect: async () => reportingClient(await reporting(() => pool.connect())),
    },
  })
}
