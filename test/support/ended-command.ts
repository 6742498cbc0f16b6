/** Commands from start to end, for tests of what their end teaches. */
import type { InputOf } from "../../src/facts/catalogue.ts"
import type { CommandRow } from "../../src/facts/rows.ts"
import { minute } from "./charging.ts"

/** A command as it leaves: sent to charge point cp1. */
export const sentCommand = (id: string, action: string, request: object, sentAt = minute(0)): CommandRow => ({
  id,
  organisationId: "default",
  chargePointId: "cp1",
  action,
  request: JSON.stringify(request),
  state: "Sent",
  requestedBy: "operator",
  requestedAt: sentAt,
  deadlineAt: sentAt + 60_000,
  expiresAt: null,
  sentAt,
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: "n1",
})

/** The charge point's answer to it; null: none came. */
export const endOf = (
  { id, organisationId, chargePointId }: CommandRow,
  confirmation: object | null,
  at = minute(0),
): InputOf<"endCommand"> => ({
  organisationId,
  chargePointId,
  commandId: id,
  state: confirmation ? "Answered" : "TimedOut",
  at,
  confirmation: confirmation && JSON.stringify(confirmation),
  error: null,
  configurationKeys: [],
})
