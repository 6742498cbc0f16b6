/** Reading the journal: what is not published yet, and the story of one subject. */
import type { Event, JournalEntry } from "../facts/events.ts"
import type { Source } from "./reads/source.ts"
import type { JournalRow } from "./tables.ts"

const entryOf = ({ id, events }: Pick<JournalRow, "id" | "events">): JournalEntry => ({
  id,
  events: JSON.parse(events),
})

export class Journal {
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  /** Rows not marked published that were recorded before `olderThan`, oldest first. */
  async unpublished(limit: number, olderThan: number): Promise<JournalEntry[]> {
    const rows = await this.#source.db
      .selectFrom("journal")
      .select(["id", "events"])
      .where("published", "=", 0)
      .where("at", "<", olderThan)
      .orderBy("id")
      .limit(limit)
      .execute()
    return rows.map(entryOf)
  }

  /**
   * Events of a subject in order of their versions. Each journal row names the one before it that told of the subject,
   * and the subject the newest, so the story is followed back without an index over all events.
   */
  async of(subject: string, fromVersion: number, toVersion: number): Promise<Event[]> {
    const found: Event[] = []
    let id = await this.#newest(subject)
    while (id !== null) {
      const row = await this.#row(id)
      if (row === undefined) break
      const told = entryOf(row).events.filter((event) => event.subject === subject)
      found.unshift(...told.filter(({ version }) => version >= fromVersion && version <= toVersion))
      if (told.some(({ version }) => version <= fromVersion)) break
      const previous: Record<string, number> = JSON.parse(row.previous)
      id = previous[subject] ?? null
    }
    return found
  }

  async #newest(subject: string): Promise<number | null> {
    const found = this.#source.db.selectFrom("subjects").select("journalId").where("subject", "=", subject)
    return (await found.executeTakeFirst())?.journalId ?? null
  }

  #row(id: number): Promise<Pick<JournalRow, "id" | "events" | "previous"> | undefined> {
    const found = this.#source.db.selectFrom("journal").select(["id", "events", "previous"]).where("id", "=", id)
    return found.executeTakeFirst()
  }
}
