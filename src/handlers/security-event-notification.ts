import type { Handler } from "./handler.ts"

/** Kept and always confirmed, whatever its type and however old: charge points queue these while offline. Security white paper A04. */
export const securityEventNotification: Handler<"SecurityEventNotification"> = async (request, { from, services }) => {
  await services.reports.keep(from, "SecurityEventNotification", request)
  return {}
}
