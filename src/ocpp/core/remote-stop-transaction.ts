import { action } from "../action.ts"
import { AcceptedOrRejected, integer, object } from "../types.ts"

/** Asks the Charge Point to stop a transaction. OCPP 1.6 §5.12. */
export const RemoteStopTransaction = action({
  name: "RemoteStopTransaction",
  from: "central-system",
  request: object({ transactionId: integer }),
  confirmation: object({ status: AcceptedOrRejected }),
})
