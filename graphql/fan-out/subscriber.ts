/** One subscription on its way to its client: caught up by itself, told by a group from then on, bounded in what may wait for it. */
import { setImmediate } from "node:timers/promises"
import type { ExecutionResult, GraphQLError } from "graphql"
import type { Story, Telling } from "../../src/services/following/story.ts"
import { Lagging } from "../../src/services/ports.ts"
import type { Limits } from "../limits.ts"
import type { Group, Listener } from "./group.ts"
import type { Outlet } from "./outlet.ts"
import { Result } from "./result.ts"

/** What a subscriber needs until it has caught up. */
export interface CatchingUp {
  story: Story<Telling>
  /** What the subscription says of things told together. */
  execute(told: readonly Telling[]): Promise<Result[]>
  /** The group that tells from this turn on. */
  join(): Group
}

/** Whom subscribers belong to. */
export interface Host {
  readonly limits: Pick<Limits, "waitingResults" | "waitingBytes">
  opened(subscriber: Subscriber): void
  delivered(count: number): void
  ended(subscriber: Subscriber): void
  /** A failure as the client may see it. */
  mask(cause: unknown): GraphQLError
}

/**
 * What a server of GraphQL holds of a subscription. Its results do not pass through the iteration, which lasts as long as
 * the subscription: they go straight to the outlet. `return` takes effect at once.
 */
export class Subscriber implements AsyncIterableIterator<ExecutionResult, undefined>, Listener {
  readonly #host: Host
  readonly #watch: (ended: (cause: Error) => void) => () => void
  readonly #over = Promise.withResolvers<IteratorResult<ExecutionResult, undefined>>()
  #catchingUp: CatchingUp | undefined
  #ending: AbortController | undefined = new AbortController()
  #unwatch: (() => void) | undefined
  #outlet: Outlet | undefined
  #group: Group | undefined
  #waiting: Result[] = []
  #waitingBytes = 0
  #awaitsRoom = false
  #room: PromiseWithResolvers<void> | undefined
  #hasEnded = false

  /** `watch` calls back when the bearer's time is over, and gives what stops it. */
  constructor(host: Host, catchingUp: CatchingUp, watch: (ended: (cause: Error) => void) => () => void) {
    this.#host = host
    this.#catchingUp = catchingUp
    this.#watch = watch
  }

  /** Begins: until a transport has come for the results there is nothing that could be left over. */
  start(outlet: Outlet): void {
    this.#outlet = outlet
    this.#host.opened(this)
    this.#unwatch = this.#watch((cause) => this.end(cause))
    void this.#begin()
  }

  receive(results: readonly Result[]): void {
    if (this.#hasEnded) return
    this.#send(results)
    const { waitingResults, waitingBytes } = this.#host.limits
    if (this.#waiting.length <= waitingResults && this.#waitingBytes <= waitingBytes) return
    this.end(new Lagging("the changes came faster than they were read"))
  }

  groupEnded(cause?: unknown): void {
    this.end(cause)
  }

  /** Completes the subscription; with a cause, which is its last result, in place of what still waits. */
  end(cause?: unknown): void {
    if (!this.#leave()) return
    if (cause !== undefined) this.#waiting = [new Result({ errors: [this.#host.mask(cause)] })]
    this.#flush()
  }

  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    return this.#over.promise
  }

  /** The client is no longer interested. */
  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#leave()
    this.#outlet = undefined
    this.#over.resolve(DONE)
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #begin(): Promise<void> {
    const { story, execute, join } = this.#catchingUp ?? {}
    if (!story || !execute || !join || !this.#ending) return
    const joined = (cursor: string) => {
      if (this.#hasEnded) return
      this.#group = join()
      this.#group.add(this, cursor)
    }
    try {
      for await (const part of story.begin(this.#ending.signal, joined)) {
        const results = await execute(part)
        if (!this.#hasEnded) this.#send(results)
        await this.#hasRoom()
        if (this.#hasEnded) return
        if (part.length > 1) await setImmediate()
      }
    } catch (cause) {
      this.end(cause)
    } finally {
      this.#catchingUp = undefined
      this.#ending = undefined
    }
  }

  /** False: that has been done before. */
  #leave(): boolean {
    if (this.#hasEnded) return false
    this.#hasEnded = true
    this.#group?.remove(this)
    this.#group = undefined
    this.#unwatch?.()
    this.#ending?.abort()
    this.#waiting = []
    this.#waitingBytes = 0
    this.#room?.resolve()
    this.#host.ended(this)
    return true
  }

  #send(results: readonly Result[]): void {
    const handedOver = this.#waiting.length === 0 ? this.#handOver(results) : 0
    if (handedOver === results.length) return
    for (const result of results.slice(handedOver)) {
      this.#waiting.push(result)
      this.#waitingBytes += result.text.length
    }
    this.#awaitRoom()
  }

  /** As many of these as there is room for; how many that are. */
  #handOver(results: readonly Result[]): number {
    let sent = 0
    while (this.#outlet && sent < results.length && !this.#outlet.isFull)
      sent += this.#outlet.send(sent === 0 ? results : results.slice(sent))
    this.#host.delivered(sent)
    return sent
  }

  /** Hands over what waits, as far as there is room. */
  #flush(): void {
    const outlet = this.#outlet
    if (!outlet) return
    const sent = this.#waiting.splice(0, this.#handOver(this.#waiting))
    for (const { text } of sent) this.#waitingBytes -= text.length
    if (this.#waiting.length > 0 || outlet.isFull) {
      this.#awaitRoom()
      return
    }
    this.#room?.resolve()
    this.#room = undefined
    if (!this.#hasEnded) return
    outlet.end()
    this.#outlet = undefined
    this.#over.resolve(DONE)
  }

  #awaitRoom(): void {
    if (this.#awaitsRoom) return
    this.#awaitsRoom = true
    this.#outlet?.onRoom(() => {
      this.#awaitsRoom = false
      this.#flush()
    })
  }

  /** Resolves when nothing waits and the client has read enough, or with the end. */
  async #hasRoom(): Promise<void> {
    if (this.#hasEnded || !this.#outlet || (this.#waiting.length === 0 && !this.#outlet.isFull)) return
    this.#room ??= Promise.withResolvers<void>()
    this.#awaitRoom()
    await this.#room.promise
  }
}

const DONE = { done: true, value: undefined } as const
