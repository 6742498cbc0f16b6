/**
 * Copies of stored files on this node's disk, made when one is first asked for: a fleet that fetches one image reads the
 * store once per node, and an answer has a length, which the modems of many charge points cannot do without.
 */
import { mkdtemp, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import type { BunFile } from "bun"
import type { StoredFiles } from "../services/stored-files.ts"

/** More than are given out at a time; beyond it the one that was asked for longest ago goes. */
const MOST_COPIES = 16

export class LocalCopies implements AsyncDisposable {
  readonly #files: StoredFiles
  readonly #mostCopies: number
  /** By the file's id, the one asked for last at the end. */
  readonly #copies = new Map<string, Promise<string>>()
  #folder: Promise<string> | undefined

  constructor(files: StoredFiles, mostCopies = MOST_COPIES) {
    this.#files = files
    this.#mostCopies = mostCopies
  }

  /** The file on disk. @throws StoreUnavailable, and where the disk is full */
  async of(fileId: string, size: number): Promise<BunFile> {
    const copy = this.#copies.get(fileId) ?? this.#make(fileId, size)
    this.#copies.delete(fileId)
    this.#copies.set(fileId, copy)
    try {
      const path = await copy
      await this.#forgetOldest()
      return Bun.file(path)
    } catch (cause) {
      this.#copies.delete(fileId)
      throw cause
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const folder = await this.#folder
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }

  async #make(fileId: string, size: number): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "busbar-files-"))
    const path = join(await this.#folder, fileId)
    const unfinished = `${path}.part`
    const writer = Bun.file(unfinished).writer()
    try {
      for await (const bytes of this.#files.read(fileId, 0, size)) {
        writer.write(bytes)
        await writer.flush()
        // A store that answers at once would keep everybody else waiting.
        await setImmediate()
      }
    } finally {
      await writer.end()
    }
    await rename(unfinished, path)
    return path
  }

  /** A file that is being given out stays readable until that is done. */
  async #forgetOldest(): Promise<void> {
    for (const [fileId, copy] of this.#copies) {
      if (this.#copies.size <= this.#mostCopies) return
      this.#copies.delete(fileId)
      await copy.then((path) => rm(path, { force: true })).catch(() => undefined)
    }
  }
}
