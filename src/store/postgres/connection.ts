/** How connections to PostgreSQL are opened, and what their errors mean. */
import pg from "pg"
import type { Log } from "../../log.ts"
import { StoreUnavailable } from "../../services/ports.ts"
import type { Verdict } from "../session.ts"

/** int8, which counts, sums and all our integers are, as a number. */
const INT8 = 20

/** A statement that takes longer than this is given up, ms: longer than any that is meant, shorter than a CALL's patience. */
const STATEMENT_TIMEOUT_MS = 10_000

/** Opens no connection yet; `max` may be open at once. */
export function openPool(url: string, name: string, max: number, log: Log): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    // Our questions are short: compiling one takes longer than answering it.
    options: "-c jit=off",
    max,
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
    lock_timeout: STATEMENT_TIMEOUT_MS / 2,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 2000,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === INT8 ? safeNumber : pg.types.getTypeParser(oid, format),
    },
  })
  // A broken connection fails the queries on it and is replaced; this listener keeps it from ending the process.
  pool.on("connect", (client) =>
    client.on("error", (cause) => log.warn({ err: cause }, "a connection to PostgreSQL broke")),
  )
  pool.on("error", () => undefined)
  return pool
}

/** How long a start waits for a server that is still starting, ms. */
const START_PATIENCE_MS = 8_000
const START_RETRY_MS = 200

/**
 * Resolves when the database lets us in. One that is still starting is waited for; one that refuses us will not do
 * otherwise later. @throws StoreUnavailable with what an operator needs to know
 */
export async function untilReachable(url: string): Promise<void> {
  const deadline = performance.now() + START_PATIENCE_MS
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: START_PATIENCE_MS })
    client.on("error", () => undefined)
    try {
      await client.connect()
      return
    } catch (cause) {
      if (!isStarting(cause) || performance.now() > deadline) {
        const { host, pathname } = new URL(url)
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new StoreUnavailable(`PostgreSQL at ${host}${pathname} (DATABASE_URL) cannot be used: ${why}`, { cause })
      }
      await Bun.sleep(START_RETRY_MS)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

/** Nobody listens yet, or the server says that it is starting. */
const isStarting = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "57P03")

function safeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the integers`)
  return value
}

const VERDICTS: Readonly<Record<string, Verdict>> = { "40001": "deadlock", "40P01": "deadlock", "23505": "conflict" }

/**
 * Classes of errors that tell of the server and not of a row: 08 connection, 25 read-only, 28 and 3D no entry,
 * 53 resources (disk full), 55 a lock not to be had, 57 shutdown or a statement that took too long, 58 its own files,
 * XX broken inside.
 */
const OF_THE_SERVER = /^(08|25006|28|3D|53|55|57|58|XX)/

/** What an error of `pg` means. One without a SQLSTATE came from the connection. */
export function judge(cause: unknown): Verdict {
  if (!isOfPg(cause)) return "fault"
  const { code } = cause
  const verdict = VERDICTS[code ?? ""]
  if (verdict !== undefined) return verdict
  return cause instanceof pg.DatabaseError && !OF_THE_SERVER.test(code ?? "XX") ? "fault" : "unavailable"
}

const CONNECTION_FAULT = /connection|timeout|not queryable|terminated|closed/i

function isOfPg(cause: unknown): cause is Error & { code?: string } {
  if (cause instanceof pg.DatabaseError) return true
  if (!(cause instanceof Error)) return false
  return (
    "syscall" in cause ||
    ("code" in cause && /^E[A-Z]+$/.test(String(cause.code))) ||
    CONNECTION_FAULT.test(cause.message)
  )
}
