/** What the two ends of an OCPP-J wire share: frames, error codes and the shape of each confirmation. OCPP-J §4. */

export type Payload = { [field: string]: unknown }

export interface IdTagInfo {
  status: "Accepted" | "Blocked" | "Expired" | "Invalid" | "ConcurrentTx"
  expiryDate?: string
  parentIdTag?: string
}

/** The confirmations a Central System owes a Charge Point. */
export interface Confirmations {
  Authorize: { idTagInfo: IdTagInfo }
  BootNotification: { status: "Accepted" | "Pending" | "Rejected"; currentTime: string; interval: number }
  DataTransfer: { status: string; data?: string }
  DiagnosticsStatusNotification: Payload
  FirmwareStatusNotification: Payload
  Heartbeat: { currentTime: string }
  LogStatusNotification: Payload
  MeterValues: Payload
  SecurityEventNotification: Payload
  SignCertificate: { status: string }
  SignedFirmwareStatusNotification: Payload
  StartTransaction: { transactionId: number; idTagInfo: IdTagInfo }
  StatusNotification: Payload
  StopTransaction: { idTagInfo?: IdTagInfo }
}

/** The confirmation of an action, or any object for an action that no Charge Point may send. */
export type ConfirmationOf<A extends string> = A extends keyof Confirmations ? Confirmations[A] : Payload

/** A CALLERROR, received or to be sent. */
export class CallError extends Error {
  override name = "CallError"
  readonly code: string
  readonly description: string
  readonly details: Payload
  constructor(code: string, description = "", details: Payload = {}) {
    super(description ? `${code}: ${description}` : code)
    this.code = code
    this.description = description
    this.details = details
  }
}

/** The CALL could not be sent, or its answer cannot come any more, because the connection is gone. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost"
}

/** No answer came within the time the Charge Point is willing to wait. */
export class CallTimeout extends Error {
  override name = "CallTimeout"
}

/** A CALLRESULT came, but it is not what the standard says the confirmation must be. */
export class WrongConfirmation extends Error {
  override name = "WrongConfirmation"
}

/** For a failure that is counted where it happens and changes nothing here. */
export const unobserved = () => undefined

export type Frame =
  | { type: "CALL"; uniqueId: string; action: string; payload: Payload }
  | { type: "CALLRESULT"; uniqueId: string; payload: Payload }
  | { type: "CALLERROR"; uniqueId: string; error: CallError }

export const callFrame = (uniqueId: string, action: string, payload: object) =>
  JSON.stringify([2, uniqueId, action, payload])

export const resultFrame = (uniqueId: string, payload: object) => JSON.stringify([3, uniqueId, payload])

export const errorFrame = (uniqueId: string, { code, description, details }: CallError) =>
  JSON.stringify([4, uniqueId, code, description, details])

export const isPayload = (value: unknown): value is Payload =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Reads one frame; undefined when the text is no frame that OCPP-J §4.2 knows. */
export function readFrame(text: string): Frame | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(parts)) return undefined
  const [type, uniqueId, third, fourth, fifth] = parts as unknown[]
  if (typeof uniqueId !== "string") return undefined
  if (type === 2 && typeof third === "string" && isPayload(fourth))
    return { type: "CALL", uniqueId, action: third, payload: fourth }
  if (type === 3 && isPayload(third)) return { type: "CALLRESULT", uniqueId, payload: third }
  if (type === 4 && typeof third === "string" && typeof fourth === "string" && isPayload(fifth))
    return { type: "CALLERROR", uniqueId, error: new CallError(third, fourth, fifth) }
  return undefined
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/
const isDateTime = (value: unknown) => typeof value === "string" && DATE_TIME.test(value)
const oneOf =
  (...words: string[]) =>
  (value: unknown) =>
    typeof value === "string" && words.includes(value)
const isText = (max: number) => (value: unknown) => typeof value === "string" && value.length <= max

type Check = (value: unknown) => boolean
type Shape = { required?: { [field: string]: Check }; optional?: { [field: string]: Check } }

const idTagInfo: Shape = {
  required: { status: oneOf("Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx") },
  optional: { expiryDate: isDateTime, parentIdTag: isText(20) },
}
const isIdTagInfo: Check = (value) => isPayload(value) && faultOf(value, idTagInfo) === undefined
const empty: Shape = {}

const shapes: { [A in keyof Confirmations]: Shape } = {
  Authorize: { required: { idTagInfo: isIdTagInfo } },
  BootNotification: {
    required: {
      status: oneOf("Accepted", "Pending", "Rejected"),
      currentTime: isDateTime,
      interval: (value) => Number.isInteger(value) && Number(value) >= 0,
    },
  },
  DataTransfer: {
    required: { status: oneOf("Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId") },
    optional: { data: (value) => typeof value === "string" },
  },
  DiagnosticsStatusNotification: empty,
  FirmwareStatusNotification: empty,
  Heartbeat: { required: { currentTime: isDateTime } },
  LogStatusNotification: empty,
  MeterValues: empty,
  SecurityEventNotification: empty,
  SignCertificate: { required: { status: oneOf("Accepted", "Rejected") } },
  SignedFirmwareStatusNotification: empty,
  StartTransaction: { required: { transactionId: Number.isInteger, idTagInfo: isIdTagInfo } },
  StatusNotification: empty,
  StopTransaction: { optional: { idTagInfo: isIdTagInfo } },
}

/** What is wrong with a confirmation, in words; undefined when it is as OCPP 1.6 §6 says. */
export function faultOfConfirmation(action: string, payload: Payload): string | undefined {
  const shape = Object.hasOwn(shapes, action) ? shapes[action as keyof Confirmations] : undefined
  return shape && faultOf(payload, shape)
}

function faultOf(payload: Payload, { required = {}, optional = {} }: Shape): string | undefined {
  for (const field in required) if (!(field in payload)) return `${field} is missing`
  for (const field in payload) {
    const check = required[field] ?? optional[field]
    if (!check) return `${field} does not belong here`
    if (!check(payload[field])) return `${field} is ${JSON.stringify(payload[field])}`
  }
  return undefined
}
