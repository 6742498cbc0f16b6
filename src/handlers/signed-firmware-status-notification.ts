import type { Handler } from "./handler.ts"

/** How far an update with signed firmware has come: kept, always confirmed. Security white paper L01. */
export const signedFirmwareStatusNotification: Handler<"SignedFirmwareStatusNotification"> = async (
  request,
  { from, services },
) => {
  await services.reports.keep(from, "SignedFirmwareStatusNotification", request)
  return {}
}
