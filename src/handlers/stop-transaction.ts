import type { Handler } from "./handler.ts"
import { meantIdTag } from "./meant-id-tag.ts"

/** A stop cannot be prevented: whatever transaction it names, it is confirmed. OCPP 1.6 §4.10. */
export const stopTransaction: Handler<"StopTransaction"> = async (request, caller) => {
  const { from, services } = caller
  const meant = request.idTag === undefined ? request : { ...request, idTag: await meantIdTag(request.idTag, caller) }
  // Stored first, answered second: our answer lets the charge point forget its only copy.
  const idTagInfo = await services.transactions.stop(from, meant)
  return idTagInfo === undefined ? {} : { idTagInfo }
}
