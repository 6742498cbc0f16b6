/** Links by which charge points fetch and bring files without a login: not to be guessed, with an end, never written down. */
import { randomBytes } from "node:crypto"
import type { Clock, Store } from "./ports.ts"
import { InvalidInput } from "./refusals.ts"
import { hashToken } from "./tokens.ts"

/** How a charge point moves a file. */
export type FileTransferProtocol = "HTTP" | "FTP"

/** Where charge points reach the file endpoints. */
export interface FilePlaces {
  /** The URL that `/files` is below of, without a slash at its end. */
  http(): string
  /** Undefined: FTP is off. */
  ftp(): { host: string; port: number } | undefined
}

/** Our part of FTP's two names; what opens the link is the password. */
export const FTP_USER = "busbar"
export const DOWNLOAD_PATH = "/files/download/"
export const UPLOAD_PATH = "/files/upload/"

const TOKEN = /^[\w-]{32}$/
const TOKEN_BYTES = 24

/** What is kept of a link's token; null where the text cannot be one. */
export const linkHash = (token: string): string | null => (TOKEN.test(token) ? hashToken(token) : null)

/** A link as it goes to the charge point, and what is kept of it. */
export interface FileLink {
  location: string
  tokenHash: string
  expiresAt: number
}

interface FileLinksOptions {
  read: Pick<Store["read"], "configurationOf">
  clock: Clock
  places: FilePlaces
  /** How long a link opens, ms. */
  lifetimeMs: number
}

export class FileLinks {
  readonly #options: FileLinksOptions

  constructor(options: FileLinksOptions) {
    this.#options = options
  }

  /** A link that gives this file; it ends a lifetime after `from`, when the charge point may begin to fetch. */
  async toDownload(
    fileName: string,
    {
      chargePointId,
      protocol,
      from,
    }: { chargePointId: string; protocol: FileTransferProtocol | undefined; from: number },
  ): Promise<FileLink> {
    const name = encodeURIComponent(fileName)
    return this.#make(
      await this.#protocolFor(chargePointId, protocol),
      from,
      (token) => `${DOWNLOAD_PATH}${token}/${name}`,
      name,
    )
  }

  /** A link that takes one file: a folder, to which many charge points add the name of their file. */
  async toUpload({
    chargePointId,
    protocol,
  }: {
    chargePointId: string
    protocol: FileTransferProtocol | undefined
  }): Promise<FileLink> {
    const chosen = await this.#protocolFor(chargePointId, protocol)
    return this.#make(chosen, 0, (token) => `${UPLOAD_PATH}${token}/`, "")
  }

  #make(protocol: FileTransferProtocol, from: number, httpPath: (token: string) => string, ftpPath: string): FileLink {
    const { clock, places, lifetimeMs } = this.#options
    const token = randomBytes(TOKEN_BYTES).toString("base64url")
    const kept = { tokenHash: hashToken(token), expiresAt: Math.max(clock.now(), from) + lifetimeMs }
    const ftp = places.ftp()
    if (protocol === "HTTP" || ftp === undefined) return { location: places.http() + httpPath(token), ...kept }
    return { location: `ftp://${FTP_USER}:${token}@${ftp.host}:${ftp.port}/${ftpPath}`, ...kept }
  }

  /**
   * The one asked for; left out, HTTP, unless the charge point's configuration says that it knows FTP alone. OCPP 1.6
   * §9.1, SupportedFileTransferProtocols. @throws InvalidInput
   */
  async #protocolFor(chargePointId: string, asked: FileTransferProtocol | undefined): Promise<FileTransferProtocol> {
    const hasFtp = this.#options.places.ftp() !== undefined
    if (asked === "FTP" && !hasFtp)
      throw new InvalidInput([{ path: "protocol", message: "FTP is switched off: FTP_PORT is not set" }])
    if (asked !== undefined || !hasFtp) return asked ?? "HTTP"
    const keys = await this.#options.read.configurationOf([chargePointId])
    const key = keys.find(({ key: name }) => name.toLowerCase() === "supportedfiletransferprotocols")
    const known = (key?.value ?? "").toUpperCase().split(/[\s,;]+/)
    return known.some((name) => name.startsWith("FTP")) && !known.some((name) => name.startsWith("HTTP"))
      ? "FTP"
      : "HTTP"
  }
}
