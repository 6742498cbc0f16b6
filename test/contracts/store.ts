/** What every store does, on whichever engine. */
import { describe } from "bun:test"
import { commitContract } from "../store/contract/commits.ts"
import { journalContract } from "../store/contract/journal.ts"
import { lifeContract } from "../store/contract/life.ts"
import { readContract } from "../store/contract/reads.ts"
import type { OpenPlace } from "../store/place.ts"

/** The sentences that hold for a store at each place that `openPlace` gives. */
export function storeContract(name: string, openPlace: OpenPlace): void {
  describe(`a store ${name}`, () => {
    commitContract(openPlace)
    journalContract(openPlace)
    readContract(openPlace)
    lifeContract(openPlace)
  })
}
