import { encodeGlobalID } from "@pothos/plugin-relay"
import type { FirmwareImageRow } from "../src/facts/rows.ts"
import { FirmwareImage } from "./refs.ts"

/** A firmware image in JSON as its type in the schema shows it, with the id by which mutations know it. */
export const shownImage = ({
  id,
  name,
  version,
  fileName,
  vendor,
  model,
  size,
  sha256,
  createdAt,
}: FirmwareImageRow) => ({
  id: encodeGlobalID(FirmwareImage.name, id),
  name,
  version,
  fileName,
  vendor,
  model,
  sizeBytes: size,
  sha256,
  createdAt: new Date(createdAt).toISOString(),
})
