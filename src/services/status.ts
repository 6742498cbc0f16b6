/** The state of connectors as charge points report it. OCPP 1.6 §4.9. */
import type { FromCaller } from "../facts/catalogue.ts"
import type { RequestOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"
import { instantOf } from "../facts/instants.ts"
import { held } from "./ownership.ts"
import type { Store } from "./ports.ts"

export class Status {
  readonly #store: Pick<Store, "change">

  constructor(store: Pick<Store, "change">) {
    this.#store = store
  }

  /** Without a timestamp the status is as of its receipt. OCPP 1.6 §6.47. @throws OwnershipLost */
  async report(caller: FromCaller, request: RequestOf<FromChargePoint["StatusNotification"]>): Promise<void> {
    const statusAt = request.timestamp === undefined ? caller.receivedAt : instantOf(request.timestamp)
    held(await this.#store.change("reportStatus", { ...caller, request, statusAt }))
  }
}
