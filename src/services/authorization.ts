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
}
