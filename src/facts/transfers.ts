/** What a charge point fetches or brings on request, and how its notifications say how that goes. OCPP 1.6 §4.4, §4.5. */
import type { Facts, Transfers } from "./facts.ts"
import type { DiagnosticsRow, FirmwareUpdateRow } from "./rows.ts"

type Transfer = DiagnosticsRow | FirmwareUpdateRow

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
  await loadLatest(facts, facts.firmwareUpdates, reports.filter(isOfFirmware))
  await loadLatest(facts, facts.diagnostics, reports.filter(isOfDiagnostics))
}

async function loadLatest(facts: Facts, transfers: Transfers<Transfer>, reports: readonly Told[]): Promise<void> {
  if (reports.length === 0) return
  const chargePointIds = reports.map((report) => report.chargePointId)
  await transfers.loadLatestOf(chargePointIds)
  await facts.commands.load(chargePointIds.flatMap((id) => transfers.latestOf(id).map((transfer) => transfer.id)))
}

/**
 * A notification names no request: it speaks of the newest one that has left and that the charge point was not known to
 * refuse. One that is about to leave is not meant: a charge point that was away repeats what it had to say of the one
 * before. Idle speaks of none, it is told only when asked for. OCPP 1.6 §4.4, §4.5.
 */
export function noteProgress(facts: Facts, report: Told): void {
  const status = statusOf(report.payload)
  if (status === undefined || status === "Idle") return
  const progress = { status, statusAt: report.receivedAt }
  if (isOfFirmware(report)) {
    const update = meantBy(facts, facts.firmwareUpdates, report)
    if (update) facts.firmwareUpdates.put({ ...update, ...progress })
  }
  if (isOfDiagnostics(report)) {
    const diagnostics = meantBy(facts, facts.diagnostics, report)
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

/** The request's command has its id; while it waits, or is on its way to a node, it is not sent. */
const meantBy = <Row extends Transfer>(facts: Facts, transfers: Transfers<Row>, { chargePointId }: Told) =>
  transfers
    .latestOf(chargePointId)
    .find(({ id, state }) => state !== "Failed" && facts.commands.get(id)?.sentAt != null)

function statusOf(payload: string): string | undefined {
  const { status }: { status?: unknown } = JSON.parse(payload)
  return typeof status === "string" ? status : undefined
}
