import type { Handler } from "./handler.ts"

/** How far a firmware update has come: kept, always confirmed. OCPP 1.6 §4.5. */
export const firmwareStatusNotification: Handler<"FirmwareStatusNotification"> = async (
  request,
  { from, services },
) => {
  await services.reports.keep(from, "FirmwareStatusNotification", request)
  return {}
}
