/** What an idTag may do. OCPP 1.6 §4.1. */
import type { IdTagInfo } from "../facts/catalogue.ts"
import { authorize, idTagKeyOf } from "../facts/id-tags.ts"
import type { Clock, Store } from "./ports.ts"

export class Authorization {
  readonly #store: Pick<Store, "read">
  readonly #clock: Clock

  constructor(store: Pick<Store, "read">, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Within the organisation, as of now; an idTag nobody knows is Invalid. Never ConcurrentTx. OCPP 1.6 §7.2. */
  async check(organisationId: string, idTag: string): Promise<IdTagInfo> {
    const [row] = await this.#store.read.idTagsByKeys(organisationId, [idTagKeyOf(idTag)])
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
}
