import { builder } from "../builder.ts"
import { FileTransferProtocolWords } from "../enums-of-files.ts"
import { given } from "../paging.ts"
import { FirmwareImage, FirmwareUpdate } from "../refs.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("UpdateFirmware", {
  description: "Tells the charge point where to fetch new firmware. OCPP 1.6 §5.19.",
  input: builder.inputType("UpdateFirmwareInput", {
    description: "UpdateFirmware.req, with a location of one's own or with an image of Busbar's. OCPP 1.6 §6.53.",
    fields: (t) => ({
      ...operationFields(t),
      location: t.string({
        description: "The URI of the image; reaches the charge point as it is. Credentials in it are masked elsewhere.",
      }),
      firmwareImage: t.globalID({
        for: FirmwareImage,
        description: "In place of location: an image that Busbar serves itself, by a link that ends.",
      }),
      protocol: t.field({
        type: FileTransferProtocolWords.type,
        description:
          "How the link to firmwareImage is fetched; when left out HTTP, unless the charge point's configuration says that it knows FTP alone.",
      }),
      retrieveDate: t.field({ type: "DateTime", required: true, description: "The earliest moment to fetch it." }),
      retries: t.int({ description: "How often to try again." }),
      retryInterval: t.int({ description: "How long to wait before that, s." }),
    }),
  }),
  send: ({ firmwareImage, retrieveDate, ...fields }, who, { services, viewer }) =>
    services.firmware.update(viewer, {
      ...who,
      ...given(fields),
      retrieveDate,
      ...(firmwareImage && { firmwareImageId: firmwareImage.id }),
    }),
  errors: ["FirmwareImageNotFound"],
  confirmation: confirmationType("UpdateFirmware", (t) => ({
    firmwareUpdate: t.field({
      type: FirmwareUpdate,
      nullable: true,
      description: "What follows the update's progress.",
      resolve: ({ command }, _args, { loaders }) => loaders.firmwareUpdate.load(command.id),
    }),
  })),
})
