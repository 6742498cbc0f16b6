/** A subscription's source: ends with its client, its token or the server, and always says why. */
import type { Context, Source } from "./context.ts"
import { codedError, coded } from "./errors.ts"

/**
 * What happens, as GraphQL asks for it. Unlike a generator's, its `return` takes effect at once, also while the next
 * change is awaited.
 */
export class Live<Change> implements AsyncIterableIterator<Change>, Source {
  readonly #context: Context
  readonly #controller = new AbortController()
  readonly #unwatch: () => void
  readonly #changes: AsyncIterator<Change>
  #refusal: Error | undefined

  constructor(context: Context, open: (signal: AbortSignal) => AsyncIterable<Change>) {
    this.#context = context
    const { services, token, viewer, sources } = context
    this.#changes = open(this.#controller.signal)[Symbol.asyncIterator]()
    this.#unwatch = services.authentication.watch(token, viewer, () => {
      this.#refusal = coded("the token has expired or was revoked", "FORBIDDEN")
      this.#controller.abort()
    })
    sources.add(this)
  }

  async next(): Promise<IteratorResult<Change, undefined>> {
    try {
      const next = await this.#changes.next()
      if (this.#refusal) throw this.#refusal
      if (next.done || this.#controller.signal.aborted) return this.return()
      // What hangs on this change is asked for anew: the last change's answers are of the past.
      this.#context.loaders.clear()
      return { done: false, value: next.value }
    } catch (cause) {
      void this.return()
      throw codedError(cause) ?? cause
    }
  }

  async return(): Promise<IteratorResult<Change, undefined>> {
    this.#context.sources.delete(this)
    this.#unwatch()
    this.#controller.abort()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
