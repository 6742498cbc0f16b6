import type { Handler } from "./handler.ts"

/** Always confirmed: a sanity check that failed must not make the charge point repeat itself. OCPP 1.6 §4.7. */
export const meterValues: Handler<"MeterValues"> = async (request, { from, services }) => {
  await services.transactions.meter(from, request)
  return {}
}
