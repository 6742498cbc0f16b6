import type { ChangeOf } from "../catalogue.ts"
import { chargePointSubject, diagnosticsState, organisationSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import type { DiagnosticsRow } from "../rows.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

export const addFirmwareImage: ChangeOf<"addFirmwareImage"> = {
  subjects: ({ firmwareImage }) => [organisationSubject(firmwareImage.organisationId)],
  load: (facts, inputs) => facts.firmwareImages.load(inputs.map(({ firmwareImage }) => firmwareImage.id)),
  apply(facts, { firmwareImage }) {
    facts.firmwareImages.put(firmwareImage)
    return { firmwareImage }
  },
}

export const removeFirmwareImage: ChangeOf<"removeFirmwareImage"> = {
  subjects: ({ organisationId }) => [organisationSubject(organisationId)],
  load: (facts, inputs) => facts.firmwareImages.load(inputs.map(({ firmwareImageId }) => firmwareImageId)),
  apply(facts, { organisationId, firmwareImageId }) {
    const firmwareImage = facts.firmwareImages.get(firmwareImageId)
    if (firmwareImage?.organisationId !== organisationId) return { notFound: true }
    facts.firmwareImages.delete(firmwareImageId)
    return { firmwareImage }
  },
}

export const requestFirmwareUpdate: ChangeOf<"requestFirmwareUpdate"> = {
  subjects: ({ firmwareUpdate }) => [chargePointSubject(firmwareUpdate.chargePointId)],
  load: (facts, inputs) => facts.firmwareUpdates.load(inputs.map(({ firmwareUpdate }) => firmwareUpdate.id)),
  apply(facts, { firmwareUpdate }) {
    facts.firmwareUpdates.put(firmwareUpdate)
    return { recorded: true }
  },
}

export const requestDiagnostics: ChangeOf<"requestDiagnostics"> = {
  subjects: ({ diagnostics }) => [chargePointSubject(diagnostics.chargePointId)],
  load: (facts, inputs) => facts.diagnostics.load(inputs.map(({ diagnostics }) => diagnostics.id)),
  apply(facts, { diagnostics }) {
    facts.diagnostics.put(diagnostics)
    return { recorded: true }
  },
}

/** What was prepared for a command that never came to be. */
export const withdrawTransfer: ChangeOf<"withdrawTransfer"> = {
  subjects: ({ chargePointId }) => [chargePointSubject(chargePointId)],
  async load(facts, inputs) {
    const ids = inputs.map(({ commandId }) => commandId)
    await facts.firmwareUpdates.load(ids)
    await facts.diagnostics.load(ids)
  },
  apply(facts, { commandId }) {
    if (facts.firmwareUpdates.get(commandId)) facts.firmwareUpdates.delete(commandId)
    if (facts.diagnostics.get(commandId)) facts.diagnostics.delete(commandId)
    return { recorded: true }
  },
}

const load = (facts: Facts, inputs: readonly { diagnosticsId: string }[]) =>
  facts.diagnostics.load(inputs.map(({ diagnosticsId }) => diagnosticsId))

const subjects = ({ chargePointId }: { chargePointId: string }) => [chargePointSubject(chargePointId)]

/** One upload at a time, and none after one that was complete. An upload whose lease ran out is over: its node is gone. */
export const beginUpload: ChangeOf<"beginUpload"> = {
  subjects,
  load,
  apply(facts, { diagnosticsId, uploadId, at, leaseUntil }) {
    const row = facts.diagnostics.get(diagnosticsId)
    if (!row || row.expiresAt === null || row.expiresAt <= at || row.state === "Failed") return { refused: "Over" }
    if (row.state === "Received") return { refused: "Spent" }
    if (row.state === "Receiving" && row.leaseUntil !== null && row.leaseUntil > at) return { refused: "Busy" }
    const diagnostics: DiagnosticsRow = { ...row, state: "Receiving", uploadId, leaseUntil }
    facts.diagnostics.put(diagnostics)
    return { diagnostics }
  },
}

export const keepUpload: ChangeOf<"keepUpload"> = {
  subjects,
  load,
  apply(facts, { diagnosticsId, uploadId, leaseUntil }) {
    const row = facts.diagnostics.get(diagnosticsId)
    if (row?.state !== "Receiving" || row.uploadId !== uploadId) return { held: false }
    facts.diagnostics.put({ ...row, leaseUntil })
    return { held: true }
  },
}

/** A complete upload spends its link; after an incomplete one the charge point may try again. */
export const endUpload: ChangeOf<"endUpload"> = {
  subjects,
  async load(facts, inputs) {
    await load(facts, inputs)
    await loadTold(
      facts,
      inputs.map(({ chargePointId }) => chargePointId),
    )
  },
  apply(facts, { diagnosticsId, uploadId, at, received }) {
    const row = facts.diagnostics.get(diagnosticsId)
    if (row?.state !== "Receiving" || row.uploadId !== uploadId) return { held: false }
    const over = { ...row, leaseUntil: null }
    const diagnostics: DiagnosticsRow = received
      ? {
          ...over,
          state: "Received",
          receivedName: received.name,
          size: received.size,
          sha256: received.sha256,
          receivedAt: at,
        }
      : { ...over, state: row.fileName === null ? "Requested" : "Expected", uploadId: null }
    facts.diagnostics.put(diagnostics)
    const chargePoint = facts.chargePoints.get(row.chargePointId)
    if (received && chargePoint)
      tellChargePoint(facts, "Diagnostics", chargePoint, at, { diagnostics: diagnosticsState(diagnostics) })
    return { held: true }
  },
}
