/** The charge point's side of a link: it fetches the image it was told of, or brings the file it was asked for. */
import type { DiagnosticsRow, FirmwareImageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { linkHash } from "./file-links.ts"
import type { Clock, Store } from "./ports.ts"
import { type StoredFiles, TooLarge } from "./stored-files.ts"

interface TransfersOptions {
  store: Pick<Store, "change" | "read">
  files: StoredFiles
  clock: Clock
  log: Log
  /** The largest file that is taken, bytes. */
  maxBytes: number
}

/** Over: the link takes nothing (any more). Spent: the file is there. Busy: it is coming. Empty: there was none. */
export type UploadRefusal = "Over" | "Spent" | "Busy" | "Empty"

/** The file is not taken. */
export class UploadRefused extends Error {
  override readonly name = "UploadRefused"
  readonly reason: UploadRefusal

  constructor(reason: UploadRefusal) {
    super(`the upload is refused: ${reason}`)
    this.reason = reason
  }
}

/** Another upload took this one's place, or it lasted too long. */
class UploadEnded extends Error {
  override readonly name = "UploadEnded"
}

/** How long another node waits for word of an upload before it counts as broken. */
const LEASE_MS = 60_000
const LEASE_EVERY_MS = 20_000
/** Nobody needs longer, and nobody shall hold a link for ever. */
const LONGEST_UPLOAD_MS = 4 * 3_600_000

export class Transfers {
  readonly #options: TransfersOptions

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** The image that a link gives now; undefined where it gives nothing. @throws StoreUnavailable */
  async image(token: string): Promise<FirmwareImageRow | undefined> {
    const { store, clock } = this.#options
    const tokenHash = linkHash(token)
    const update = tokenHash === null ? undefined : await store.read.firmwareUpdateByTokenHash(tokenHash)
    if (update?.firmwareImageId == null || update.expiresAt === null || update.state === "Failed") return undefined
    if (update.expiresAt <= clock.now()) return undefined
    const [image] = await store.read.firmwareImagesByIds([update.firmwareImageId])
    return image
  }

  /** Why the link takes no file now, as far as can be told before one comes; undefined: it does. @throws StoreUnavailable */
  async refusal(token: string): Promise<"Over" | "Spent" | undefined> {
    const row = await this.#diagnosticsOf(token)
    if (row?.expiresAt == null || row.expiresAt <= this.#options.clock.now() || row.state === "Failed") return "Over"
    return row.state === "Received" ? "Spent" : undefined
  }

  /** Takes the one file of a link, complete or not at all. @throws UploadRefused, TooLarge, and what the source throws */
  async receive(token: string, name: string | null, source: AsyncIterable<Uint8Array>): Promise<void> {
    const { store, files, clock, log, maxBytes } = this.#options
    const row = await this.#diagnosticsOf(token)
    if (row === undefined) throw new UploadRefused("Over")
    const upload = { chargePointId: row.chargePointId, diagnosticsId: row.id, uploadId: crypto.randomUUID() }
    const at = clock.now()
    const begun = await store.change("beginUpload", { ...upload, at, leaseUntil: at + LEASE_MS })
    if ("refused" in begun) throw new UploadRefused(begun.refused)

    const lease = new Lease(async () => {
      const { held } = await store.change("keepUpload", { ...upload, leaseUntil: clock.now() + LEASE_MS })
      return held && clock.now() - at < LONGEST_UPLOAD_MS
    })
    try {
      const { size, sha256 } = await files.write(upload.uploadId, lease.over(source), maxBytes)
      if (size === 0) throw new UploadRefused("Empty")
      const received = { name: nameFor(name), size, sha256 }
      const { held } = await store.change("endUpload", { ...upload, at: clock.now(), received })
      if (!held) throw new UploadEnded("another upload took its place")
      log.info({ chargePointId: row.chargePointId, diagnosticsId: row.id, size }, "diagnostics were received")
    } catch (cause) {
      await files.remove(upload.uploadId)
      // What cannot be said now is said by the end of the lease.
      await store.change("endUpload", { ...upload, at: clock.now(), received: null }).catch(() => undefined)
      const why = cause instanceof TooLarge || cause instanceof UploadRefused ? cause.message : String(cause)
      log.info({ chargePointId: row.chargePointId, diagnosticsId: row.id, why }, "an upload of diagnostics broke off")
      throw cause
    } finally {
      lease.end()
    }
  }

  async #diagnosticsOf(token: string): Promise<DiagnosticsRow | undefined> {
    const tokenHash = linkHash(token)
    return tokenHash === null ? undefined : this.#options.store.read.diagnosticsByTokenHash(tokenHash)
  }
}

/** The name as it may be shown and offered for download: no path, no control characters. */
function nameFor(name: string | null): string | null {
  const last = name
    ?.split(/[/\\]/)
    .at(-1)
    ?.replaceAll(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 255)
  return last ? last : null
}

/** Says now and then that the upload goes on, and breaks its source off where it may not. */
class Lease {
  readonly #timer: Timer
  readonly #ended = Promise.withResolvers<never>()

  constructor(keep: () => Promise<boolean>) {
    this.#ended.promise.catch(() => undefined)
    this.#timer = setInterval(() => {
      keep().then(
        (held) => held || this.#ended.reject(new UploadEnded("the upload is over")),
        // The store may be back before the lease ends.
        () => undefined,
      )
    }, LEASE_EVERY_MS)
  }

  async *over(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const parts = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await Promise.race([parts.next(), this.#ended.promise])
        if (done) return
        yield value
      }
    } finally {
      // Not awaited: a source that is stuck would keep us with it.
      parts.return?.().catch(() => undefined)
    }
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
