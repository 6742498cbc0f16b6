/** What a handler is: a function from a CALL's request to its confirmation. */
import type { FromCaller } from "../facts/catalogue.ts"
import type { RequestOf } from "../ocpp/action.ts"
import type { Answer } from "../ocpp/conversation.ts"
import type { DeviationKind } from "../ocpp/deviation.ts"
import type { ChargePointActionName, FromChargePoint } from "../ocpp/index.ts"
import type { Level } from "../ocpp/level.ts"
import type { Authorization } from "../services/authorization.ts"
import type { Clock } from "../services/ports.ts"
import type { Registration } from "../services/registration.ts"
import type { Reports } from "../services/reports.ts"
import type { Status } from "../services/status.ts"
import type { Transactions } from "../services/transactions.ts"

/** What handlers may use. */
export interface HandlerServices {
  clock: Clock
  authorization: Authorization
  registration: Registration
  reports: Reports
  status: Status
  transactions: Transactions
}

/** Who asks, and what there is to answer with. */
export interface Caller {
  from: FromCaller
  /** The CALL's unique id. */
  uniqueId: string
  /** How the charge point is read. */
  level: Level
  /** Puts down what was tolerated in a field of the request. `value` must hold no secret. */
  deviates(kind: DeviationKind, field: string, value: string): void
  services: HandlerServices
}

/** The confirmation: at once, or once what the CALL changes is on disk. What it throws leaves as a CALLERROR. */
export type Handler<A extends ChargePointActionName> = (
  request: RequestOf<FromChargePoint[A]>,
  caller: Caller,
) => Answer<A>
