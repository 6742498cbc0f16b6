/** What a charge point fetches or brings on request, and how its notifications say how that goes. OCPP 1.6 §4.4, §4.5. */
import type { Facts } from "./facts.ts"
import type { DiagnosticsRow } from "./rows.ts"

/** A notification as a report keeps it. */
interface Told {
  chargePointId: string
  action: string
  /** JSON, the request. */
  payload: string
  receivedAt: number
}

const isOfFirmware = ({ action }: Told) => action === "FirmwareStatusNotification"
const isOfDiagnostics = ({ action }: Told) => action === "DiagnosticsStatusNotification"

/** Loads what these notifications may speak of. */
export async function loadTransfers(facts: Facts, reports: readonly Told[]): Promise<void> {
  const firmware = reports.filter(isOfFirmware)
  const diagnostics = reports.filter(isOfDiagnostics)
  if (firmware.length > 0) await facts.firmwareUpdates.loadLatestOf(firmware.map((report) => report.chargePointId))
  if (diagnostics.length > 0) await facts.diagnostics.loadLatestOf(diagnostics.map((report) => report.chargePointId))
}

/**
 * A notification names no request: it speaks of the newest one that the charge point was not known to refuse. Idle
 * speaks of none, it is told only when asked for. OCPP 1.6 §4.4, §4.5.
 */
export function noteProgress(facts: Facts, report: Told): void {
  const status = statusOf(report.payload)
  if (status === undefined || status === "Idle") return
  const progress = { status, statusAt: report.receivedAt }
  if (isOfFirmware(report)) {
    const update = facts.firmwareUpdates.latestOf(report.chargePointId).find(isNotRefused)
    if (update) facts.firmwareUpdates.put({ ...update, ...progress })
  }
  if (isOfDiagnostics(report)) {
    const diagnostics = facts.diagnostics.latestOf(report.chargePointId).find(isNotRefused)
    if (diagnostics) facts.diagnostics.put({ ...reopened(diagnostics, status), ...progress })
  }
}

/**
 * What came is not the whole file if the charge point says so: by FTP, an upload that breaks off looks like one that is
 * complete. The link takes another one.
 */
function reopened(row: Readonly<DiagnosticsRow>, status: string): DiagnosticsRow {
  if (status !== "UploadFailed" || row.state !== "Received") return row
  const none = { uploadId: null, receivedName: null, size: null, sha256: null, receivedAt: null }
  return { ...row, state: row.fileName === null ? "Requested" : "Expected", ...none }
}

const isNotRefused = ({ state }: { state: string }) => state !== "Failed"

function statusOf(payload: string): string | undefined {
  const { status }: { status?: unknown } = JSON.parse(payload)
  return typeof status === "string" ? status : undefined
}
