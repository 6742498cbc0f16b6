/** Notifications that are kept as they came: firmware, diagnostics, logs, security events, data transfers. */
import type { FromCaller } from "../facts/catalogue.ts"
import type { ChargePointActionName } from "../ocpp/index.ts"
import type { Store } from "./ports.ts"

export class Reports {
  readonly #store: Pick<Store, "change">

  constructor(store: Pick<Store, "change">) {
    this.#store = store
  }

  /** Resolves when the notification is on disk. A repetition is another report: charge points repeat what still holds. */
  async keep(caller: FromCaller, action: ChargePointActionName, request: object): Promise<void> {
    await this.#store.change("report", { ...caller, id: crypto.randomUUID(), action, payload: JSON.stringify(request) })
  }
}
