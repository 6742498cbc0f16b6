/** The store: the facts and their journal in SQL. SQLite in a folder, or PostgreSQL; one port, one set of tables. */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { type Dialect, Kysely } from "kysely"
import { Closing } from "../closing.ts"
import { changes } from "../facts/changes/index.ts"
import type { Log } from "../log.ts"
import type { Store } from "../services/ports.ts"
import { migrate } from "./migrations/index.ts"
import { askPostgres } from "./postgres/ask.ts"
import { openPool, untilReachable } from "./postgres/connection.ts"
import { postgresDialect } from "./postgres/kysely.ts"
import { PostgresWriter } from "./postgres/writer.ts"
import { sourceOf } from "./reads/source.ts"
import type { EngineName } from "./session.ts"
import { askSqlite } from "./sqlite/ask.ts"
import { openForReading, openForWriting } from "./sqlite/engine.ts"
import { sqliteDialect } from "./sqlite/kysely.ts"
import { lockDatabase } from "./sqlite/lock.ts"
import { SqliteWriter } from "./sqlite/writer.ts"
import { SqlStore } from "./store.ts"

export interface StoreOptions {
  /** `postgres://…`; left out: SQLite, the file `busbar.sqlite` in `dataDir`. */
  url?: string | undefined
  dataDir: string
  log: Log
  /** Epoch ms. */
  now: () => number
}

const READ_CONNECTIONS = 4

/**
 * Opens the store and brings its tables up to this version.
 * @throws StoreUnavailable, DataFolderInUse, NewerDatabase
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const closing = new Closing(options.log)
  try {
    return options.url === undefined
      ? await openSqlite(options, closing)
      : await openPostgres({ ...options, url: options.url }, closing)
  } catch (cause) {
    await closing.run()
    throw cause
  }
}

async function openSqlite({ dataDir, log, now }: StoreOptions, closing: Closing): Promise<Store> {
  await mkdir(dataDir, { recursive: true })
  const path = join(dataDir, "busbar.sqlite")
  const lock = lockDatabase(path)
  closing.step("lock", () => lock[Symbol.dispose]())
  await bringUp(sqliteDialect(openForWriting(path)), "sqlite", now, log)
  const start = () => new Worker(new URL("./sqlite/worker.ts", import.meta.url))
  const writer = closing.add("writer", await SqliteWriter.open(path, start, log))
  const reader = openForReading(path)
  const apart = sqliteDialect(openForReading(path))
  const source = sourceOf(sqliteDialect(reader), "sqlite", askSqlite(reader), apart)
  closing.step("reads", () => source.db.destroy())
  closing.step("reads apart", () => source.apart.destroy())
  return new SqlStore(source, writer, closing, log, now)
}

async function openPostgres({ url, log, now }: StoreOptions & { url: string }, closing: Closing): Promise<Store> {
  await untilReachable(url)
  await bringUp(postgresDialect(openPool(url, "busbar migrations", 1, log)), "postgres", now, log)
  const writer = closing.add("writer", new PostgresWriter(url, changes, log))
  const readers = openPool(url, "busbar reads", READ_CONNECTIONS, log)
  const source = sourceOf(postgresDialect(readers), "postgres", askPostgres(readers))
  closing.step("reads", () => source.db.destroy())
  return new SqlStore(source, writer, closing, log, now)
}

/** Migrates over a connection of its own. */
async function bringUp(dialect: Dialect, engine: EngineName, now: () => number, log: Log): Promise<void> {
  await using db = new Kysely<unknown>({ dialect })
  const migrated = await migrate(db, engine, now())
  if (migrated.length > 0) log.info({ migrations: migrated }, "the database was brought up to this version")
}
