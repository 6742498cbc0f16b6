/** Firmware images, and the UpdateFirmware that tells a charge point where to fetch one. OCPP 1.6 §5.19. */
import type { FirmwareImageRow, FirmwareUpdateRow } from "../facts/rows.ts"
import type { CommandWish, Commands } from "./commands.ts"
import type { FileLinks, FileTransferProtocol } from "./file-links.ts"
import { maskUrl } from "./masking.ts"
import type { Clock, CommandResult, Store } from "./ports.ts"
import { demand, FirmwareImageNotFound } from "./refusals.ts"
import type { StoredFiles } from "./stored-files.ts"
import { sendTransfer } from "./transfer-commands.ts"
import type { Viewer } from "./viewer.ts"

interface FirmwareOptions {
  store: Pick<Store, "change" | "read">
  commands: Commands
  files: StoredFiles
  links: FileLinks
  clock: Clock
  /** The largest image that is taken, bytes. */
  maxBytes: number
}

/** What an operator says of an image. */
export interface ImageDescription {
  name: string
  version: string
  fileName: string
  vendor?: string | undefined
  model?: string | undefined
}

/** An update that somebody wants: from one of our images, or from a location of their own. */
export interface UpdateWish extends Pick<
  CommandWish,
  "chargePointId" | "identity" | "commandId" | "idempotencyKey" | "timeoutMs"
> {
  /** Reaches the charge point byte for byte. */
  location?: string | undefined
  firmwareImageId?: string | undefined
  /** For a link of ours. */
  protocol?: FileTransferProtocol | undefined
  /** The earliest moment to fetch it, epoch ms. */
  retrieveDate: number
  retries?: number | undefined
  /** s */
  retryInterval?: number | undefined
}

const MAX_TEXT = 100

export class Firmware {
  readonly #options: FirmwareOptions

  constructor(options: FirmwareOptions) {
    this.#options = options
  }

  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** Keeps an image as its bytes come. @throws InvalidInput, TooLarge, StoreUnavailable, and what the source throws */
  async addImage(
    viewer: Pick<Viewer, "organisationId" | "name">,
    { name, version, fileName, vendor, model }: ImageDescription,
    source: AsyncIterable<Uint8Array>,
  ): Promise<FirmwareImageRow> {
    const { store, files, clock, maxBytes } = this.#options
    demand(
      text("name", name),
      text("version", version),
      [/^[^/\\\p{Cc}]{1,100}$/u.test(fileName) && !/^\.+$/.test(fileName), "fileName", "must be the name of a file"],
      ...(vendor === undefined ? [] : [text("vendor", vendor)]),
      ...(model === undefined ? [] : [text("model", model)]),
    )
    const id = crypto.randomUUID()
    const { size, sha256 } = await files.write(id, source, maxBytes)
    if (size === 0) demand([false, "", "the image is empty"])
    const firmwareImage: FirmwareImageRow = {
      id,
      organisationId: viewer.organisationId,
      name,
      version,
      fileName,
      vendor: vendor ?? null,
      model: model ?? null,
      size,
      sha256,
      createdAt: clock.now(),
      createdBy: viewer.name,
    }
    await store.change("addFirmwareImage", { firmwareImage })
    return firmwareImage
  }

  /** Takes an image away; links to it open nothing any more. @throws FirmwareImageNotFound */
  async removeImage(viewer: Pick<Viewer, "organisationId">, firmwareImageId: string): Promise<FirmwareImageRow> {
    const { store, files } = this.#options
    const outcome = await store.change("removeFirmwareImage", {
      organisationId: viewer.organisationId,
      firmwareImageId,
    })
    if ("notFound" in outcome) throw new FirmwareImageNotFound()
    await files.remove(firmwareImageId)
    return outcome.firmwareImage
  }

  /** @throws FirmwareImageNotFound */
  async image(viewer: Pick<Viewer, "organisationId">, firmwareImageId: string): Promise<FirmwareImageRow> {
    const [image] = await this.#options.store.read.firmwareImagesByIds([firmwareImageId])
    if (image?.organisationId !== viewer.organisationId) throw new FirmwareImageNotFound()
    return image
  }

  /**
   * Asks a charge point to update itself: one CALL, and one entry among its updates that follows what it reports. Who
   * repeats a wish under its idempotencyKey gets the first one's result. @throws InvalidInput, FirmwareImageNotFound
   */
  async update(viewer: Pick<Viewer, "organisationId" | "name">, wish: UpdateWish): Promise<CommandResult> {
    const { location, firmwareImageId, retrieveDate, retries, retryInterval, protocol, ...who } = wish
    demand([
      (location === undefined) !== (firmwareImageId === undefined),
      "location",
      "is given, or firmwareImage is, and not both",
    ])
    const link =
      firmwareImageId === undefined
        ? undefined
        : await this.#options.links.toDownload((await this.image(viewer, firmwareImageId)).fileName, {
            chargePointId: who.chargePointId,
            protocol,
            from: retrieveDate,
          })
    const request = {
      location: link?.location ?? location,
      retrieveDate: new Date(retrieveDate).toISOString(),
      ...(retries !== undefined && { retries }),
      ...(retryInterval !== undefined && { retryInterval }),
    }
    return sendTransfer(this.#options, viewer, { ...who, action: "UpdateFirmware", request }, (id) => {
      const firmwareUpdate: FirmwareUpdateRow = {
        id,
        organisationId: viewer.organisationId,
        chargePointId: who.chargePointId,
        firmwareImageId: firmwareImageId ?? null,
        location: maskUrl(request.location ?? ""),
        retrieveDate,
        requestedAt: this.#options.clock.now(),
        tokenHash: link?.tokenHash ?? null,
        expiresAt: link?.expiresAt ?? null,
        state: "Requested",
        status: null,
        statusAt: null,
      }
      return this.#options.store.change("requestFirmwareUpdate", { firmwareUpdate })
    })
  }
}

const text = (path: string, value: string): [boolean, string, string] => [
  /\S/.test(value) && value.length <= MAX_TEXT,
  path,
  `must have 1 to ${MAX_TEXT} characters`,
]
