import type { CommandRow, DiagnosticsRow } from "../rows.ts"
import type { Learner } from "./learner.ts"

const idsOf = (ended: readonly { command: CommandRow }[]) => ended.map(({ command }) => command.id)

/** Whether the charge point took the request; what it does with it comes by FirmwareStatusNotification. OCPP 1.6 §5.19. */
export const updateFirmware: Learner<"UpdateFirmware"> = {
  load: (facts, ended) => facts.firmwareUpdates.load(idsOf(ended)),
  learn(facts, { command, at }) {
    const update = facts.firmwareUpdates.get(command.id)
    if (update?.state !== "Requested") return
    const expiresAt = linkEnd(update, Math.max(update.requestedAt, update.retrieveDate), at)
    if (command.state === "TimedOut") facts.firmwareUpdates.put({ ...update, expiresAt })
    if (command.state === "Answered") facts.firmwareUpdates.put({ ...update, expiresAt, state: "Accepted" })
    if (neverTaken(command)) facts.firmwareUpdates.put({ ...update, state: "Failed" })
  },
}

/**
 * Which file the charge point is going to upload; without a name it has none. After a timeout it may still bring one.
 * OCPP 1.6 §5.9.
 */
export const getDiagnostics: Learner<"GetDiagnostics"> = {
  load: (facts, ended) => facts.diagnostics.load(idsOf(ended)),
  learn(facts, { command, confirmation, at }) {
    const row = facts.diagnostics.get(command.id)
    if (!row) return
    const state = stateAfter(command, confirmation?.fileName)
    // A fast upload may be under way, or over, before the answer is read.
    const isOpen = row.state === "Requested"
    facts.diagnostics.put({
      ...row,
      expiresAt: linkEnd(row, row.requestedAt, at),
      fileName: confirmation?.fileName ?? row.fileName,
      state: isOpen && state !== undefined ? state : row.state,
    })
  },
}

/** A command that waited in the queue took its link's time with it: the charge point has all of it from the answer on. */
const linkEnd = ({ expiresAt }: { expiresAt: number | null }, from: number, at: number): number | null =>
  expiresAt === null ? null : Math.max(expiresAt, at + (expiresAt - from))

function stateAfter(command: CommandRow, fileName: string | undefined): DiagnosticsRow["state"] | undefined {
  if (command.state === "Answered") return fileName ? "Expected" : "Nothing"
  return neverTaken(command) ? "Failed" : undefined
}

/** Whether the charge point is sure not to act on it; after a timeout it may. */
const neverTaken = ({ state }: CommandRow): boolean =>
  state === "Failed" || state === "Expired" || state === "Cancelled"
