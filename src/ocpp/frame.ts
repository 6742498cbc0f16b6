import { type Deviation, type DeviationKind, example, noDeviations } from "./deviation.ts"
import { OcppError, type OcppErrorCode, readErrorCode } from "./errors.ts"
import type { Level } from "./level.ts"

/** A peer asks. OCPP-J 1.6 §4.2.1. */
export interface Call {
  readonly type: "call"
  readonly uniqueId: string
  readonly action: string
  readonly payload: unknown
}

/** A peer answers. OCPP-J 1.6 §4.2.2. */
export interface CallResult {
  readonly type: "call-result"
  readonly uniqueId: string
  readonly payload: unknown
}

/** A peer refuses. OCPP-J 1.6 §4.2.3. */
export interface CallError {
  readonly type: "call-error"
  readonly uniqueId: string
  readonly code: OcppErrorCode
  /** The code as it was written: a charge point may have invented it. */
  readonly writtenCode: string
  readonly description: string
  readonly details: Readonly<Record<string, unknown>>
}

/** A CALL that cannot be processed, but answered: its unique id could be read. */
export interface UnreadableCall {
  readonly type: "unreadable-call"
  readonly uniqueId: string
  readonly error: OcppError
}

/** Nothing to answer: no unique id, no CALL, or nothing at all. */
export interface Ignored {
  readonly type: "ignored"
  readonly uniqueId?: string
  readonly reason: string
}

export type Frame = Call | CallResult | CallError | UnreadableCall | Ignored

export interface ReadFrame {
  readonly frame: Frame
  readonly deviations: readonly Deviation[]
}

/** OCPP-J 1.6 §4.1.4. */
const maxUniqueIdLength = 36

const deviation = (kind: DeviationKind, value: unknown): Deviation => ({ kind, path: "", example: example(value) })

const ignored = (reason: string, found: Deviation, uniqueId?: string): ReadFrame => ({
  frame: { type: "ignored", reason, ...(uniqueId === undefined ? {} : { uniqueId }) },
  deviations: [found],
})

/**
 * Reads one text frame. Never throws: what is no message says what it is instead. `strict` refuses a CALL with an id over 36
 * characters or another number of elements than four; everything else is tolerated at both levels. OCPP-J 1.6 §4.
 */
export function readFrame(text: string, level: Level = "tolerant"): ReadFrame {
  let json = text
  let parsed = parse(json)
  const deviations: Deviation[] = []
  if (parsed === undefined && level === "tolerant") {
    json = repair(text)
    parsed = parse(json)
    if (parsed !== undefined) deviations.push(deviation("broken-json", text))
  }
  if (parsed === undefined) return unreadableText(text)
  if (!Array.isArray(parsed)) return ignored("not a list", deviation("unreadable-frame", text))

  let message: unknown[] = parsed
  const [type, id] = message
  if (json.includes("\\u") && holdsUnwritable(json)) {
    // The unique id stays as it is, for the answer has to carry the same.
    message = parse(withoutUnwritable(json)) as unknown[]
    deviations.push(deviation("unwritable-character", text))
  }
  // By far the most frames: nothing to tolerate, nothing to allocate but the frame.
  const clean = deviations.length === 0
  if (clean && type === 2 && message.length === 4 && typeof id === "string" && id.length <= maxUniqueIdLength) {
    const action: unknown = message[2]
    const payload: unknown = message[3]
    if (typeof action === "string" && payload !== null) {
      return { frame: { type: "call", uniqueId: id, action, payload }, deviations: noDeviations }
    }
  }
  if (clean && type === 3 && message.length === 3 && typeof id === "string" && message[2] !== null) {
    return { frame: { type: "call-result", uniqueId: id, payload: message[2] }, deviations: noDeviations }
  }

  const uniqueId = readUniqueId(id, deviations)
  const number = typeof type === "number" || typeof type === "string" ? Number(type) : Number.NaN
  if (typeof type === "string") deviations.push(deviation("wrong-type", type))
  switch (number) {
    case 2:
      return { frame: readCall(uniqueId, message, { text, level, deviations }), deviations }
    case 3:
    case 4:
      if (uniqueId === undefined) return ignored("an answer without a unique id", deviation("unreadable-frame", text))
      if (uniqueId.length > maxUniqueIdLength) deviations.push(deviation("long-unique-id", uniqueId))
      if (number === 3) return { frame: readCallResult(uniqueId, message, deviations), deviations }
      return { frame: readCallError(uniqueId, message, deviations), deviations }
    default:
      // A number this version does not know is not ours to answer. OCPP-J 1.6 §4.1.3.
      return ignored("an unknown message type", deviation("unknown-message-type", type), uniqueId)
  }
}

function readUniqueId(id: unknown, deviations: Deviation[]): string | undefined {
  if (typeof id === "string") return id
  if (typeof id !== "number") return undefined
  deviations.push(deviation("numeric-unique-id", id))
  return String(id)
}

function readCall(
  uniqueId: string | undefined,
  message: unknown[],
  { text, level, deviations }: { text: string; level: Level; deviations: Deviation[] },
): Frame {
  if (uniqueId === undefined) {
    deviations.push(deviation("unreadable-frame", text))
    return { type: "ignored", reason: "a CALL without a unique id" }
  }
  const refuse = (code: OcppErrorCode, description: string): UnreadableCall => {
    deviations.push(deviation("unreadable-frame", text))
    return { type: "unreadable-call", uniqueId, error: new OcppError(code, description) }
  }
  const [, , action, payload] = message
  if (action === undefined) return refuse("ProtocolError", "the action is missing")
  if (typeof action !== "string") return refuse("FormationViolation", "the action is not a string")
  if (level === "strict") {
    if (uniqueId.length > maxUniqueIdLength) return refuse("FormationViolation", "the unique id is too long")
    if (message.length !== 4) return refuse("ProtocolError", "a CALL has four elements")
  }
  if (uniqueId.length > maxUniqueIdLength) deviations.push(deviation("long-unique-id", uniqueId))
  if (message.length > 4) deviations.push(deviation("extra-elements", message.slice(4)))
  return { type: "call", uniqueId, action, payload: readPayload(payload, deviations) }
}

function readCallResult(uniqueId: string, message: unknown[], deviations: Deviation[]): Frame {
  if (message.length > 3) deviations.push(deviation("extra-elements", message.slice(3)))
  return { type: "call-result", uniqueId, payload: readPayload(message[2], deviations) }
}

/** An empty payload may be written as null. OCPP-J 1.6 §4.2.1, §4.2.2. */
function readPayload(payload: unknown, deviations: Deviation[]): unknown {
  if (payload === undefined) deviations.push(deviation("missing-payload", ""))
  else if (payload === null) deviations.push(deviation("null-payload", payload))
  return payload ?? {}
}

function readCallError(uniqueId: string, message: unknown[], deviations: Deviation[]): Frame {
  const [, , written, description, details] = message
  const writtenCode = typeof written === "string" ? written : ""
  const code = readErrorCode(writtenCode)
  if (code === undefined) deviations.push(deviation("unknown-error-code", written))
  if (typeof description !== "string" || !isDetails(details)) {
    deviations.push(deviation("short-call-error", message.slice(3)))
  }
  if (message.length > 5) deviations.push(deviation("extra-elements", message.slice(5)))
  return {
    type: "call-error",
    uniqueId,
    code: code ?? "GenericError",
    writtenCode,
    description: typeof description === "string" ? description : "",
    details: isDetails(details) ? details : {},
  }
}

function isDetails(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Undefined when the text is not JSON; no JSON text means undefined. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// Strings are matched, also one that never ends, to be passed over.
const brokenJson = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|:\s*(?=[,}])|,\s*(?=[}\]])/g

/** Puts null where a value is missing, and takes away a comma too many. */
const repair = (text: string) =>
  text.replace(brokenJson, (found) => (found[0] === ":" ? ":null" : found[0] === "," ? "" : found))

// NUL, and halves of surrogate pairs: JSON can escape what no UTF-8 text, and so no database, can hold. Other escapes and
// whole pairs are matched to be passed over.
const escapes =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u(?:0000|[dD][89a-fA-F][\da-fA-F]{2}))|\\[\s\S]/g

const holdsUnwritable = (text: string) => text.matchAll(escapes).some(([, unwritable]) => unwritable !== undefined)

/** Puts the replacement character where a character cannot be written down. */
const withoutUnwritable = (text: string) =>
  text.replace(escapes, (found: string, unwritable?: string) => (unwritable === undefined ? found : "\\ufffd"))

// The head of a CALL whose payload is broken: enough of it to refuse the CALL instead of leaving the Charge Point waiting.
const callHead = /^\s*\[\s*2\s*,\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,/

function unreadableText(text: string): ReadFrame {
  if (text.trim() === "") return ignored("an empty frame", deviation("empty-frame", ""))
  const found = deviation("unreadable-frame", text)
  const written = callHead.exec(text)?.[1]
  if (written === undefined) return ignored("not JSON", found)
  try {
    const uniqueId = String(JSON.parse(written))
    const error = new OcppError("FormationViolation", "the message is not JSON")
    return { frame: { type: "unreadable-call", uniqueId, error }, deviations: [found] }
  } catch {
    return ignored("not JSON", found)
  }
}

/** The text of a CALL. */
export const call = (uniqueId: string, action: string, payload: object): string =>
  JSON.stringify([2, uniqueId, action, payload])

/** The payload that was written last: of a large fleet very many are told the same. */
let written: { payload: object; text: string } | undefined

/** The text of a CALLRESULT. `payload` must not change any more: the same object is written only once. */
export function callResult(uniqueId: string, payload: object): string {
  if (payload !== written?.payload) written = { payload, text: JSON.stringify(payload) }
  return `[3,${JSON.stringify(uniqueId)},${written.text}]`
}

/** The text of a CALLERROR; its details are an object, also when there are none. */
export const callError = (uniqueId: string, error: OcppError): string =>
  JSON.stringify([4, uniqueId, error.code, error.description, error.details])
