import { action } from "../action.ts"
import { AcceptedOrRejected, ciString, object } from "../types.ts"

/** Asks for a certificate; the request is PKCS#10 in PEM. OCPP 1.6 security white paper, use case A02. */
export const SignCertificate = action({
  name: "SignCertificate",
  from: "charge-point",
  request: object({ csr: ciString(5500) }),
  confirmation: object({ status: AcceptedOrRejected }),
})
