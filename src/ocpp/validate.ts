import type { ConfirmationOf, RequestOf } from "./action.ts"
import { type Deviation, noDeviations } from "./deviation.ts"
import { OcppError } from "./errors.ts"
import { type Fault, findBoundFaults, findFaults, refusal } from "./fault.ts"
import {
  type CentralSystemActionName,
  type ChargePointActionName,
  type FromCentralSystem,
  type FromChargePoint,
  isCentralSystemAction,
  isChargePointAction,
} from "./index.ts"
import type { Level } from "./level.ts"
import { mend } from "./mend.ts"
import { type ActionName, type Message, confirmationMessage, requestMessage } from "./message.ts"

/** What a Charge Point asked, or why that cannot be processed. */
export type ReadRequest<A extends ChargePointActionName = ChargePointActionName> =
  | {
      readonly ok: true
      readonly action: A
      readonly request: RequestOf<FromChargePoint[A]>
      readonly deviations: readonly Deviation[]
    }
  | Refused

/** What a Charge Point answered, or why that cannot be processed. */
export type ReadConfirmation<A extends CentralSystemActionName = CentralSystemActionName> =
  | {
      readonly ok: true
      readonly confirmation: ConfirmationOf<FromCentralSystem[A]>
      readonly deviations: readonly Deviation[]
    }
  | Refused

export interface Refused {
  readonly ok: false
  readonly error: OcppError
  readonly deviations: readonly Deviation[]
}

/**
 * Reads the payload of a CALL from a Charge Point. NotImplemented for a name outside the standard, NotSupported for what only
 * the Central System may ask. Every instant in the request carries a zone. OCPP-J 1.6 §4.2.3.
 */
export function readRequest(action: string, payload: unknown, level: Level): ReadRequest {
  if (!isChargePointAction(action)) return refused(notOurs(action))
  const read = readPayload(requestMessage(action), payload, level)
  if (!read.ok) return read
  // The schema that accepted the payload is the one its type is derived from.
  const request = read.payload as RequestOf<FromChargePoint[ChargePointActionName]>
  return { ok: true, action, request, deviations: read.deviations }
}

/** Reads the payload of a CALLRESULT from a Charge Point, as the answer to this action. */
export function readConfirmation<A extends CentralSystemActionName>(
  action: A,
  payload: unknown,
  level: Level,
): ReadConfirmation<A> {
  const read = readPayload(confirmationMessage(action), payload, level)
  if (!read.ok) return read
  const confirmation = read.payload as ConfirmationOf<FromCentralSystem[A]>
  return { ok: true, confirmation, deviations: read.deviations }
}

/**
 * What the official schema has against a payload of ours; nothing when it may leave. Bounds that only the text of the standard
 * has do not count: an operator may need to send what a Charge Point should refuse.
 */
export function checkOutbound(action: ActionName, part: "request" | "confirmation", payload: object): readonly Fault[] {
  const message = part === "request" ? requestMessage(action) : confirmationMessage(action)
  if (message.isOfficial(payload)) return noFaults
  // As it would leave: a field that is undefined is not there.
  return findFaults(message, JSON.parse(JSON.stringify(payload)))
}

const noFaults: readonly Fault[] = []

type ReadPayload = { ok: true; payload: unknown; deviations: readonly Deviation[] } | Refused

function readPayload(message: Message, payload: unknown, level: Level): ReadPayload {
  if (message.isSpotless(payload)) return { ok: true, payload, deviations: noDeviations }
  if (level === "strict") {
    const fault = findFaults(message, payload)[0] ?? findBoundFaults(message, payload)[0]
    if (fault) return refused(refusal(fault))
  }
  // Also in strict: the official schema takes instants that not everybody can read.
  const mended = mend(message, payload)
  if (mended.understood) return { ok: true, payload: mended.payload, deviations: mended.deviations }
  return refused(refusal(faultAt(mended.path, findFaults(message, payload))), mended.deviations)
}

const refused = (error: OcppError, deviations: readonly Deviation[] = noDeviations): Refused => ({
  ok: false,
  error,
  deviations,
})

/** The fault nearest to where understanding ended: there, or at what holds it. */
function faultAt(path: string, faults: readonly Fault[]): Fault {
  const around = faults.filter((fault) => path.startsWith(fault.path)).sort((a, b) => b.path.length - a.path.length)
  return around[0] ?? faults[0] ?? { code: "FormationViolation", path, reason: "unreadable" }
}

function notOurs(action: string): OcppError {
  return isCentralSystemAction(action)
    ? new OcppError("NotSupported", `${action} is for the Central System to ask`)
    : new OcppError("NotImplemented", "no action of OCPP 1.6 has this name")
}
