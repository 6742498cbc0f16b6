/** Commands in the books: how an order is written there, and what a written one says to whoever waits for it. */
import type { CommandError, CommandRow } from "../facts/rows.ts"
import { maskPayload } from "./masking.ts"
import type { CommandResult, DirectOrder } from "./ports.ts"

type Standing = Pick<CommandRow, "state"> &
  Partial<Pick<CommandRow, "sentAt" | "answeredAt" | "error" | "nodeId" | "deadlineAt" | "expiresAt">>

/** The row of an order; `standing` says where it stands. Secrets are masked. */
export function commandRowOf(order: DirectOrder, standing: Standing): CommandRow {
  return {
    id: order.commandId,
    organisationId: order.organisationId,
    chargePointId: order.chargePointId,
    action: order.action,
    request: JSON.stringify(maskPayload(order.request)),
    requestedBy: order.requestedBy,
    requestedAt: order.requestedAt,
    deadlineAt: order.deadlineAt,
    expiresAt: null,
    sentAt: null,
    answeredAt: null,
    confirmation: null,
    error: null,
    idempotencyKey: order.idempotencyKey,
    requestDigest: order.requestDigest,
    nodeId: null,
    ...standing,
  }
}

/** What the row says, where that is known; undefined while the outcome is open, and where the command never left. */
export function resultOf(command: CommandRow): CommandResult | undefined {
  switch (command.state) {
    case "Answered":
      return { kind: "Confirmed", command, confirmation: JSON.parse(command.confirmation ?? "{}") }
    case "Failed":
      return failureOf(command, JSON.parse(command.error ?? "{}"))
    case "TimedOut":
      return { kind: "Timeout", command }
    default:
      return undefined
  }
}

function failureOf(command: CommandRow, { code, callErrorCode, description }: Partial<CommandError>): CommandResult {
  switch (code) {
    case "CallError":
    case "InvalidConfirmation":
      return { kind: "CallError", command, code: callErrorCode ?? "GenericError", description: description ?? "" }
    case "Timeout":
      return { kind: "Timeout", command }
    case "Unavailable":
      return { kind: "Unavailable", reason: description ?? "" }
    default:
      return { kind: "Offline", command }
  }
}

/** A wish under a key that a stored command has: that command, if the wish is the same, and no other one ever. */
export function repetitionOf(stored: CommandRow, wish: DirectOrder): CommandResult {
  const other =
    stored.chargePointId !== wish.chargePointId
      ? "a command to another charge point"
      : stored.action !== wish.action
        ? `a ${stored.action}`
        : isSameRequest(stored, wish)
          ? undefined
          : `a ${stored.action} with another request`
  return other === undefined
    ? { kind: "Repeated", command: stored }
    : { kind: "InvalidInput", path: "idempotencyKey", reason: `belongs to ${other}` }
}

const isSameRequest = (stored: CommandRow, { requestDigest, request }: DirectOrder): boolean =>
  stored.requestDigest === null || requestDigest === null
    ? Bun.deepEquals(JSON.parse(stored.request), maskPayload(request))
    : stored.requestDigest === requestDigest
