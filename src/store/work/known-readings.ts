/**
 * What a subject's row says of its charge point's readings: enough to know most new ones for new without a look at the
 * table, and to enter them in their lists many at a time.
 */
import type { MeterValueKey } from "../../facts/facts.ts"

/** So many wait to be listed together: more would make the subject's row long, fewer would touch the lists more often. */
const LISTED_AT_ONCE = 32
/** A charge point may name any connector; of more than this it is not remembered what came last. */
const MAX_CONNECTORS = 32

/** As it lies in the row, as JSON. */
interface Stored {
  /** By connectorId the instant of the newest reading, ms. */
  newest: Record<string, number>
  /** The ids of readings that are stored and stand in no list yet. */
  unlisted: number[]
}

export class KnownReadings {
  readonly #stored: Stored

  /** `text` is the row's; null: nothing is known. */
  constructor(text: string | null) {
    this.#stored = text === null ? { newest: {}, unlisted: [] } : JSON.parse(text)
  }

  /** A reading behind its connector's newest cannot be stored; of any other it has to be looked up. */
  isCertainlyNew({ connectorId, at }: Pick<MeterValueKey, "connectorId" | "at">): boolean {
    const newest = this.#stored.newest[connectorId]
    return newest !== undefined && at > newest
  }

  get unlisted(): readonly number[] {
    return this.#stored.unlisted
  }

  /** Notes that a reading is stored; `id` where it has to be listed. */
  add({ connectorId, at }: Pick<MeterValueKey, "connectorId" | "at">, id: number | undefined): void {
    const { newest, unlisted } = this.#stored
    const before = newest[connectorId]
    if (before !== undefined) newest[connectorId] = Math.max(before, at)
    else if (Object.keys(newest).length < MAX_CONNECTORS) newest[connectorId] = at
    if (id !== undefined) unlisted.push(id)
  }

  /** Those that are now to be listed, if there are enough of them: nothing is unlisted then. */
  takeUnlisted(): number[] {
    return this.#stored.unlisted.length < LISTED_AT_ONCE ? [] : this.#stored.unlisted.splice(0)
  }

  /** For the row. */
  toString(): string {
    return JSON.stringify(this.#stored)
  }
}
