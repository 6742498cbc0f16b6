/** The faults that a run must notice, each as a central system could have it. */
import type { Fault, Frame, Outcome } from "./faulty-central-system.ts"

type Payload = Record<string, unknown>

const isAnswer = ({ from, parts }: Frame): boolean => from === "central system" && parts[0] !== 2
const isConfirmation = ({ from, parts }: Frame): boolean => from === "central system" && parts[0] === 3
const isCall = ({ from, parts }: Frame): boolean => from === "central system" && parts[0] === 2
const isAnswerToCall = ({ from, parts }: Frame): boolean => from === "charge point" && parts[0] === 3

/** A fault at every frame of a kind. */
const at =
  (is: (frame: Frame) => boolean, outcome: (frame: Frame) => Outcome | undefined) =>
  (frame: Frame): Outcome | undefined =>
    is(frame) ? outcome(frame) : undefined

/** The payload stands third in a CALLRESULT and fourth in a CALL; undefined from `change` means that it cannot be. */
const altered = (is: (frame: Frame) => boolean, change: (payload: Payload, frame: Frame) => Payload | undefined) =>
  at(is, (frame) => {
    const position = frame.parts[0] === 2 ? 3 : 2
    const payload = change(frame.parts[position] as Payload, frame)
    return payload && { frames: [frame.parts.with(position, payload)] }
  })

const without = (payload: Payload, field: string | undefined): Payload | undefined => {
  if (field === undefined) return undefined
  const { [field]: _, ...rest } = payload
  return rest
}

/** Another word that the schema allows in its place. */
const OTHER_WORDS: Record<string, string> = { Accepted: "Blocked", Pending: "Accepted", Rejected: "Accepted" }

function otherStatus(payload: Payload, { action }: Frame): Payload | undefined {
  const { status, idTagInfo } = payload
  if (typeof status === "string") {
    const word = action === "BootNotification" && status === "Accepted" ? "Pending" : "Accepted"
    return { ...payload, status: word }
  }
  const info = idTagInfo as { status: string } | undefined
  return info && { ...payload, idTagInfo: { ...info, status: OTHER_WORDS[info.status] ?? "Accepted" } }
}

/** Optional fields that the official schema allows and nobody has entered. */
const OPTIONAL: Record<string, Payload> = {
  ClearChargingProfile: { id: 999, stackLevel: 9 },
  GetConfiguration: { key: ["HeartbeatInterval"] },
  GetDiagnostics: { retries: 3 },
  RemoteStartTransaction: {
    chargingProfile: {
      ...{ chargingProfileId: 9, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" },
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }] },
    },
  },
  ReserveNow: { parentIdTag: "SOMEBODY" },
  TriggerMessage: { connectorId: 1 },
  UpdateFirmware: { retries: 3 },
}

function unenteredField(payload: Payload, { action }: Frame): Payload | undefined {
  const [field, value] = Object.entries(OPTIONAL[action] ?? {}).find(([name]) => !(name in payload)) ?? []
  return field === undefined ? undefined : { ...payload, [field]: value }
}

/** Left to the central system: any version is right if it grows. */
const OWN_CHOICE = ["listVersion"]

function otherValue(payload: Payload, index: number): Payload | undefined {
  const [field, value] = Object.entries(payload).filter(([name]) => !OWN_CHOICE.includes(name))[index] ?? []
  if (field === undefined) return undefined
  if (typeof value === "number") return { ...payload, [field]: value + 1 }
  if (typeof value === "string") return { ...payload, [field]: `${value}0` }
  return { ...payload, [field]: Array.isArray(value) ? [...value, "HeartbeatInterval"] : {} }
}

/** What the charge point said, made another valid answer. */
const OTHER_ANSWERS: Record<string, (status: unknown) => string> = {
  ClearChargingProfile: () => "Unknown",
  SendLocalList: (status) => (status === "Accepted" ? "Failed" : "Accepted"),
  UnlockConnector: (status) => (status === "Unlocked" ? "UnlockFailed" : "Unlocked"),
}

function otherAnswer(payload: Payload, { action }: Frame): Payload | undefined {
  const { status, listVersion, fileName, configurationKey } = payload
  if (typeof status === "string") {
    const other = OTHER_ANSWERS[action] ?? ((word: unknown) => (word === "Accepted" ? "Rejected" : "Accepted"))
    return { ...payload, status: other(status) }
  }
  if (typeof listVersion === "number") return { listVersion: listVersion + 1 }
  if (typeof fileName === "string") return { fileName: `${fileName}.old` }
  return Array.isArray(configurationKey) ? { configurationKey: [] } : undefined
}

const UNASKED = /unasked/
const NOT_UNDERSTOOD = /could not be understood|came twice/
const SCHEMA = /schema|not answered with a valid/
const MISSING = /within|[Tt]imeout|not answered/
const CLOSED = /closed|disconnected|not open|going away|not shown online/
const ANY = /./

export const FAULTS: readonly Fault[] = [
  { name: "a CALL that nobody asked for, at once", at: "open", noticed: UNASKED },
  {
    name: "a CALL that nobody asked for, after an answer",
    at: "frame",
    frame: at(isAnswer, ({ parts }) => ({ frames: [parts, [2, crypto.randomUUID(), "GetConfiguration", {}]] })),
    noticed: UNASKED,
  },
  { name: "a CALL that nobody asked for, when all is quiet", at: "silence", place: "every", noticed: UNASKED },
  { name: "everybody is refused", at: "upgrade", upgrade: () => 503, noticed: /503/ },
  {
    name: "everybody is let in",
    at: "upgrade",
    upgrade: (status) => (status === 101 ? undefined : 101),
    noticed: /not refused|503/,
  },
  {
    name: "a refusal has another status",
    at: "upgrade",
    upgrade: (status) => (status === 101 ? undefined : 403),
    noticed: /403/,
  },
  {
    name: "the connection is closed after an answer",
    at: "frame",
    frame: at(isAnswer, ({ parts }) => ({ frames: [parts], closes: true })),
    noticed: CLOSED,
  },
  { name: "the older connection is not closed", at: "close", place: "every", only: ["X-17"], noticed: /not closed/ },
  { name: "no answer", at: "frame", frame: at(isAnswer, () => ({ frames: [] })), noticed: MISSING },
  {
    name: "an answer too late",
    at: "frame",
    frame: at(isAnswer, ({ parts }) => ({ frames: [parts], late: true })),
    noticed: MISSING,
  },
  {
    name: "no answer while it waits for one itself",
    at: "frame",
    frame: at(isAnswer, ({ waiting }) => (waiting ? { frames: [] } : undefined)),
    only: ["X-11"],
    noticed: MISSING,
  },
  {
    name: "an answer twice",
    at: "frame",
    frame: at(isAnswer, ({ parts }) => ({ frames: [parts, parts] })),
    noticed: NOT_UNDERSTOOD,
  },
  {
    name: "an answer with another unique id",
    at: "frame",
    frame: at(isAnswer, ({ parts }) => ({ frames: [parts.with(1, crypto.randomUUID())] })),
    noticed: NOT_UNDERSTOOD,
  },
  {
    name: "CALLERROR in place of the confirmation",
    at: "frame",
    frame: at(isConfirmation, ({ parts }) => ({ frames: [[4, parts[1], "InternalError", "", {}]] })),
    noticed: /CALLERROR|InternalError|Internal|not answered with|CALLRESULT/,
  },
  {
    name: "a CALLERROR with another code",
    at: "frame",
    frame: at(
      ({ from, parts }) => from === "central system" && parts[0] === 4,
      ({ parts }) => ({ frames: [parts.with(2, "GenericError")] }),
    ),
    noticed: /GenericError/,
  },
  {
    name: "a confirmation with a null where no field belongs",
    at: "frame",
    frame: altered(isConfirmation, (payload) => ({ ...payload, extra: null })),
    noticed: SCHEMA,
  },
  {
    name: "a confirmation without a field",
    at: "frame",
    frame: altered(isConfirmation, (payload) => without(payload, Object.keys(payload)[0])),
    noticed: ANY,
  },
  {
    name: "a confirmation with another status",
    at: "frame",
    frame: altered(isConfirmation, otherStatus),
    noticed: /was answered|told|Accepted/,
  },
  {
    name: "another transactionId for a repeated StartTransaction",
    at: "frame",
    frame: altered(isConfirmation, (payload, { action }) =>
      action === "StartTransaction" ? { ...payload, transactionId: Number(payload["transactionId"]) + 1 } : undefined,
    ),
    only: ["X-06"],
    noticed: /became/,
  },
  {
    name: "no parentIdTag",
    at: "frame",
    place: "every",
    frame: altered(isConfirmation, ({ idTagInfo, ...rest }) => {
      const info = without((idTagInfo ?? {}) as Payload, "parentIdTag")
      return idTagInfo === undefined ? undefined : { ...rest, idTagInfo: info }
    }),
    only: ["TC_053"],
    noticed: /was answered/,
  },
  {
    name: "the operator's CALL twice",
    at: "frame",
    frame: at(isCall, ({ parts }) => ({ frames: [parts, parts.with(1, crypto.randomUUID())] })),
    noticed: UNASKED,
  },
  {
    name: "the operator's CALL twice with the same unique id",
    at: "frame",
    frame: at(isCall, ({ parts }) => ({ frames: [parts, parts] })),
    noticed: NOT_UNDERSTOOD,
  },
  {
    name: "the operator's CALL never leaves",
    at: "frame",
    frame: at(isCall, () => ({ frames: [] })),
    noticed: MISSING,
  },
  {
    name: "the operator's CALL with a null where no field belongs",
    at: "frame",
    frame: altered(isCall, (payload) => ({ ...payload, extra: null })),
    noticed: SCHEMA,
  },
  {
    name: "the operator's CALL with an optional field that nobody entered",
    at: "frame",
    frame: altered(isCall, unenteredField),
    noticed: /the request was/,
  },
  {
    name: "the operator's CALL without a field",
    at: "frame",
    frame: altered(isCall, (payload) => without(payload, Object.keys(payload).at(-1))),
    noticed: ANY,
  },
  ...[0, 1, 2, 3].map((index): Fault => ({
    name: `the operator's CALL with another value in field ${index + 1}`,
    at: "frame",
    frame: altered(isCall, (payload) => otherValue(payload, index)),
    noticed: ANY,
  })),
  {
    name: "the operator is told another answer than the charge point's",
    at: "frame",
    frame: altered(isAnswerToCall, otherAnswer),
    noticed: /the operator|told|saw|not so/,
  },
]
