import type { Handler } from "./handler.ts"

/** Nothing was agreed with any vendor: refused politely, without data, and kept. OCPP 1.6 §4.3. */
export const dataTransfer: Handler<"DataTransfer"> = async (request, { from, services }) => {
  await services.reports.keep(from, "DataTransfer", request)
  return { status: "UnknownVendorId" }
}
