import { allows } from "../../src/services/viewer.ts"
import { builder } from "../builder.ts"
import { DiagnosticsStatusWords } from "../enums-of-charging.ts"
import { DiagnosticsStateWords } from "../enums-of-files.ts"
import { ChargePoint, Command, DiagnosticsRef } from "../refs.ts"

builder.node(DiagnosticsRef, {
  description: "A GetDiagnostics that somebody asked for, and the file that came. OCPP 1.6 §5.9, §4.4.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.diagnostics.load(id))),
  fields: (t) => ({
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Which charge point; null where it is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    command: t.field({
      type: Command,
      nullable: true,
      description: "The command; null while it is about to be sent.",
      resolve: ({ id }, _args, { loaders }) => loaders.command.load(id),
    }),
    location: t.exposeString("location", { description: "Where the charge point is to upload it, secrets masked." }),
    linkExpiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When Busbar's own link ends; null for another location.",
    }),
    requestedAt: t.expose("requestedAt", { type: "DateTime", description: "When it was asked for." }),
    state: t.expose("state", { type: DiagnosticsStateWords.type, description: "What became of it." }),
    fileName: t.string({
      nullable: true,
      description: "The name under which the file was uploaded, else the one in the charge point's answer.",
      resolve: ({ receivedName, fileName }) => receivedName ?? fileName,
    }),
    status: t.field({
      type: DiagnosticsStatusWords.type,
      nullable: true,
      description: "What the charge point last told of it; null: nothing, or a word of its own.",
      resolve: ({ status }) => DiagnosticsStatusWords.known(status),
    }),
    reportedStatus: t.exposeString("status", {
      nullable: true,
      description: "The same in the charge point's own word.",
    }),
    statusAt: t.expose("statusAt", { type: "DateTime", nullable: true, description: "When it told that." }),
    sizeBytes: t.exposeFloat("size", { nullable: true, description: "The file's length, bytes." }),
    sha256: t.exposeString("sha256", { nullable: true, description: "Its SHA-256, 64 hexadecimal digits." }),
    receivedAt: t.expose("receivedAt", { type: "DateTime", nullable: true, description: "When it was complete." }),
    downloadPath: t.string({
      nullable: true,
      description:
        "Where a bearer of OPERATOR fetches the file on the API's address; null for others, and while there is none.",
      resolve: ({ id, state }, _args, { viewer }) =>
        state === "Received" && allows(viewer.role, "Operator") ? `/files/diagnostics/${id}` : null,
    }),
  }),
})
