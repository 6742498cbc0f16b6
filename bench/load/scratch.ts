/** Folders of a run's own, which go with it however it ends, but by SIGKILL. */
import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Scratch extends AsyncDisposable {
  readonly path: string
}

/** An empty folder on the disk that is measured. */
export async function scratchFolder(name: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `busbar-bench-${name}-`))
  const last = () => rmSync(path, { recursive: true, force: true })
  process.on("exit", last)
  return {
    path,
    async [Symbol.asyncDispose]() {
      process.off("exit", last)
      await rm(path, { recursive: true, force: true })
    },
  }
}
