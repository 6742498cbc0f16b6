import { builder } from "../builder.ts"
import { FileTransferProtocolWords } from "../enums-of-files.ts"
import { given } from "../paging.ts"
import { DiagnosticsRef } from "../refs.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("GetDiagnostics", {
  description: "Asks the charge point to upload its diagnostics. OCPP 1.6 §5.9.",
  input: builder.inputType("GetDiagnosticsInput", {
    description: "GetDiagnostics.req. OCPP 1.6 §6.25.",
    fields: (t) => ({
      ...operationFields(t),
      location: t.string({
        description:
          "The URI of the folder to upload to; reaches the charge point as it is, credentials in it are masked elsewhere. When left out, Busbar takes the file itself by a link for one upload.",
      }),
      protocol: t.field({
        type: FileTransferProtocolWords.type,
        description:
          "How Busbar's own link takes the file; when left out HTTP, unless the charge point's configuration says that it knows FTP alone.",
      }),
      retries: t.int({ description: "How often to try again." }),
      retryInterval: t.int({ description: "How long to wait before that, s." }),
      startTime: t.field({ type: "DateTime", description: "From when; as far back as there is when left out." }),
      stopTime: t.field({ type: "DateTime", description: "Until when; up to now when left out." }),
    }),
  }),
  send: (fields, who, { services, viewer }) => services.diagnostics.request(viewer, { ...who, ...given(fields) }),
  confirmation: confirmationType("GetDiagnostics", (t) => ({
    fileName: t.string({
      nullable: true,
      description: "The file that is going to be uploaded; null: there is none.",
      resolve: ({ confirmation }) => confirmation.fileName ?? null,
    }),
    diagnostics: t.field({
      type: DiagnosticsRef,
      nullable: true,
      description: "What follows the upload.",
      resolve: ({ command }, _args, { loaders }) => loaders.diagnostics.load(command.id),
    }),
  })),
})
