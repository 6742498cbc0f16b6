import type { FirmwareImageRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { mutation } from "../mutation.ts"
import { FirmwareImage } from "../refs.ts"

const DeleteFirmwareImagePayload = builder
  .objectRef<{ firmwareImage: FirmwareImageRow }>("DeleteFirmwareImagePayload")
  .implement({
    description: "The image is gone.",
    fields: (t) => ({
      firmwareImage: t.expose("firmwareImage", { type: FirmwareImage, description: "The image as it was." }),
    }),
  })

mutation("deleteFirmwareImage", {
  description: "Takes a firmware image away; links to it open nothing any more.",
  role: "Operator",
  input: builder.inputType("DeleteFirmwareImageInput", {
    description: "A firmware image that is not needed any more.",
    fields: (t) => ({
      id: t.globalID({ for: FirmwareImage, required: true, description: "The id of the FirmwareImage." }),
    }),
  }),
  success: DeleteFirmwareImagePayload,
  errors: ["FirmwareImageNotFound"],
  resolve: async ({ id }, { services, viewer }) => ({
    firmwareImage: await services.firmware.removeImage(viewer, id.id),
  }),
})
