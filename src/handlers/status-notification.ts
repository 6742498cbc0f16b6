import type { Handler } from "./handler.ts"

/** OCPP 1.6 §4.9. */
export const statusNotification: Handler<"StatusNotification"> = async (request, { from, services }) => {
  await services.status.report(from, request)
  return {}
}
