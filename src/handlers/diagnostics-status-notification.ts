import type { Handler } from "./handler.ts"

/** How far the upload of diagnostics has come: kept, always confirmed. OCPP 1.6 §4.4. */
export const diagnosticsStatusNotification: Handler<"DiagnosticsStatusNotification"> = async (
  request,
  { from, services },
) => {
  await services.reports.keep(from, "DiagnosticsStatusNotification", request)
  return {}
}
