import type { Handler } from "./handler.ts"

/** Never ConcurrentTx: whether one more transaction may run is asked when it starts. OCPP 1.6 §4.1, §7.2. */
export const authorize: Handler<"Authorize"> = async ({ idTag }, { from, services }) => ({
  idTagInfo: await services.authorization.check(from.organisationId, idTag),
})
