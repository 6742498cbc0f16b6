/** What a charge point reads when Busbar closes its socket. OCPP-J names no codes; these are those of RFC 6455 §7.4. */
import type { HangUpReason } from "../services/lines.ts"

interface CloseCode {
  code: number
  /** Reaches the charge point: says no more than it may know. */
  reason: string
}

/** A charge point may come back at once after 1001, later after 1013; after 1008 something has to change first. */
export const closeCodes: Readonly<Record<HangUpReason, CloseCode>> = {
  Superseded: { code: 1001, reason: "replaced by a newer connection" },
  Stopping: { code: 1001, reason: "going away" },
  Silent: { code: 1001, reason: "nothing was heard" },
  StoreUnavailable: { code: 1013, reason: "try again later" },
  Deleted: { code: 1008, reason: "unknown charge point" },
  CredentialsChanged: { code: 1008, reason: "credentials have changed" },
  Rejected: { code: 1008, reason: "rejected" },
}
