import * as v from "valibot"
import { action } from "../action.ts"
import { CertificateUse, ciString, object } from "../types.ts"

/** Adds a root certificate, in PEM. OCPP 1.6 security white paper, use case M05. */
export const InstallCertificate = action({
  name: "InstallCertificate",
  from: "central-system",
  request: object({ certificateType: CertificateUse, certificate: ciString(5500) }),
  confirmation: object({ status: v.picklist(["Accepted", "Failed", "Rejected"]) }),
})
