import * as v from "valibot"
import { action } from "../action.ts"
import { CertificateHashData, object } from "../types.ts"

/** Removes an installed certificate, named by the hashes it was reported with. OCPP 1.6 security white paper, use case M04. */
export const DeleteCertificate = action({
  name: "DeleteCertificate",
  from: "central-system",
  request: object({ certificateHashData: CertificateHashData }),
  confirmation: object({ status: v.picklist(["Accepted", "Failed", "NotFound"]) }),
})
