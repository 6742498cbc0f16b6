/** GetDiagnostics, and the files that charge points bring. OCPP 1.6 §5.9. */
import type { DiagnosticsRow } from "../facts/rows.ts"
import type { CommandWish, Commands } from "./commands.ts"
import type { FileLinks, FileTransferProtocol } from "./file-links.ts"
import { maskUrl } from "./masking.ts"
import type { Clock, CommandResult, Store } from "./ports.ts"
import { sendTransfer } from "./transfer-commands.ts"
import type { Viewer } from "./viewer.ts"

interface DiagnosticsOptions {
  store: Pick<Store, "change" | "read">
  commands: Commands
  links: FileLinks
  clock: Clock
}

/** Diagnostics that somebody wants. */
export interface DiagnosticsWish extends Pick<
  CommandWish,
  "chargePointId" | "identity" | "idempotencyKey" | "timeoutMs"
> {
  /** Reaches the charge point byte for byte; left out, a link of ours takes the file. */
  location?: string | undefined
  /** For a link of ours. */
  protocol?: FileTransferProtocol | undefined
  retries?: number | undefined
  /** s */
  retryInterval?: number | undefined
  /** From when, epoch ms. */
  startTime?: number | undefined
  /** Until when, epoch ms. */
  stopTime?: number | undefined
}

export class Diagnostics {
  readonly #options: DiagnosticsOptions

  constructor(options: DiagnosticsOptions) {
    this.#options = options
  }

  /**
   * Asks a charge point to upload its diagnostics: one CALL, and one entry among its requests that follows what it
   * reports and takes the file. @throws InvalidInput
   */
  async request(viewer: Pick<Viewer, "organisationId" | "name">, wish: DiagnosticsWish): Promise<CommandResult> {
    const { location: named, protocol, retries, retryInterval, startTime, stopTime, ...who } = wish
    const { chargePointId } = who
    const link = named === undefined ? await this.#options.links.toUpload({ chargePointId, protocol }) : undefined
    const location = link?.location ?? named ?? ""
    const request = {
      location,
      ...(retries !== undefined && { retries }),
      ...(retryInterval !== undefined && { retryInterval }),
      ...(startTime !== undefined && { startTime: new Date(startTime).toISOString() }),
      ...(stopTime !== undefined && { stopTime: new Date(stopTime).toISOString() }),
    }
    return sendTransfer(this.#options, viewer, { ...who, action: "GetDiagnostics", request }, (id) => {
      const diagnostics: DiagnosticsRow = {
        id,
        organisationId: viewer.organisationId,
        chargePointId,
        location: maskUrl(location),
        requestedAt: this.#options.clock.now(),
        tokenHash: link?.tokenHash ?? null,
        expiresAt: link?.expiresAt ?? null,
        state: "Requested",
        fileName: null,
        status: null,
        statusAt: null,
        uploadId: null,
        leaseUntil: null,
        receivedName: null,
        size: null,
        sha256: null,
        receivedAt: null,
      }
      return this.#options.store.change("requestDiagnostics", { diagnostics })
    })
  }

  /** A file that came, with the id its bytes lie under; undefined where the organisation has none of this id. */
  async received(
    viewer: Pick<Viewer, "organisationId">,
    id: string,
  ): Promise<(DiagnosticsRow & { uploadId: string; size: number; sha256: string }) | undefined> {
    const [row] = await this.#options.store.read.diagnosticsByIds([id])
    if (row?.organisationId !== viewer.organisationId || row.state !== "Received") return undefined
    const { uploadId, size, sha256 } = row
    return uploadId === null || size === null || sha256 === null ? undefined : { ...row, uploadId, size, sha256 }
  }
}
