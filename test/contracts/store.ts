/** What every store does, on whichever engine. */
import { describe } from "bun:test"
import { commandQueueContract } from "../store/contract/command-queue.ts"
import { chargingProfileContract } from "../store/contract/charging-profiles.ts"
import { commitContract } from "../store/contract/commits.ts"
import { fileContract } from "../store/contract/files.ts"
import { firmwareCampaignContract } from "../store/contract/firmware-campaigns.ts"
import { journalContract } from "../store/contract/journal.ts"
import { lifeContract } from "../store/contract/life.ts"
import { presentContract } from "../store/contract/present.ts"
import { readContract } from "../store/contract/reads.ts"
import { readingContract } from "../store/contract/readings.ts"
import type { OpenPlace } from "../store/place.ts"

/** The sentences that hold for a store at each place that `openPlace` gives. */
export function storeContract(name: string, openPlace: OpenPlace): void {
  describe(`a store ${name}`, () => {
    commitContract(openPlace)
    journalContract(openPlace)
    readContract(openPlace)
    readingContract(openPlace)
    presentContract(openPlace)
    commandQueueContract(openPlace)
    chargingProfileContract(openPlace)
    fileContract(openPlace)
    firmwareCampaignContract(openPlace)
    lifeContract(openPlace)
  })
}
