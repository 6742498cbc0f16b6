/** The words of local authorization lists. */
import { words } from "./words.ts"

export const UpdateTypeWords = words("UpdateType", "OCPP 1.6 §7.47.", {
  Differential: "The entries change the list.",
  Full: "The entries are the list.",
})

export const UpdateStatusWords = words("UpdateStatus", "OCPP 1.6 §7.46.", {
  Accepted: "The list is what was sent, or has been changed by it.",
  Failed: "The list could not be changed.",
  NotSupported: "The charge point has no local lists.",
  VersionMismatch: "Its list has a version that is no lower than the one sent.",
})

export const AuthorizationStatusWords = words("AuthorizationStatus", "OCPP 1.6 §7.2.", {
  Accepted: "May charge.",
  Blocked: "May not charge.",
  Expired: "May no longer charge.",
  Invalid: "Is not known.",
  ConcurrentTx: "Is in use elsewhere; only to be said of a StartTransaction.",
})
