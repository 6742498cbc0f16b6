import type { Handler } from "./handler.ts"

/** How far the upload of a log has come: kept, always confirmed. Security white paper N01. */
export const logStatusNotification: Handler<"LogStatusNotification"> = async (request, { from, services }) => {
  await services.reports.keep(from, "LogStatusNotification", request)
  return {}
}
