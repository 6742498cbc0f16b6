/** The one file in an upload's body: the body itself, or the first file of a form. */
import { Readable } from "node:stream"
import { Busboy, type BusboyInstance } from "@fastify/busboy"
import { TooLarge } from "../services/stored-files.ts"

/** A body that is no upload. */
export class Unreadable extends Error {
  override readonly name = "Unreadable"
}

/** A file on its way in. */
export interface Incoming {
  /** The name that the form gives it; null: none. */
  name: string | null
  bytes: AsyncIterable<Uint8Array>
}

/** What a form may have around its file, bytes. */
export const FORM_BYTES = 64 * 1024

/** The file of a PUT or POST, read as it comes. @throws Unreadable, TooLarge where the request says so itself */
export async function fileIn(request: Request, maxBytes: number): Promise<Incoming> {
  const { body, headers } = request
  if (body === null) return { name: null, bytes: nothing() }
  const contentType = headers.get("content-type") ?? ""
  const isForm = /^multipart\/form-data\b/i.test(contentType)
  if (Number(headers.get("content-length") ?? 0) > maxBytes + (isForm ? FORM_BYTES : 0)) throw new TooLarge(maxBytes)
  return isForm ? fileOfForm(body, contentType) : { name: null, bytes: body }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // A body that is not there has no bytes.
}

/** The form is read no faster than its file is. */
function fileOfForm(body: ReadableStream<Uint8Array>, contentType: string): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) => reject(unreadable(cause))
    let form: BusboyInstance
    try {
      form = new Busboy({ headers: { "content-type": contentType }, limits: LIMITS })
    } catch (cause) {
      refuse(cause)
      return
    }
    const source = Readable.from(body)
    form.on("file", (_field, file, name) => {
      const broken = (cause: unknown) => void file.destroy(unreadable(cause))
      source.on("error", broken)
      form.on("error", broken)
      // It may break before anybody reads it.
      file.on("error", () => undefined)
      resolve({ name: name || null, bytes: readableOnly(file) })
    })
    form.on("error", refuse)
    form.on("finish", () => refuse("the form holds no file"))
    source.on("error", (cause) => {
      refuse(cause)
      form.destroy()
    })
    source.pipe(form)
  })
}

/** One file, and a little text around it, which is read and forgotten. */
const LIMITS = { files: 1, fields: 20, parts: 21, fieldSize: 4_096 }

const unreadable = (cause: unknown): Unreadable =>
  cause instanceof Unreadable
    ? cause
    : new Unreadable(cause instanceof Error ? cause.message : String(cause), { cause })

async function* readableOnly(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* file
  } catch (cause) {
    throw unreadable(cause)
  }
}
