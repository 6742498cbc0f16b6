/** Files in the store: written and read in parts, so that a node never holds one as a whole. */
import { createHash } from "node:crypto"
import type { Clock, Store } from "./ports.ts"

/** All parts of a file but its last have this length. */
const CHUNK_BYTES = 256 * 1024

/** More bytes came than are taken. */
export class TooLarge extends Error {
  override readonly name = "TooLarge"

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`)
  }
}

/** What is known of a file once it is there. */
export interface Stored {
  /** Bytes. */
  size: number
  /** 64 hex digits. */
  sha256: string
}

/** As much of the store as files need. */
export interface FileStore extends Pick<Store, "addFileChunk" | "removeFileChunks"> {
  read: Pick<Store["read"], "fileChunk">
}

export class StoredFiles {
  readonly #store: FileStore
  readonly #clock: Clock

  constructor(store: FileStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * Keeps the bytes under an id that was never used; resolves when all are on disk. What was kept of a file that fails
   * is removed again. @throws TooLarge, StoreUnavailable, and what the source throws
   */
  async write(fileId: string, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Stored> {
    const hash = createHash("sha256")
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let size = 0
    let position = 0
    let filled = 0
    const flush = async () => {
      if (filled === 0) return
      await this.#store.addFileChunk(fileId, position, chunk.subarray(0, filled), this.#clock.now())
      position++
      filled = 0
    }
    try {
      for await (const bytes of source) {
        size += bytes.length
        if (size > maxBytes) throw new TooLarge(maxBytes)
        hash.update(bytes)
        for (let taken = 0; taken < bytes.length;) {
          const part = bytes.subarray(taken, taken + CHUNK_BYTES - filled)
          chunk.set(part, filled)
          filled += part.length
          taken += part.length
          if (filled === CHUNK_BYTES) await flush()
        }
      }
      await flush()
    } catch (cause) {
      await this.remove(fileId)
      throw cause
    }
    return { size, sha256: hash.digest("hex") }
  }

  /** The bytes from `start` up to but not including `end`, read as they are taken. */
  async *read(fileId: string, start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at < end;) {
      const position = Math.floor(at / CHUNK_BYTES)
      const from = position * CHUNK_BYTES
      const chunk = await this.#store.read.fileChunk(fileId, position)
      if (chunk === undefined) throw new Error(`a part of the file ${fileId} is missing`)
      const part = chunk.subarray(at - from, end - from)
      if (part.length === 0) throw new Error(`the file ${fileId} ends before its end`)
      yield part
      at += part.length
    }
  }

  /** Never rejects: what stays behind belongs to nothing, and goes by its age. */
  async remove(fileId: string): Promise<void> {
    await this.#store.removeFileChunks(fileId).catch(() => undefined)
  }
}
