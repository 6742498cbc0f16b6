import type { Handler } from "./handler.ts"
import { meantIdTag } from "./meant-id-tag.ts"

/** Never ConcurrentTx: whether one more transaction may run is asked when it starts. OCPP 1.6 §4.1, §7.2. */
export const authorize: Handler<"Authorize"> = async ({ idTag }, caller) => {
  const { from, services } = caller
  return { idTagInfo: await services.authorization.check(from.organisationId, await meantIdTag(idTag, caller)) }
}
