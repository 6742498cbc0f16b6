/** What this node has published and the store is to be told of, once a power cut cannot take it back from Redis. */
import type { Store } from "../services/ports.ts"
import { compareEntryIds } from "./cursor.ts"
import { BOOKS, type Generations, writeBooks } from "./generation.ts"

/** Journal rows told in a generation up to an entry. */
interface Told {
  ids: number[]
  generation: string
  entryId: string
}

/** Other nodes move the books at the same time. */
const TRIES = 5

export class Marks {
  readonly #store: Pick<Store, "markPublished">
  readonly #generations: Generations
  #fresh: Told | undefined
  #settled: Told | undefined
  #marking: Told | undefined

  constructor(options: { store: Pick<Store, "markPublished">; generations: Generations }) {
    this.#store = options.store
    this.#generations = options.generations
  }

  /** These rows are in the stream, up to this entry. */
  add(ids: readonly number[], generation: string, entryId: string): void {
    if (this.#fresh?.generation === generation) {
      this.#fresh.ids.push(...ids)
      this.#fresh.entryId = entryId
    } else {
      this.#fresh = { ids: [...ids], generation, entryId }
    }
  }

  /**
   * Marks what had been added before the last call: Redis writes its file to disk every second. Resolves to false where
   * Redis no longer holds it, or tells another generation: then it has to be published again.
   */
  async turn(): Promise<boolean> {
    const told = this.#settled
    this.#settled = this.#fresh
    this.#fresh = undefined
    if (told === undefined) return true
    this.#marking = told
    try {
      return await this.#mark(told)
    } finally {
      this.#marking = undefined
    }
  }

  /** The rows that this node has published in the generation and not marked yet: nobody left them behind. */
  pending(generation: string): Set<number> {
    const told = [this.#marking, this.#settled, this.#fresh].filter((one) => one?.generation === generation)
    return new Set(told.flatMap((one) => one?.ids ?? []))
  }

  /**
   * Each entry named in the books was there when the next one was named: so whatever is marked is in the stream, or
   * the books name what Redis lacks, which everybody looks for.
   */
  async #mark({ ids, generation, entryId }: Told): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries++) {
      const books = await this.#generations.books()
      if (books?.generation !== generation) return false
      if (!(await this.#generations.holds(generation, books.entryId, entryId))) return false
      const last = compareEntryIds(books.entryId, entryId) < 0 ? entryId : books.entryId
      const setting = { key: BOOKS, from: books.text, to: writeBooks(generation, last) }
      if (await this.#store.markPublished(ids, setting)) return true
    }
    return true // they stay unmarked for now, and are found among what was left behind
  }
}
