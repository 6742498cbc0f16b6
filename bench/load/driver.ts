/** The run's end of the generator: starts it on a core of its own, and asks. */
import { availableParallelism } from "node:os"
import { join } from "node:path"
import type { Acts } from "./acts.ts"
import type { Told } from "./generator.ts"

/** The core that the generator has for itself, as far as those that are measured leave it; undefined: no core is set apart. */
export function ownCore(): number | undefined {
  const cores = availableParallelism()
  return cores > 1 && process.platform === "linux" && Bun.which("taskset") !== null ? cores - 1 : undefined
}

type Arguments<Act extends keyof Acts> = Parameters<Acts[Act]>[0]
type Answer<Act extends keyof Acts> = Awaited<ReturnType<Acts[Act]>>

/** The run was stopped by whoever started it. */
export class Stopped extends Error {
  override readonly name = "Stopped"
}

export class Driver implements AsyncDisposable {
  static readonly #all = new Set<Driver>()
  static #isStopped = false

  /** Ends every generator, now and later: what waits for one is rejected, and cleans up. */
  static stopAll(): void {
    Driver.#isStopped = true
    for (const driver of Driver.#all) driver.#child.kill("SIGKILL")
  }

  readonly #child: Bun.Subprocess
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #end: Error | undefined

  /** @throws Stopped after `stopAll` */
  constructor() {
    if (Driver.#isStopped) throw new Stopped("the run was stopped")
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
        Driver.#all.delete(this)
        this.#end = Driver.#isStopped
          ? new Stopped("the run was stopped")
          : new Error(`the generator ended with ${code ?? signal}`)
        for (const asked of this.#open.values()) asked.reject(this.#end)
      },
    })
    Driver.#all.add(this)
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
    this.#child.kill("SIGKILL")
    await this.#child.exited
  }
}
