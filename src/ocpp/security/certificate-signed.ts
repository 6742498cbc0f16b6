import { action } from "../action.ts"
import { AcceptedOrRejected, ciString, object } from "../types.ts"

/** Delivers the certificate the Charge Point asked to be signed, leaf first. OCPP 1.6 security white paper §5.1, use case A02. */
export const CertificateSigned = action({
  name: "CertificateSigned",
  from: "central-system",
  request: object({ certificateChain: ciString(10000) }),
  confirmation: object({ status: AcceptedOrRejected }),
})
