/** One SQL transaction as the unit of work sees it; each engine provides it. */
import type { Statement } from "./statements.ts"
import type { SubjectRow, Value } from "./tables.ts"

export type EngineName = "sqlite" | "postgres"

/** Rows as committed, by table and key; only there where nobody else writes. */
export interface Kept {
  get(table: string, key: string): object | undefined
  /** To be called once it is committed; undefined: there is no such row any more. */
  set(table: string, key: string, row: object | undefined): void
}

/** An open transaction that holds the locks of its subjects. */
export interface Session {
  /** The locked subjects as stored; one without a story yet is absent or at version 0. */
  readonly subjects: Promise<SubjectRow[]>
  readonly kept?: Kept
  /**
   * Runs a statement for these rows of parameters, in one round trip; statements run in the order they were issued, so
   * independent ones need not be awaited one by one. Results come in no particular order.
   */
  run<Result>(statement: Statement<Result>, rows: readonly (readonly Value[])[]): Promise<Result[]>
  /** Commits once all of these, issued before, have succeeded; throws what the first of them threw otherwise. */
  commit(issued: readonly Promise<unknown>[]): Promise<void>
  /** Undoes everything; never throws. */
  rollback(): Promise<void>
}

/**
 * What a failed transaction means. `deadlock`: two nodes waited for each other, the database let one go. `conflict`:
 * another node may have taken a unique key meanwhile; a second try sees its row. `unavailable`: the database cannot be
 * reached or written. `fault`: one of the group is to blame.
 */
export type Verdict = "deadlock" | "conflict" | "unavailable" | "fault"

export interface Engine {
  readonly name: EngineName
  /** Opens a transaction and locks these subjects, in an order that is the same everywhere. */
  begin(subjects: readonly string[]): Promise<Session>
  judge(cause: unknown): Verdict
}
