import type { Handler } from "./handler.ts"

/** A stop cannot be prevented: whatever transaction it names, it is confirmed. OCPP 1.6 §4.10. */
export const stopTransaction: Handler<"StopTransaction"> = async (request, { from, services }) => {
  // Stored first, answered second: our answer lets the charge point forget its only copy.
  const idTagInfo = await services.transactions.stop(from, request)
  return idTagInfo === undefined ? {} : { idTagInfo }
}
