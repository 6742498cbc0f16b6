/** Transactions as charge points tell them: said twice, counted once, and always confirmed. OCPP 1.6 §4.7, §4.8, §4.10. */
import type { FromCaller, IdTagInfo } from "../facts/catalogue.ts"
import { instantOf } from "../facts/instants.ts"
import { readingsOf, startKeyOf } from "../facts/transaction-key.ts"
import type { RequestOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"
import type { Store } from "./ports.ts"

export class Transactions {
  readonly #store: Pick<Store, "change">

  constructor(store: Pick<Store, "change">) {
    this.#store = store
  }

  /**
   * Resolves when the transaction is on disk; a repetition gets the first answer again, whatever became of the idTag.
   * `meantIdTag` is the idTag it is started with, which the charge point may have written in another way.
   */
  async start(
    caller: FromCaller,
    uniqueId: string,
    request: RequestOf<FromChargePoint["StartTransaction"]>,
    meantIdTag = request.idTag,
  ): Promise<{ transactionId: number; idTagInfo: IdTagInfo }> {
    const startedAt = instantOf(request.timestamp)
    // Of the message as it came: what the idTag means may have changed when it comes again.
    const startKey = startKeyOf(request, startedAt, uniqueId)
    const { transactionId, idTagInfo } = await this.#store.change("startTransaction", {
      ...caller,
      request: { ...request, idTag: meantIdTag },
      startedAt,
      startKey,
    })
    return { transactionId, idTagInfo }
  }

  /** Resolves when the stop is on disk, to what is known of the idTag it names, if it names one. */
  async stop(
    caller: FromCaller,
    request: RequestOf<FromChargePoint["StopTransaction"]>,
  ): Promise<IdTagInfo | undefined> {
    const { transactionId, transactionData = [] } = request
    const { idTagInfo } = await this.#store.change("stopTransaction", {
      ...caller,
      request,
      stoppedAt: instantOf(request.timestamp),
      readings: readingsOf(transactionData, { connectorId: 0, transactionId }),
    })
    return idTagInfo
  }

  /** Resolves when the readings are on disk. */
  meter(caller: FromCaller, request: RequestOf<FromChargePoint["MeterValues"]>): Promise<unknown> {
    const { organisationId, chargePointId, epoch, receivedAt } = caller
    const { connectorId, transactionId = null, meterValue } = request
    const readings = readingsOf(meterValue, { connectorId, transactionId })
    const input = { organisationId, chargePointId, epoch, receivedAt, connectorId, transactionId, readings }
    return this.#store.change("reportMeterValues", input)
  }
}
