/** Rows as they were committed last, kept from one transaction to the next: who alone writes need not read them again. */
import type { Kept } from "../session.ts"

/** Rows kept of a table; of more the ones kept longest are read again. */
const MOST = 20_000

export class KeptRows implements Kept {
  readonly #tables = new Map<string, Map<string, object>>()

  get(table: string, key: string): object | undefined {
    return this.#tables.get(table)?.get(key)
  }

  set(table: string, key: string, row: object | undefined): void {
    const rows = this.#tables.get(table) ?? new Map<string, object>()
    this.#tables.set(table, rows)
    if (row === undefined) {
      rows.delete(key)
      return
    }
    rows.set(key, row)
    const oldest = rows.size > MOST ? rows.keys().next() : undefined
    if (oldest?.done === false) rows.delete(oldest.value)
  }

  clear(): void {
    this.#tables.clear()
  }
}
