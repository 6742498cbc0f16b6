/** Where charge points fetch images and bring diagnostics by links that need no login; anything else is not there. */
import { DOWNLOAD_PATH, UPLOAD_PATH } from "../services/file-links.ts"
import { StoreUnavailable } from "../services/ports.ts"
import { TooLarge } from "../services/stored-files.ts"
import { type Transfers, type UploadRefusal, UploadRefused } from "../services/transfers.ts"
import type { Log } from "../log.ts"
import { fileIn, Unreadable } from "./body.ts"
import type { LocalCopies } from "./local-copies.ts"
import { serve } from "./serving.ts"

interface LinkEndpointOptions {
  transfers: Transfers
  copies: LocalCopies
  log: Log
}

const REFUSALS: Record<UploadRefusal, { status: number; text: string }> = {
  Over: { status: 404, text: "not found" },
  Spent: { status: 409, text: "the file is there already" },
  Busy: { status: 409, text: "the file is being uploaded" },
  Empty: { status: 400, text: "the file is empty" },
}

export class LinkEndpoint {
  readonly #options: LinkEndpointOptions

  constructor(options: LinkEndpointOptions) {
    this.#options = options
  }

  /** The answer to a request below one of the link paths; undefined for any other path. Never rejects. */
  async answer(request: Request, pathname: string): Promise<Response | undefined> {
    const isDownload = pathname.startsWith(DOWNLOAD_PATH)
    if (!isDownload && !pathname.startsWith(UPLOAD_PATH)) return undefined
    const segments = pathname.slice((isDownload ? DOWNLOAD_PATH : UPLOAD_PATH).length).split("/")
    const token = segments.shift() ?? ""
    // A folder's slash may have been written twice.
    const names = segments.map(decoded).filter((name) => name !== "")
    try {
      return isDownload ? await this.#download(request, token, names) : await this.#upload(request, token, names)
    } catch (cause) {
      return this.#failed(cause)
    }
  }

  async #download(request: Request, token: string, names: readonly string[]): Promise<Response> {
    const image = await this.#options.transfers.image(token)
    if (image === undefined || names.length !== 1 || names[0] !== image.fileName) return notFound()
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD")
    const { id, fileName: name, size, sha256 } = image
    return serve(request, { name, size, sha256, open: () => this.#options.copies.of(id, size) })
  }

  async #upload(request: Request, token: string, names: readonly string[]): Promise<Response> {
    const { transfers } = this.#options
    // Before a byte of the body is looked at.
    const refusal = await transfers.refusal(token)
    if (refusal !== undefined) throw new UploadRefused(refusal)
    if (request.method !== "PUT" && request.method !== "POST") return notAllowed("PUT, POST")
    const { name, bytes } = await fileIn(request, transfers.maxBytes)
    await transfers.receive(token, names.at(-1) ?? name, bytes)
    return new Response(null, { status: 201 })
  }

  #failed(cause: unknown): Response {
    if (cause instanceof UploadRefused) return plain(REFUSALS[cause.reason].status, REFUSALS[cause.reason].text)
    if (cause instanceof TooLarge) return plain(413, cause.message)
    if (cause instanceof Unreadable) return plain(400, "the form cannot be read")
    if (cause instanceof StoreUnavailable) return plain(503, "unavailable")
    // Most often the other end went away in the middle.
    this.#options.log.warn({ err: cause }, "a transfer failed")
    return plain(500, "the transfer failed")
  }
}

const plain = (status: number, text: string): Response =>
  // What was not read of a body would be taken for the next request.
  new Response(`${text}\n`, { status, ...(status >= 400 && { headers: { Connection: "close" } }) })

const notFound = (): Response => plain(404, "not found")

const notAllowed = (methods: string): Response => new Response(null, { status: 405, headers: { Allow: methods } })

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
