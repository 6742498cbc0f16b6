/** The writer for PostgreSQL: a few connections of its own, each with one group's transaction at a time. */
import type pg from "pg"
import type { Log } from "../../log.ts"
import type { Writer } from "../collector.ts"
import { type Changes, Groups, type Settled, type Write } from "../group.ts"
import type { Engine, Session, Verdict } from "../session.ts"
import { lockSubjects, openSubjects, type Statement, withFlags } from "../statements.ts"
import type { SubjectRow, Value } from "../tables.ts"
import { judge, openPool } from "./connection.ts"
import { arraysOf } from "./parameters.ts"

/** While one group waits for the disk, the next ones are loaded and worked on. */
const CONNECTIONS = 3

export class PostgresWriter implements Writer {
  readonly lanes = CONNECTIONS
  readonly worthALane = 1
  readonly #pool: pg.Pool
  readonly #groups: Groups
  #closed?: Promise<void>

  constructor(url: string, changes: Changes, log: Log) {
    this.#pool = openPool(url, "busbar writer", CONNECTIONS, log)
    this.#groups = new Groups(new PostgresEngine(this.#pool), changes)
  }

  /** A subject's writes keep their order; chores of one kind keep theirs. */
  orderedBy(write: Write): readonly string[] {
    const subjects = this.#groups.subjectsOf(write)
    return subjects.length > 0 ? subjects : [write.name]
  }

  settle(writes: readonly Write[], now: number): Promise<Settled> {
    return this.#groups.settle(writes, now)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#pool.end()
    return this.#closed
  }
}

/** Rows of subjects that were there are gone: the database was put back to an older state while this node ran. */
class SubjectsLost extends Error {
  override readonly name = "SubjectsLost"
}

class PostgresEngine implements Engine {
  readonly name = "postgres"
  readonly #pool: pg.Pool
  /** Subjects that have their rows; nobody removes one. */
  readonly #opened = new Set<string>()

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async begin(subjects: readonly string[]): Promise<Session> {
    return new PostgresSession(await this.#pool.connect(), subjects.toSorted(), this.#opened)
  }

  judge(cause: unknown): Verdict {
    return cause instanceof SubjectsLost ? "conflict" : judge(cause)
  }
}

class PostgresSession implements Session {
  readonly subjects: Promise<SubjectRow[]>
  readonly #client: pg.PoolClient
  readonly #begun: Promise<unknown>[]
  readonly #fresh: readonly string[]
  readonly #opened: Set<string>
  #isGathering = false

  /** Begins and locks without waiting for the answers: what the rules load is asked for in the same breath. */
  constructor(client: pg.PoolClient, subjects: readonly string[], opened: Set<string>) {
    this.#client = client
    this.#opened = opened
    this.#fresh = subjects.filter((subject) => !opened.has(subject))
    const begin = this.#query("BEGIN")
    const open = this.run(
      openSubjects,
      this.#fresh.map((subject) => [subject]),
    )
    this.subjects = this.#lock(subjects)
    this.#begun = [begin, open, this.subjects]
    // Looked at by `commit`; until then a failure shows in whatever comes after it.
    for (const promise of this.#begun) promise.catch(() => undefined)
  }

  async #lock(subjects: readonly string[]): Promise<SubjectRow[]> {
    const locked = await this.run(
      lockSubjects,
      subjects.map((subject) => [subject]),
    )
    if (locked.length === subjects.length) return locked
    this.#opened.clear()
    throw new SubjectsLost("subjects have lost their rows")
  }

  async run<Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]): Promise<Result[]> {
    if (rows.length === 0 || statement.postgres === null) return []
    const { name, postgres: text } = statement
    const { rows: found } = await this.#query({ name, text, values: arraysOf(text, rows) })
    return withFlags(statement, found)
  }

  async commit(issued: readonly Promise<unknown>[]): Promise<void> {
    // PostgreSQL turns the COMMIT of a transaction with a failed statement into a ROLLBACK, so it need not wait for them.
    const committed = this.#query("COMMIT")
    const settled = await Promise.allSettled([...this.#begun, ...issued, committed])
    const failed = settled.find((result) => result.status === "rejected")
    if (failed !== undefined) throw failed.reason
    for (const subject of this.#fresh) this.#opened.add(subject)
    this.#client.release()
  }

  async rollback(): Promise<void> {
    const done = await this.#client.query("ROLLBACK").then(
      () => true,
      () => false,
    )
    this.#client.release(!done)
  }

  /** What a turn has to say leaves with one write: the server is woken once for it, and not by each statement. */
  #query(statement: string | pg.QueryConfig): Promise<pg.QueryResult> {
    if (!this.#isGathering) {
      this.#isGathering = true
      const { stream } = connectionOf(this.#client)
      stream.cork()
      // Behind the promises of this turn, which issue statements too.
      process.nextTick(() => {
        this.#isGathering = false
        stream.uncork()
      })
    }
    return this.#client.query(statement)
  }
}

/** Each client has one; the types tell of it only where the client is not from a pool. */
const connectionOf = (client: pg.PoolClient): pg.Connection => (client as pg.PoolClient & pg.Client).connection
