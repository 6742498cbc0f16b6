import type { ReportRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { DiagnosticsStatusWords, FirmwareStatusWords } from "../enums-of-charging.ts"
import { DiagnosticsReport, FirmwareReport } from "../refs.ts"

/** The word that a notification's status carries. */
function statusOf({ payload }: ReportRow): string {
  const { status }: { status?: unknown } = JSON.parse(payload)
  return typeof status === "string" ? status : ""
}

builder.objectType(FirmwareReport, {
  description: "How a firmware update went, as last told. OCPP 1.6 §4.5.",
  fields: (t) => ({
    status: t.field({
      type: FirmwareStatusWords.type,
      nullable: true,
      description: "The status; null where the charge point used a word of its own.",
      resolve: (report) => FirmwareStatusWords.known(statusOf(report)),
    }),
    reportedStatus: t.string({ description: "The status in the charge point's own word.", resolve: statusOf }),
    reportedAt: t.expose("receivedAt", { type: "DateTime", description: "When it was told." }),
  }),
})

builder.objectType(DiagnosticsReport, {
  description: "How an upload of diagnostics went, as last told. OCPP 1.6 §4.4.",
  fields: (t) => ({
    status: t.field({
      type: DiagnosticsStatusWords.type,
      nullable: true,
      description: "The status; null where the charge point used a word of its own.",
      resolve: (report) => DiagnosticsStatusWords.known(statusOf(report)),
    }),
    reportedStatus: t.string({ description: "The status in the charge point's own word.", resolve: statusOf }),
    reportedAt: t.expose("receivedAt", { type: "DateTime", description: "When it was told." }),
  }),
})
