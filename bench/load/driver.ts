/** The run's end of the generator: starts it on a core of its own, and asks. */
import { availableParallelism } from "node:os"
import { join } from "node:path"
import type { Acts } from "./acts.ts"
import type { Told } from "./generator.ts"
import { stopping } from "./stopping.ts"

/** The core that the generator has for itself, as far as those that are measured leave it; undefined: no core is set apart. */
export function ownCore(): number | undefined {
  const cores = availableParallelism()
  return cores > 1 && process.platform === "linux" && Bun.which("taskset") !== null ? cores - 1 : undefined
}

type Arguments<Act extends keyof Acts> = Parameters<Acts[Act]>[0]
type Answer<Act extends keyof Acts> = Awaited<ReturnType<Acts[Act]>>

export class Driver implements AsyncDisposable {
  readonly #child: Bun.Subprocess
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #kill = () => this.#child.kill("SIGKILL")
  #lastId = 0
  #end: Error | undefined

  /** Ends with the run. @throws Stopped */
  constructor() {
    stopping.throwIfAborted()
    const core = ownCore()
    const pinned = core === undefined ? [] : ["taskset", "-c", String(core)]
    this.#child = Bun.spawn([...pinned, process.execPath, join(import.meta.dir, "generator.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (told: Told) => {
        const asked = this.#open.get(told.id)
        this.#open.delete(told.id)
        if ("failure" in told) asked?.reject(new Error(told.failure))
        else asked?.resolve(told.result)
      },
      onExit: (_child, code, signal) => {
        stopping.removeEventListener("abort", this.#kill)
        this.#end = stopping.aborted ? stopping.reason : new Error(`the generator ended with ${code ?? signal}`)
        for (const asked of this.#open.values()) asked.reject(this.#end)
      },
    })
    stopping.addEventListener("abort", this.#kill)
  }

  /** Resolves with what the generator found. @throws Error with its words, or when it is gone */
  ask<Act extends keyof Acts>(act: Act, args: Arguments<Act>): Promise<Answer<Act>> {
    if (this.#end) return Promise.reject(this.#end)
    const id = ++this.#lastId
    const asked = Promise.withResolvers<unknown>()
    this.#open.set(id, asked)
    this.#child.send({ id, act, args })
    return asked.promise as Promise<Answer<Act>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill()
    await this.#child.exited
  }
}
