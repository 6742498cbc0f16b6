/** Rows of one table within a unit of work: loaded at once, changed in memory, saved with one statement. */
import { type Additions, NotLoaded, type Rows } from "../../facts/facts.ts"
import type { Kept, Session } from "../session.ts"
import { add, remove, type Statement, selectBy, update, upsert } from "../statements.ts"
import { encode, fieldsOf, type Table, type Value } from "../tables.ts"

/** The error of a rule that asks for what was not loaded. */
export const notLoaded = (what: string, key: string): NotLoaded =>
  new NotLoaded(`${what} were not loaded for ${key.replaceAll("\0", ", ")}`)

/** One text for a key's values; only the last of them can hold a NUL, so no two keys share it. */
export const keyText = (values: readonly Value[]): string =>
  values.length === 1 ? String(values[0]) : values.join("\0")

/** Everything that must be known of a table to work on it; made once, not per group. */
export interface Work<Row, Key> {
  readonly table: Table<Row>
  readonly valuesOf: (key: Key) => Value[]
  readonly byKey: Statement<Row>
  readonly fields: readonly (keyof Row & string)[]
  readonly upsert: Statement<never>
  readonly remove: Statement<never>
  /** How to save rows of which only some fields have changed, by the names of these; filled as needed. */
  readonly updates: Map<string, Update<Row>>
  /** Which rows to keep between units: those that units, and nothing but units, change again and again. */
  readonly isKept?: (row: Row) => boolean
}

interface Update<Row> {
  readonly statement: Statement<never>
  /** The fields of its parameters, in their order. */
  readonly fields: readonly (keyof Row & string)[]
}

export function workOn<Row, Key>(
  table: Table<Row>,
  valuesOf: (key: Key) => Value[],
  isKept?: (row: Row) => boolean,
): Work<Row, Key> {
  return {
    ...(isKept && { isKept }),
    table,
    valuesOf,
    fields: fieldsOf(table),
    byKey: selectBy(table, table.key),
    upsert: upsert(table),
    remove: remove(table),
    updates: new Map(),
  }
}

/** Rows that share something, loaded by what they share and kept up to date by every `put`. */
export interface Gathering<Row> {
  load(keys: readonly Value[][]): Promise<void>
  of(key: readonly Value[]): Row[]
}

export class LoadedRows<Row extends object, Key> implements Rows<Row, Key> {
  protected readonly session: Session
  readonly #work: Work<Row, Key>
  readonly #rows = new Map<string, Row | undefined>()
  /** As they lie in the database. */
  readonly #stored = new Map<string, Row>()
  readonly #put = new Map<string, Row>()
  readonly #deleted = new Map<string, Value[]>()
  readonly #watchers: ((key: string, row: Row) => void)[] = []

  constructor(work: Work<Row, Key>, session: Session) {
    this.#work = work
    this.session = session
  }

  async load(keys: readonly Key[]): Promise<void> {
    const missing = new Map<string, Value[]>()
    for (const key of keys) {
      const values = this.#work.valuesOf(key)
      const text = keyText(values)
      if (this.#rows.has(text)) continue
      const kept = this.#kept?.get(this.#work.table.name, text)
      // Only rows of this table are kept under its name.
      if (kept === undefined) missing.set(text, values)
      else this.#takeOne(text, kept as Row)
    }
    if (missing.size === 0) return
    this.#take(await this.session.run(this.#work.byKey, [...missing.values()]))
    for (const text of missing.keys()) if (!this.#rows.has(text)) this.#rows.set(text, undefined)
  }

  get(key: Key): Readonly<Row> | undefined {
    const text = keyText(this.#work.valuesOf(key))
    const row = this.#rows.get(text)
    if (row === undefined && !this.#rows.has(text)) throw notLoaded(this.#work.table.name, text)
    return row
  }

  put(row: Row): void {
    const text = this.#textOf(row)
    this.changing(this.#rows.get(text), row)
    this.#deleted.delete(text)
    this.#put.set(text, row)
    this.#keep(text, row)
  }

  delete(key: Key): void {
    const values = this.#work.valuesOf(key)
    const text = keyText(values)
    this.changing(this.#rows.get(text), undefined)
    this.#put.delete(text)
    this.#deleted.set(text, values)
    this.#rows.set(text, undefined)
  }

  /** Issues the deletion of what was deleted. Deletions go before all else: they may free what a new row needs. */
  issueDeletions(): Promise<unknown>[] {
    return this.#deleted.size === 0 ? [] : [this.session.run(this.#work.remove, [...this.#deleted.values()])]
  }

  /** Issues the saving of what was put: new rows as a whole, of the others what has changed. */
  issueSaves(): Promise<unknown>[] {
    if (this.#put.size === 0) return []
    const { fields, upsert: insertion } = this.#work
    const saves = new Map<Statement<never>, Value[][]>()
    for (const [text, row] of this.#put) {
      const stored = this.#stored.get(text)
      const save = stored === undefined ? { statement: insertion, fields } : this.#updateOf(stored, row)
      if (save === undefined) continue
      const there = saves.get(save.statement)
      if (there === undefined) saves.set(save.statement, [encode(row, save.fields)])
      else there.push(encode(row, save.fields))
    }
    return [...saves].map(([statement, rows]) => this.session.run(statement, rows))
  }

  /** To be called once what was saved is committed. */
  committed(): void {
    const kept = this.#kept
    const { table, isKept } = this.#work
    if (kept === undefined || isKept === undefined) return
    for (const key of this.#deleted.keys()) kept.set(table.name, key, undefined)
    for (const [key, row] of this.#put) kept.set(table.name, key, isKept(row) ? row : undefined)
  }

  /** Undefined where nothing has changed. */
  #updateOf(stored: Row, row: Row): Update<Row> | undefined {
    const { table, fields, updates } = this.#work
    const changed = fields.filter((field) => row[field] !== stored[field])
    if (changed.length === 0) return undefined
    const name = changed.join()
    const known = updates.get(name)
    if (known !== undefined) return known
    const made = { statement: update(table, changed), fields: [...changed, ...table.key] }
    updates.set(name, made)
    return made
  }

  /** Gathers rows by these fields; `statement` must find rows by them too. */
  gather(by: readonly (keyof Row & string)[], statement: Statement<Row>): Gathering<Row> {
    const keysOf = new Map<string, Set<string>>()
    const loaded = new Set<string>()
    let isWatching = false
    const watch = (key: string, row: Row): void => {
      const text = keyText(encode(row, by))
      const keys = keysOf.get(text)
      if (keys === undefined) keysOf.set(text, new Set([key]))
      else keys.add(key)
    }
    return {
      load: async (keys) => {
        // Most groups never ask: until one does, no row is sorted in.
        if (!isWatching) {
          isWatching = true
          this.#watchers.push(watch)
          for (const [key, row] of this.#rows) if (row !== undefined) watch(key, row)
        }
        const missing = new Map(keys.map((values) => [keyText(values), values] as const))
        for (const text of missing.keys()) if (loaded.has(text)) missing.delete(text)
        if (missing.size === 0) return
        this.#take(await this.session.run(statement, [...missing.values()]))
        for (const text of missing.keys()) loaded.add(text)
      },
      of: (values) => {
        const text = keyText(values)
        if (!loaded.has(text)) throw notLoaded(`${this.#work.table.name} by ${by.join()}`, text)
        const rows = [...(keysOf.get(text) ?? [])].flatMap((key) => this.#rows.get(key) ?? [])
        return rows.filter((row) => keyText(encode(row, by)) === text)
      },
    }
  }

  /** The rows that this unit put and did not delete again. */
  protected putRows(): Iterable<Row> {
    return this.#put.values()
  }

  /** Called before a row of the unit changes, with what it was (undefined: none, or not loaded) and will be. */
  protected changing(_before: Row | undefined, _after: Row | undefined): void {
    // Most tables keep no sums.
  }

  #textOf(row: Row): string {
    return keyText(encode(row, this.#work.table.key))
  }

  #take(rows: readonly Row[]): void {
    for (const row of rows) this.#takeOne(this.#textOf(row), row)
  }

  /** Two loads may bring the same row: the first copy stays, it may have been put already. */
  #takeOne(text: string, row: Row): void {
    if (this.#rows.get(text) !== undefined || this.#deleted.has(text)) return
    this.#stored.set(text, row)
    this.#keep(text, row)
  }

  get #kept(): Kept | undefined {
    return this.#work.isKept === undefined ? undefined : this.session.kept
  }

  #keep(text: string, row: Row): void {
    this.#rows.set(text, row)
    for (const watch of this.#watchers) watch(text, row)
  }
}

/** Rows of one table that are only added. */
export class AddedRows<Row extends object> implements Additions<Row> {
  protected readonly session: Session
  protected readonly added = new Map<string, Row>()
  readonly #table: Table<Row>
  readonly #fields: readonly (keyof Row & string)[]
  readonly #add: Statement<never>

  constructor({ table, fields, add: statement }: Adding<Row>, session: Session) {
    this.#table = table
    this.#fields = fields
    this.#add = statement
    this.session = session
  }

  add(row: Row): void {
    const text = this.textOf(row)
    if (!this.added.has(text)) this.added.set(text, row)
  }

  /** One text for a row's key. */
  protected textOf(row: Row): string {
    return keyText(encode(row, this.#table.key))
  }

  issueSaves(): Promise<unknown>[] {
    if (this.added.size === 0) return []
    return [
      this.session.run(
        this.#add,
        [...this.added.values()].map((row) => encode(row, this.#fields)),
      ),
    ]
  }
}

/** What must be known of a table to add to it; made once, not per group. */
export interface Adding<Row> {
  readonly table: Table<Row>
  readonly fields: readonly (keyof Row & string)[]
  readonly add: Statement<never>
}

export const addTo = <Row>(table: Table<Row>): Adding<Row> => ({ table, fields: fieldsOf(table), add: add(table) })
