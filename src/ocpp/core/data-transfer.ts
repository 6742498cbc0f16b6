import * as v from "valibot"
import { action } from "../action.ts"
import { ciString, object, optional, text } from "../types.ts"

/** Carries what the standard has no message for, in either direction. OCPP 1.6 §4.3, §5.6. */
export const DataTransfer = action({
  name: "DataTransfer",
  from: "both",
  request: object({
    vendorId: ciString(255), // reversed domain name of the vendor
    messageId: optional(ciString(50)),
    data: optional(text),
  }),
  confirmation: object({
    status: v.picklist(["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]),
    data: optional(text),
  }),
})
