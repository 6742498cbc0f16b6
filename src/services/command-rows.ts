/** Commands in the books: how an order is written there, and what a written one says to whoever waits for it. */
import type { CommandError, CommandRow } from "../facts/rows.ts"
import { maskPayload } from "./masking.ts"
import type { CommandOrder, CommandResult } from "./ports.ts"

/** The row of an order; `standing` says where it stands. Secrets are masked. */
export function commandRowOf(
  order: CommandOrder,
  standing: Pick<CommandRow, "state"> & Partial<Pick<CommandRow, "sentAt" | "answeredAt" | "error" | "nodeId">>,
): CommandRow {
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
    nodeId: null,
    ...standing,
  }
}

/** What the row says, where that is known; undefined while the outcome is open. */
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
    default:
      return { kind: "Offline", command }
  }
}
