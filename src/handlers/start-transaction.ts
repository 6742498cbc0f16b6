import type { Handler } from "./handler.ts"

/** OCPP 1.6 §4.8. */
export const startTransaction: Handler<"StartTransaction"> = (request, { from, uniqueId, services }) =>
  services.transactions.start(from, uniqueId, request)
