/** What counts as a reply: its id is the CALL's, and it says what OCPP 1.6 §6 wants a confirmation to say. */
import { faultOfConfirmation, isPayload, type Payload, readFrame } from "../wire.ts"

/**
 * How a server answers. `ocpp`: as a central system does. `echo`: with the CALL as it was. `acknowledge`: with a
 * confirmation that is made of nothing but the id.
 */
export type Dialect = "ocpp" | "echo" | "acknowledge"

export type Reply =
  | { kind: "confirmation"; id: string; payload: Payload | undefined; fault?: string }
  | { kind: "error"; id: string; code: string }
  | { kind: "call"; id: string; action: string }
  | { kind: "malformed" }

const HEARTBEAT = /^\{"currentTime":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"\}\]$/
const WITH_EMPTY_CONFIRMATION = new Set(["MeterValues", "StatusNotification"])

/** How the text of a right reply to the CALL with this id begins, if it is written without a blank. */
export const expectedHead = (dialect: Dialect, id: string): string =>
  dialect === "echo" ? `[2,"${id}",` : `[3,"${id}",`

/** Whether a text that begins with its expected head is a right reply, told without reading it as JSON; else look closer. */
export function isRightAtOnce(dialect: Dialect, action: string, text: string, head: string): boolean {
  if (dialect === "echo") return text.startsWith(action, head.length + 1)
  const rest = text.slice(head.length)
  if (dialect === "acknowledge") return rest === "{}]"
  if (WITH_EMPTY_CONFIRMATION.has(action)) return rest === "{}]"
  return action === "Heartbeat" && HEARTBEAT.test(rest)
}

/** Reads any text that came. @param action of the CALL that waits for an answer, to whose shape a confirmation is held */
export function readReply(dialect: Dialect, action: string, text: string): Reply {
  const frame = readFrame(text)
  if (frame === undefined) return { kind: "malformed" }
  if (frame.type === "CALLERROR") return { kind: "error", id: frame.uniqueId, code: frame.error.message }
  if (frame.type === "CALL") {
    if (dialect === "echo") return { kind: "confirmation", id: frame.uniqueId, payload: undefined }
    return { kind: "call", id: frame.uniqueId, action: frame.action }
  }
  const { uniqueId: id, payload } = frame
  const fault = dialect === "ocpp" ? (faultOfConfirmation(action, payload) ?? refusalIn(payload)) : undefined
  return { kind: "confirmation", id, payload, ...(fault !== undefined && { fault }) }
}

/** The load goes on only where it is accepted: a refusal would make its figures those of another load. */
function refusalIn(payload: Payload): string | undefined {
  const { status, idTagInfo } = payload
  const word = status ?? (isPayload(idTagInfo) ? idTagInfo["status"] : undefined)
  return word === undefined || word === "Accepted" ? undefined : `refused: ${String(word)}`
}
