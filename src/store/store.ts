/** The port `Store` over SQL: one writer that commits groups, and readers beside it. */
import type { ChangeName, InputOf, OutcomeOf } from "../facts/catalogue.ts"
import type { Event } from "../facts/events.ts"
import type { JournalEntry } from "../facts/recorded.ts"
import type { DeviationRow, MessageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { PruneBefore, Reads, Store } from "../services/ports.ts"
import type { ChoreCatalogue, ChoreName } from "./chores.ts"
import { Collector, type Writer } from "./collector.ts"
import type { Settled } from "./group.ts"
import { Journal } from "./journal.ts"
import { RecentReadings } from "./recent-readings.ts"
import { readsOf } from "./reads/index.ts"
import type { StoreSource } from "./reads/source.ts"
import { Trouble } from "./trouble.ts"

/** What tries whether the database works again is as large as a group with some readings in it. */
const PROBE_CHARACTERS = 16_384

const NONE: ReadonlySet<number> = new Set()

export class SqlStore implements Store {
  readonly read: Reads
  readonly #source: StoreSource
  readonly #resources: AsyncDisposable
  readonly #log: Log
  readonly #journal: Journal
  readonly #collector: Collector
  readonly #trouble: Trouble
  readonly #recent: RecentReadings
  readonly #listeners: ((entry: JournalEntry) => void)[] = []
  #closed?: Promise<void>

  /** Takes charge of `resources`: what writer and source stand on. */
  constructor(source: StoreSource, writer: Writer, resources: AsyncDisposable, log: Log, now: () => number) {
    this.#source = source
    this.#resources = resources
    this.#log = log
    this.#journal = new Journal(source)
    const reads = readsOf(source)
    this.#recent = new RecentReadings(now, reads.meterValuesByRefs)
    this.read = { ...reads, meterValuesByRefs: (refs) => this.#recent.byRefs(refs) }
    this.#collector = new Collector(writer, now, (settled, since) => this.#settled(settled, since))
    this.#trouble = new Trouble(now, () => this.putSetting("store.probe", `${now()}`.padEnd(PROBE_CHARACTERS)), log)
  }

  change<Name extends ChangeName>(name: Name, input: InputOf<Name>): Promise<OutcomeOf<Name>> {
    // The rule of this name makes the outcome, possibly in another thread.
    const committed: Promise<unknown> = this.#collector.add({ name, input })
    const outcome =
      name === "reportMeterValues"
        ? this.#recent.noting(
            input as InputOf<"reportMeterValues">,
            committed as Promise<OutcomeOf<"reportMeterValues">>,
          )
        : committed
    return outcome as Promise<OutcomeOf<Name>>
  }

  async addDeviations(rows: readonly DeviationRow[]): Promise<void> {
    await this.#chore("addDeviations", rows)
  }

  async addMessages(rows: readonly Omit<MessageRow, "id">[]): Promise<MessageRow[]> {
    const ids = await this.#chore("addMessages", rows)
    return rows.flatMap((row, index) => {
      const id = ids[index]
      return id === undefined ? [] : { ...row, id }
    })
  }

  async prune(before: PruneBefore, limit: number): Promise<number> {
    const { gone, unpublished } = await this.#chore("prune", { before, limit })
    if (unpublished > 0)
      this.#log.warn(
        { journalRows: unpublished },
        "events older than the journal's retention are removed without ever having been published",
      )
    return gone
  }

  async addFileChunk(fileId: string, position: number, bytes: Uint8Array, at: number): Promise<void> {
    await this.#chore("addFileChunk", { fileId, position, at, hex: Buffer.from(bytes).toString("hex") })
  }

  async removeFileChunks(fileId: string): Promise<void> {
    await this.#chore("removeFileChunks", { fileId })
  }

  onJournal(listener: (entry: JournalEntry) => void): void {
    this.#listeners.push(listener)
  }

  unpublished(
    limit: number,
    olderThan: number,
    afterId = 0,
    except: ReadonlySet<number> = NONE,
  ): Promise<JournalEntry[]> {
    return this.#journal.unpublished(limit, olderThan, afterId, except)
  }

  firstUnpublished(atMost: number): Promise<number> {
    return this.#journal.firstUnpublished(atMost)
  }

  markPublished(ids: readonly number[], setting: { key: string; from: string; to: string }): Promise<boolean> {
    return this.#chore("markPublished", { ids, setting })
  }

  toldVersions(sinceId: number): Promise<Map<string, number>> {
    return this.#journal.toldVersions(sinceId)
  }

  journalOf(subject: string, fromVersion: number, toVersion: number): Promise<Event[]> {
    return this.#journal.of(subject, fromVersion, toVersion)
  }

  async setting(key: string): Promise<string | undefined> {
    const found = this.#source.db.selectFrom("settings").select("value").where("key", "=", key)
    return (await found.executeTakeFirst())?.value
  }

  async putSetting(key: string, value: string): Promise<void> {
    await this.#chore("putSetting", { key, value })
  }

  settleSetting(key: string, value: string): Promise<string> {
    return this.#chore("settleSetting", { key, value })
  }

  troubleSince(): number | null {
    return this.#trouble.since(this.#collector.busySince())
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#trouble.stop()
    await this.#collector.close()
    await this.#resources[Symbol.asyncDispose]()
  }

  #chore<Name extends ChoreName>(name: Name, input: ChoreCatalogue[Name][0]): Promise<ChoreCatalogue[Name][1]> {
    return this.#collector.add({ name, input }) as Promise<ChoreCatalogue[Name][1]>
  }

  #settled({ results, entries }: Settled, since: number): void {
    const unavailable = results.find((result) => "failure" in result && result.failure.unavailable)
    this.#trouble.heard(
      unavailable !== undefined && "failure" in unavailable ? unavailable.failure.message : null,
      since,
    )
    for (const entry of entries) for (const listener of this.#listeners) this.#tell(listener, entry)
  }

  /** What a listener throws must not keep the others, or the callers, from hearing of the commit. */
  #tell(listener: (entry: JournalEntry) => void, entry: JournalEntry): void {
    try {
      listener(entry)
    } catch (cause) {
      this.#log.error({ err: cause, journalId: entry.id }, "a listener to the journal failed")
    }
  }
}
