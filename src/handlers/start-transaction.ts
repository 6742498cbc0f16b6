import type { Handler } from "./handler.ts"
import { meantIdTag } from "./meant-id-tag.ts"

/** OCPP 1.6 §4.8. */
export const startTransaction: Handler<"StartTransaction"> = async (request, caller) => {
  const { from, uniqueId, services } = caller
  return services.transactions.start(from, uniqueId, request, await meantIdTag(request.idTag, caller))
}
