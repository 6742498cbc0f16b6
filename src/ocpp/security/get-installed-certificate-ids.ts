import * as v from "valibot"
import { action } from "../action.ts"
import { CertificateHashData, CertificateUse, nonEmptyList, object, optional } from "../types.ts"

/** Asks which root certificates of one kind are installed. OCPP 1.6 security white paper, use case M03. */
export const GetInstalledCertificateIds = action({
  name: "GetInstalledCertificateIds",
  from: "central-system",
  request: object({ certificateType: CertificateUse }),
  confirmation: object({
    status: v.picklist(["Accepted", "NotFound"]),
    certificateHashData: optional(nonEmptyList(CertificateHashData)),
  }),
})
