import { action } from "../action.ts"
import { IdTagInfo, idToken, object } from "../types.ts"

/** Asks whether this idTag may charge. Not for stopping, unless another idTag than the starting one is shown. OCPP 1.6 §4.1. */
export const Authorize = action({
  name: "Authorize",
  from: "charge-point",
  request: object({ idTag: idToken }),
  confirmation: object({ idTagInfo: IdTagInfo }),
})
