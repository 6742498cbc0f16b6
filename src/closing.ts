/** Closing in order: what was opened in the order of need closes in reverse. */
import type { Log } from "./log.ts"

/** Closes in reverse order of opening; every step runs even when one fails; running twice is running once. */
export class Closing implements AsyncDisposable {
  readonly #log: Log
  readonly #steps: { name: string; resource: AsyncDisposable }[] = []
  #done?: Promise<void>

  constructor(log: Log) {
    this.#log = log
  }

  /** Takes charge of a resource and gives it back. */
  add<Resource extends AsyncDisposable>(name: string, resource: Resource): Resource {
    this.#steps.unshift({ name, resource })
    return resource
  }

  /** Takes charge of a step that is only a function. */
  step(name: string, close: () => Promise<void> | void): void {
    this.add(name, { [Symbol.asyncDispose]: async () => close() })
  }

  run(): Promise<void> {
    this.#done ??= this.#run()
    return this.#done
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.run()
  }

  async #run(): Promise<void> {
    for (const { name, resource } of this.#steps) {
      try {
        await resource[Symbol.asyncDispose]()
      } catch (cause) {
        this.#log.error({ err: cause, step: name }, "a step of closing failed")
      }
    }
  }
}
