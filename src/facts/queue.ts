/** The queue of a charge point: commands that wait until it can be spoken to, oldest wish first. */
import { chargePointSubject } from "./events.ts"
import type { Facts } from "./facts.ts"
import { learn } from "./learning/index.ts"
import type { ChargePointRow, CommandError, CommandRow } from "./rows.ts"

/** How many commands may wait for one charge point. */
export const QUEUE_LIMIT = 100

/** The end, as JSON, of a command whose charge point was taken away. */
export const CHARGE_POINT_DELETED = JSON.stringify({
  code: "Deleted",
  description: "the charge point was deleted before it could be sent",
} satisfies CommandError)

/** Below 0 where the one is sent before the other. The ids of commands grow, so that equal instants have an order. */
export const compareInQueue = (one: CommandRow, other: CommandRow): number =>
  one.requestedAt - other.requestedAt || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0)

/** How long the charge point has to answer a Queued command once it is sent, ms. */
export const answerTimeMs = ({ deadlineAt, expiresAt }: Pick<CommandRow, "deadlineAt" | "expiresAt">): number =>
  deadlineAt - (expiresAt ?? 0)

/** Whether commands that wait may be sent to it: its identity was accepted by an answer to its boot. OCPP 1.6 §4.2. */
export const isAccepted = ({
  registrationStatus,
  acceptedAt,
}: Pick<ChargePointRow, "registrationStatus" | "acceptedAt">) =>
  registrationStatus === "Accepted" && acceptedAt !== null

/**
 * Keeps and tells a command that is no longer Queued; what it would have sent is forgotten. `loadLessons` must have been
 * asked for one that ends.
 */
export function leaveQueue(facts: Facts, command: CommandRow, at: number): void {
  facts.commands.put(command)
  facts.sealedRequests.delete(command.id)
  facts.tell(command.organisationId, chargePointSubject(command.chargePointId), at, { type: "Command", command })
  if (command.answeredAt !== null) learn(facts, command)
}
