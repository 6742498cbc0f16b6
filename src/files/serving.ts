/** How a file goes out over HTTP: whole or in parts, with what a client needs to check it. RFC 9110 §9.3, §13, §14; RFC 9530. */
import type { BunFile } from "bun"
import { wantedOf } from "./range.ts"

export interface ServedFile {
  name: string
  /** Bytes. */
  size: number
  /** 64 hex digits. */
  sha256: string
  open(): Promise<BunFile>
}

/** The answer to a GET or HEAD for the file. */
export async function serve({ method, headers: asked }: Request, file: ServedFile): Promise<Response> {
  const etag = `"${file.sha256}"`
  const digest = Buffer.from(file.sha256, "hex").toString("base64")
  const headers: Record<string, string> = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-transform",
    "Content-Disposition": `attachment; filename="${asciiOf(file.name)}"; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    "Content-Type": "application/octet-stream",
    Digest: `SHA-256=${digest}`,
    ETag: etag,
    "Repr-Digest": `sha-256=:${digest}:`,
    "X-Content-Type-Options": "nosniff",
  }
  if (isNamedBy(asked.get("if-none-match"), etag)) return new Response(null, { status: 304, headers })
  if (method === "HEAD") return new Response(null, { headers: { ...headers, "Content-Length": String(file.size) } })
  const wanted = wantedOf(asked, file.size, etag)
  switch (wanted.kind) {
    case "Whole":
      // As a part, so that nothing else looks for a range in the request.
      return new Response((await file.open()).slice(0, file.size), { headers })
    case "Part": {
      const { start, end } = wanted
      const range = { "Content-Range": `bytes ${start}-${end - 1}/${file.size}` }
      return new Response((await file.open()).slice(start, end), { status: 206, headers: { ...headers, ...range } })
    }
    case "Beyond":
      return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${file.size}` } })
  }
}

const isNamedBy = (header: string | null, etag: string): boolean =>
  (header ?? "").split(",").some((name) => name.trim().replace(/^W\//, "") === etag)

const asciiOf = (name: string): string => name.replaceAll(/[^\x20-\x7e]|["\\]/g, "_")
