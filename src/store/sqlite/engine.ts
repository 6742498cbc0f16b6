/** Transactions on SQLite; meant for a thread of its own, because each call waits for the disk. */
import { Database, SQLiteError, type Statement as Prepared } from "bun:sqlite"
import type { Engine, Kept, Session, Verdict } from "../session.ts"
import { lockSubjects, type Statement, withFlags } from "../statements.ts"
import { SUBJECTS, type SubjectRow, type Value } from "../tables.ts"
import { KeptRows } from "./kept-rows.ts"

/**
 * How long to wait for a lock that another program (a backup, an operator's shell) holds, ms. Longer than the busiest
 * checkpoint takes, shorter than a charge point waits for its answer.
 */
const BUSY_TIMEOUT_MS = 5000

/** Memory for pages that are changed again and again, KiB. */
const PAGE_CACHE_KIB = 65_536
/** With so many pages in the log the writer itself brings them into the database, should nobody else have; see `writer.ts`. */
const CHECKPOINT_PAGES = 20_000

/** Opens the database for writing. A commit is on disk when it returns: WAL with synchronous FULL. */
export function openForWriting(path: string): Database {
  const db = new Database(path, { create: true, readwrite: true })
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  db.run("PRAGMA journal_mode = WAL")
  db.run("PRAGMA synchronous = FULL")
  db.run("PRAGMA foreign_keys = ON")
  db.run(`PRAGMA cache_size = -${PAGE_CACHE_KIB}`)
  db.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  return db
}

/** Opens a database that a writer has open, for questions only; they never wait for the writer. */
export function openForReading(path: string): Database {
  const db = new Database(path, { readonly: true })
  db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  return db
}

/** Pages of the log, and how many of them are in the database too. */
export interface Checkpoint {
  pages: number
  brought: number
}

/** Brings pages from the log into the database, as many as can be without keeping anybody waiting. */
export function checkpoint(db: Database): Checkpoint {
  const row = db.query<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(PASSIVE)").get()
  return { pages: row?.log ?? 0, brought: row?.checkpointed ?? 0 }
}

/** What the database refuses because of a row; everything else that it says is about itself or the disk. */
const isFault = (code: string | undefined): boolean =>
  code === undefined || /^SQLITE_(CONSTRAINT|ERROR|MISMATCH|RANGE|TOOBIG|MISUSE)/.test(code)

/** Whether an error of SQLite's means that it cannot be reached or written now. */
export const isUnavailable = (cause: unknown): boolean => cause instanceof SQLiteError && !isFault(cause.code)

export class SqliteEngine implements Engine {
  readonly name = "sqlite"
  readonly #db: Database
  readonly #prepared = new Map<string, Prepared<unknown, Value[]>>()
  readonly #kept = new KeptRows()
  readonly #version: Prepared<{ data_version: number }, []>
  /** What SQLite counts the commits of other connections by. */
  #seenVersion = -1

  constructor(db: Database) {
    this.#db = db
    this.#version = db.prepare("PRAGMA data_version")
  }

  async begin(subjects: readonly string[]): Promise<Session> {
    this.#db.run("BEGIN IMMEDIATE")
    const version = this.#version.get()?.data_version ?? -1
    // An operator's shell may have written too.
    if (version !== this.#seenVersion) this.#kept.clear()
    this.#seenVersion = version
    return new SqliteSession(this.#db, this.#subjects(subjects), this.#runRows.bind(this), this.#kept)
  }

  #subjects(subjects: readonly string[]): SubjectRow[] {
    const known: SubjectRow[] = []
    const missing: [string][] = []
    for (const subject of subjects) {
      // Only subjects are kept under this name.
      const row = this.#kept.get(SUBJECTS, subject) as SubjectRow | undefined
      if (row === undefined) missing.push([subject])
      else known.push(row)
    }
    return missing.length === 0 ? known : [...known, ...this.#runRows(lockSubjects, missing)]
  }

  judge(cause: unknown): Verdict {
    return isUnavailable(cause) ? "unavailable" : "fault"
  }

  #runRows<Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]): Result[] {
    if (statement.sqlite === null) return []
    const prepared = this.#prepare<Result>(statement.sqlite)
    const found: Result[] = []
    if (prepared.columnNames.length === 0) for (const row of rows) prepared.run(...row)
    else for (const row of rows) for (const result of prepared.all(...row)) found.push(result)
    return withFlags(statement, found)
  }

  #prepare<Result>(text: string): Prepared<Result, Value[]> {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known as Prepared<Result, Value[]>
    const made = this.#db.prepare<Result, Value[]>(text)
    this.#prepared.set(text, made)
    return made
  }
}

class SqliteSession implements Session {
  readonly subjects: Promise<SubjectRow[]>
  readonly kept: Kept
  readonly #keptRows: KeptRows
  readonly #db: Database
  readonly #runRows: <Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]) => Result[]

  constructor(
    db: Database,
    subjects: SubjectRow[],
    runRows: <Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]) => Result[],
    kept: KeptRows,
  ) {
    this.#db = db
    this.subjects = Promise.resolve(subjects)
    this.#runRows = runRows
    this.kept = kept
    this.#keptRows = kept
  }

  async run<Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]): Promise<Result[]> {
    return this.#runRows(statement, rows)
  }

  async commit(issued: readonly Promise<unknown>[]): Promise<void> {
    await Promise.all(issued)
    this.#db.run("COMMIT")
  }

  async rollback(): Promise<void> {
    // Whether a COMMIT that failed took effect is not known.
    this.#keptRows.clear()
    try {
      if (this.#db.inTransaction) this.#db.run("ROLLBACK")
    } catch (cause) {
      // A disk that fails undoes the transaction by itself, and the next BEGIN tells whether it did.
      if (!(cause instanceof SQLiteError)) throw cause
    }
  }
}
