/** Where people bring firmware images and take diagnostics, by bearer token. */
import type { Authentication } from "../services/authentication.ts"
import { bearerToken } from "../services/authentication.ts"
import type { Diagnostics } from "../services/diagnostics.ts"
import type { Firmware, ImageDescription } from "../services/firmware.ts"
import { StoreUnavailable } from "../services/ports.ts"
import { FirmwareImageNotFound, InvalidInput } from "../services/refusals.ts"
import { TooLarge } from "../services/stored-files.ts"
import { allows, type Viewer } from "../services/viewer.ts"
import type { FirmwareImageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { fileIn, Unreadable } from "./body.ts"
import type { LocalCopies } from "./local-copies.ts"
import { serve } from "./serving.ts"

interface DeskOptions {
  firmware: Firmware
  diagnostics: Diagnostics
  authentication: Pick<Authentication, "viewerOf">
  copies: LocalCopies
  log: Log
  /** A new image as the API would show it. */
  shown: (image: FirmwareImageRow) => object
}

const FIRMWARE_PATH = "/files/firmware"
const DIAGNOSTICS_PATH = "/files/diagnostics"

export class Desk {
  readonly #options: DeskOptions

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** The answer to a request below `/files/`; undefined for any other path. Never rejects. */
  async answer(request: Request, pathname: string): Promise<Response | undefined> {
    if (!pathname.startsWith("/files/")) return undefined
    try {
      const token = bearerToken(request.headers.get("authorization"))
      const viewer = await this.#options.authentication.viewerOf(token)
      if (viewer === null) return refused(401, "a valid token is needed: Authorization: Bearer <token>")
      if (!allows(viewer.role, "Operator")) return refused(403, "this needs a token of role OPERATOR")
      return await this.#serve(viewer, request, pathname)
    } catch (cause) {
      return this.#failed(cause)
    }
  }

  async #serve(viewer: Viewer, request: Request, pathname: string): Promise<Response> {
    const { method } = request
    if (pathname === FIRMWARE_PATH) return method === "POST" ? this.#take(viewer, request) : notAllowed("POST")
    const [folder, id] = [pathname.slice(0, pathname.lastIndexOf("/")), pathname.slice(pathname.lastIndexOf("/") + 1)]
    if (folder !== FIRMWARE_PATH && folder !== DIAGNOSTICS_PATH) return refused(404, "not found")
    if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD")
    return folder === FIRMWARE_PATH ? this.#image(viewer, request, id) : this.#diagnostics(viewer, request, id)
  }

  /** What the image is stands in the query, its bytes in the body: raw, or as the first file of a form. */
  async #take(viewer: Viewer, request: Request): Promise<Response> {
    const { firmware, shown } = this.#options
    const { name, bytes } = await fileIn(request, firmware.maxBytes)
    const image = await firmware.addImage(viewer, describedIn(new URL(request.url).searchParams, name), bytes)
    return Response.json(shown(image), { status: 201, headers: { Location: `${FIRMWARE_PATH}/${image.id}` } })
  }

  async #image(viewer: Viewer, request: Request, id: string): Promise<Response> {
    const { fileName: name, size, sha256 } = await this.#options.firmware.image(viewer, id)
    return serve(request, { name, size, sha256, open: () => this.#options.copies.of(id, size) })
  }

  async #diagnostics(viewer: Viewer, request: Request, id: string): Promise<Response> {
    const found = await this.#options.diagnostics.received(viewer, id)
    if (found === undefined) return refused(404, "not found")
    const { receivedName, fileName, uploadId, size, sha256 } = found
    const name = receivedName ?? fileName ?? "diagnostics"
    return serve(request, { name, size, sha256, open: () => this.#options.copies.of(uploadId, size) })
  }

  #failed(cause: unknown): Response {
    if (cause instanceof InvalidInput)
      return Response.json({ error: cause.message, issues: cause.issues }, { status: 400, headers: CLOSE })
    if (cause instanceof TooLarge) return refused(413, cause.message)
    if (cause instanceof Unreadable) return refused(400, "the form cannot be read")
    if (cause instanceof FirmwareImageNotFound) return refused(404, "not found")
    if (cause instanceof StoreUnavailable) return refused(503, "the store is away for the moment")
    // Most often the other end went away in the middle.
    this.#options.log.warn({ err: cause }, "a transfer failed")
    return refused(500, "the transfer failed")
  }
}

function describedIn(query: URLSearchParams, formName: string | null): ImageDescription {
  const fileName = query.get("fileName") ?? formName ?? ""
  const vendor = query.get("vendor") ?? undefined
  const model = query.get("model") ?? undefined
  return { name: query.get("name") ?? fileName, version: query.get("version") ?? "", fileName, vendor, model }
}

/** What was not read of a body would be taken for the next request. */
const CLOSE = { Connection: "close" }

function refused(status: number, error: string): Response {
  const headers = status === 401 ? { ...CLOSE, "WWW-Authenticate": "Bearer" } : CLOSE
  return Response.json({ error }, { status, headers })
}

const notAllowed = (methods: string): Response => new Response(null, { status: 405, headers: { Allow: methods } })
