/** Firmware images, what charge points fetch and bring, and the parts of files. */
import { type RawBuilder, sql } from "kysely"
import type { DiagnosticsRow, FirmwareImageRow, FirmwareUpdateRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, contains, type Source } from "./source.ts"

type FileReads = Pick<
  Reads,
  | "firmwareImages"
  | "firmwareImagesByIds"
  | "firmwareUpdatesByIds"
  | "firmwareUpdateByTokenHash"
  | "firmwareUpdatesOf"
  | "firmwareUpdatesOfEach"
  | "diagnosticsByIds"
  | "diagnosticsByTokenHash"
  | "diagnosticsOf"
  | "diagnosticsOfEach"
  | "fileChunk"
>

const newestImages: Order<FirmwareImageRow> = {
  name: "firmwareImages",
  by: { createdAt: "integer", id: "text" },
  direction: "desc",
}
const newestUpdates: Order<FirmwareUpdateRow> = {
  name: "firmwareUpdates",
  by: { requestedAt: "integer", id: "text" },
  direction: "desc",
}
const newestDiagnostics: Order<DiagnosticsRow> = {
  name: "diagnostics",
  by: { requestedAt: "integer", id: "text" },
  direction: "desc",
}

const onChargePoint = {
  key: "id",
  parent: "chargePointId",
  parentOf: ({ chargePointId }: { chargePointId: string }) => chargePointId,
} as const
const updates: ChildList<FirmwareUpdateRow, string> = {
  table: "firmwareUpdates",
  order: newestUpdates,
  ...onChargePoint,
}
const diagnostics: ChildList<DiagnosticsRow, string> = {
  table: "diagnostics",
  order: newestDiagnostics,
  ...onChargePoint,
}

export function fileReads(source: Source): FileReads {
  const { db } = source
  const images = () => db.selectFrom("firmwareImages").selectAll()
  const allUpdates = () => db.selectFrom("firmwareUpdates").selectAll()
  const allDiagnostics = () => db.selectFrom("diagnostics").selectAll()
  return {
    firmwareImages(organisationId, { search, vendor, model }, page) {
      let found = images().where("organisationId", "=", organisationId)
      if (search !== undefined)
        found = found.where((e) => e.or(["name", "version", "fileName"].map((field) => contains(field, search))))
      if (vendor !== undefined) found = found.where(fits("vendor", vendor))
      if (model !== undefined) found = found.where(fits("model", model))
      return slice(found, newestImages, page)
    },

    firmwareImagesByIds: (ids) =>
      images()
        .where(among(source, "id", ids))
        .execute(),

    firmwareUpdatesByIds: (ids) =>
      allUpdates()
        .where(among(source, "id", ids))
        .execute(),

    firmwareUpdateByTokenHash: (tokenHash) => allUpdates().where("tokenHash", "=", tokenHash).executeTakeFirst(),

    firmwareUpdatesOf: (chargePointId, page) =>
      slice(allUpdates().where("chargePointId", "=", chargePointId), newestUpdates, page),

    firmwareUpdatesOfEach: (chargePointIds, page) => sliceOfEach(source, updates, chargePointIds, [], page),

    diagnosticsByIds: (ids) =>
      allDiagnostics()
        .where(among(source, "id", ids))
        .execute(),

    diagnosticsByTokenHash: (tokenHash) => allDiagnostics().where("tokenHash", "=", tokenHash).executeTakeFirst(),

    diagnosticsOf: (chargePointId, page) =>
      slice(allDiagnostics().where("chargePointId", "=", chargePointId), newestDiagnostics, page),

    diagnosticsOfEach: (chargePointIds, page) => sliceOfEach(source, diagnostics, chargePointIds, [], page),

    async fileChunk(fileId, position) {
      const found = db
        .selectFrom("fileChunks")
        .select("bytes")
        .where("fileId", "=", fileId)
        .where("position", "=", position)
      return (await found.executeTakeFirst())?.bytes
    },
  }
}

/** What names no vendor or model fits all of them. */
const fits = (field: "vendor" | "model", value: string): RawBuilder<boolean> =>
  sql<boolean>`(${sql.ref(field)} is null or ${sql.ref(field)} = ${value})`
