/** What an idTag may do. OCPP 1.6 §4.1. */
import DataLoader from "dataloader"
import type { IdTagInfo } from "../facts/catalogue.ts"
import { authorize, idTagKeyOf } from "../facts/id-tags.ts"
import type { IdTagRow } from "../facts/rows.ts"
import type { Clock, Store } from "./ports.ts"

interface IdTagOf {
  organisationId: string
  idTagKey: string
}

/** How many idTags are asked for at a time. */
const MOST_AT_ONCE = 500

export class Authorization {
  readonly #store: Pick<Store, "read">
  readonly #clock: Clock
  /** What is asked in one turn is one question to the store; nothing is kept of it. */
  readonly #idTags: DataLoader<IdTagOf, IdTagRow | undefined>

  constructor(store: Pick<Store, "read">, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#idTags = new DataLoader((keys) => this.#load(keys), {
      cache: false,
      maxBatchSize: MOST_AT_ONCE,
      batchScheduleFn: (ask) => void setImmediate(ask),
    })
  }

  /** Within the organisation, as of now; an idTag nobody knows is Invalid. Never ConcurrentTx. OCPP 1.6 §7.2. */
  async check(organisationId: string, idTag: string): Promise<IdTagInfo> {
    const row = await this.#idTags.load({ organisationId, idTagKey: idTagKeyOf(idTag) })
    return authorize(row, this.#clock.now())
  }

  /**
   * What follows the last semicolon of an idTag nobody knows as a whole, if that is one the organisation knows: payment
   * terminals put their own prefix before the idTag. Undefined where the idTag means itself.
   */
  async behindPrefix(organisationId: string, idTag: string): Promise<string | undefined> {
    const semicolon = idTag.lastIndexOf(";")
    if (semicolon < 0) return undefined
    const part = idTag.slice(semicolon + 1).trim()
    const [whole, meant] = [idTagKeyOf(idTag), idTagKeyOf(part)]
    const known = await this.#store.read.idTagsByKeys(organisationId, [whole, meant])
    const isKnown = (key: string) => known.some((row) => row.idTagKey === key)
    return isKnown(meant) && !isKnown(whole) ? part : undefined
  }

  async #load(keys: readonly IdTagOf[]): Promise<(IdTagRow | undefined)[]> {
    const found = new Map<string, IdTagRow>()
    for (const [organisationId, ofIt] of Map.groupBy(keys, (key) => key.organisationId)) {
      const wanted = [...new Set(ofIt.map(({ idTagKey }) => idTagKey))]
      for (const row of await this.#store.read.idTagsByKeys(organisationId, wanted)) found.set(nameOf(row), row)
    }
    return keys.map((key) => found.get(nameOf(key)))
  }
}

/** A uuid or a word of ours holds no blank. */
const nameOf = ({ organisationId, idTagKey }: IdTagOf): string => `${organisationId} ${idTagKey}`
