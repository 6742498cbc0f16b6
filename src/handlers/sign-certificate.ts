import type { Handler } from "./handler.ts"

/** Rejected: no certificate authority is at hand that could sign. The request is kept. Security white paper A02, A03. */
export const signCertificate: Handler<"SignCertificate"> = async (request, { from, services }) => {
  await services.reports.keep(from, "SignCertificate", request)
  return { status: "Rejected" }
}
