import type { Handler } from "./handler.ts"

/** Always confirmed: a sanity check that failed must not make the charge point repeat itself. OCPP 1.6 §4.7. */
export const meterValues: Handler<"MeterValues"> = (request, { from, services }) =>
  // Not async: most messages of a fleet come through here, and each `await` on the way back costs them a promise.
  services.transactions.meter(from, request).then(confirmed)

const nothing = {}

const confirmed = () => nothing
