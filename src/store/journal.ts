/** Reading the journal: what is not published yet, how far each story counts as told, and the story of one subject. */
import { sql } from "kysely"
import type { Event } from "../facts/events.ts"
import { type JournalEntry, readEvents, record } from "../facts/recorded.ts"
import { among, type Source } from "./reads/source.ts"
import type { JournalRow } from "./tables.ts"

const eventsOf = ({ events }: Pick<JournalRow, "events">): Event[] => readEvents(events)

export class Journal {
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  /**
   * Rows not marked published, above `afterId`, that were recorded before `olderThan`, oldest first, without those named
   * in `except`: a busy node's own, which are many and long, are not even read.
   */
  async unpublished(
    limit: number,
    olderThan: number,
    afterId: number,
    except: ReadonlySet<number>,
  ): Promise<JournalEntry[]> {
    const { db } = this.#source
    const named = await db
      .selectFrom("unpublished")
      // SQLite keeps to this order: few are unpublished, and the journal is long.
      .crossJoin("journal")
      .whereRef("journal.id", "=", "unpublished.id")
      .select("journal.id")
      .where("unpublished.id", ">", afterId)
      .where("journal.at", "<", olderThan)
      .orderBy("unpublished.id")
      .limit(limit + except.size)
      .execute()
    const ids = named.map(({ id }) => id).filter((id) => !except.has(id))
    if (ids.length === 0) return []
    const rows = await db
      .selectFrom("journal")
      .select(["id", "events"])
      .where(among(this.#source, "id", ids.slice(0, limit)))
      .orderBy("id")
      .execute()
    return rows.map((row) => ({ id: row.id, events: eventsOf(row).map(record) }))
  }

  /** The id of the oldest of the newest `atMost` unpublished rows; 0 where there are no more than these. */
  async firstUnpublished(atMost: number): Promise<number> {
    const rows = await this.#source.db
      .selectFrom("unpublished")
      .select("id")
      .orderBy("id", "desc")
      .offset(atMost - 1)
      .limit(2)
      .execute()
    const [first, beyond] = rows
    return first === undefined || beyond === undefined ? 0 : first.id
  }

  /**
   * Versions up to which each subject's story counts as told. Published or not, rows follow each other by id within a
   * story, so that looking at those from the first unpublished one on is enough. What is marked was told together with
   * all before it, also where that is not marked; a story with a hole in it can only be gone on with from its end.
   */
  async toldVersions(sinceId: number): Promise<Map<string, number>> {
    const events =
      this.#source.engine === "postgres"
        ? sql`json_array_elements(j.events::json) as e(event)`
        : sql`json_each(j.events) as e`
    const [subject, version] =
      this.#source.engine === "postgres"
        ? [sql`e.event ->> 'subject'`, sql`(e.event ->> 'version')::bigint`]
        : [sql`json_extract(e.value, '$.subject')`, sql`json_extract(e.value, '$.version')`]
    const { rows } = await sql<{ subject: string; told: number }>`
      with recent as (
        select ${subject} as subject, ${version} as version, case when u.id is null then 1 else 0 end as published
        from journal j left join unpublished u on u.id = j.id cross join ${events}
        where j.id >= (select min(id) from unpublished where id >= ${sinceId})
      ), stories as (
        select subject, min(version) as first, count(*) as events,
          max(case when published = 1 then version end) as told,
          min(case when published = 0 then version end) as untold
        from recent group by subject
      )
      select s.subject, case
        when r.untold is null or r.events <> s.version - r.first + 1 then s.version
        when r.told > r.untold then r.told
        else r.untold - 1 end as told
      from subjects s left join stories r on r.subject = s.subject where s.version > 0`.execute(this.#source.db)
    return new Map(rows.map((row) => [row.subject, row.told]))
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
      const told = eventsOf(row).filter((event) => event.subject === subject)
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
