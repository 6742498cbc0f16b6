import * as v from "valibot"
import { action } from "../action.ts"
import { ciString, dateTime, integer, object, optional } from "../types.ts"

/** Where new firmware is, with its signature and the certificate that made it. OCPP 1.6 security white paper, use case L01. */
export const SignedUpdateFirmware = action({
  name: "SignedUpdateFirmware",
  from: "central-system",
  request: object({
    requestId: integer,
    firmware: object({
      location: ciString(512),
      retrieveDateTime: dateTime,
      installDateTime: optional(dateTime),
      signingCertificate: ciString(5500), // PEM
      signature: ciString(800), // base64
    }),
    retries: optional(integer),
    retryInterval: optional(integer), // s
  }),
  confirmation: object({
    status: v.picklist(["Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate"]),
  }),
})
