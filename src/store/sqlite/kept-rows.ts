/** Rows as they were committed last, kept from one transaction to the next: who alone writes need not read them again. */
import type { Kept } from "../session.ts"

/** So many rows of a table are kept, and up to as many again that have been needed longer ago. */
const MOST = 10_000

interface Generations {
  young: Map<string, object>
  old: Map<string, object>
}

export class KeptRows implements Kept {
  readonly #tables = new Map<string, Generations>()

  get(table: string, key: string): object | undefined {
    const rows = this.#tables.get(table)
    if (rows === undefined) return undefined
    const row = rows.young.get(key)
    if (row !== undefined) return row
    const older = rows.old.get(key)
    if (older !== undefined) this.set(table, key, older)
    return older
  }

  set(table: string, key: string, row: object | undefined): void {
    const rows = this.#tables.get(table) ?? { young: new Map<string, object>(), old: new Map<string, object>() }
    this.#tables.set(table, rows)
    if (row === undefined) {
      rows.young.delete(key)
      rows.old.delete(key)
      return
    }
    rows.young.set(key, row)
    if (rows.young.size < MOST) return
    rows.old = rows.young
    rows.young = new Map()
  }

  clear(): void {
    this.#tables.clear()
  }
}
