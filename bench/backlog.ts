/** Transaction messages wait here until the central system has acknowledged them: in order, with retries. OCPP 1.6 §3.7. */
import { ConnectionLost, type Payload } from "./wire.ts"

export type Deliver = (action: string, payload: object) => Promise<Payload>

interface Entry {
  action: string
  payload: () => object
  tries: number
  resolve: (confirmation: Payload) => void
  reject: (cause: unknown) => void
}

export class Backlog {
  /** TransactionMessageAttempts: how often a message is tried that the central system fails to process. */
  attempts = 3
  /** TransactionMessageRetryInterval in ms; the wait grows by it with every try. */
  retryIntervalMs = 60_000
  /** How many messages are kept; beyond, the oldest MeterValues go, never a Start or a Stop. */
  limit = 2000
  dropped = 0
  readonly #deliver: Deliver
  readonly #isOnline: () => boolean
  #entries: Entry[] = []
  #held = false
  #running = false
  #idle: PromiseWithResolvers<void> | undefined

  constructor(deliver: Deliver, isOnline: () => boolean) {
    this.#deliver = deliver
    this.#isOnline = isOnline
  }

  get length(): number {
    return this.#entries.length
  }

  /**
   * Queues a message; its payload is made when it leaves, so that a Stop knows the transactionId of its Start.
   * Resolves with the confirmation; rejects when the attempts are used up.
   */
  add(action: string, payload: () => object): Promise<Payload> {
    return new Promise((resolve, reject) => {
      this.#entries.push({ action, payload, tries: 0, resolve, reject })
      this.#shrink()
      this.flow()
    })
  }

  /** Nothing leaves until `release`: the charge point is not accepted. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.flow()
  }

  /** Goes on where it stopped; called when the connection is back. */
  flow(): void {
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  /** Resolves when every message is acknowledged or given up. */
  async whenEmpty(): Promise<void> {
    if (this.#entries.length === 0) return
    this.#idle ??= Promise.withResolvers()
    return this.#idle.promise
  }

  async #run(): Promise<void> {
    for (let entry = this.#entries[0]; entry && !this.#held && this.#isOnline(); entry = this.#entries[0])
      await this.#try(entry)
    this.#running = false
    if (this.#entries.length > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  async #try(entry: Entry): Promise<void> {
    try {
      const confirmation = await this.#deliver(entry.action, entry.payload())
      this.#entries.shift()
      entry.resolve(confirmation)
    } catch (cause) {
      // A lost connection says nothing about the message: it keeps its place and its attempts.
      if (cause instanceof ConnectionLost) return
      if (++entry.tries < this.attempts) return pause(this.retryIntervalMs * entry.tries)
      this.#entries.shift()
      this.dropped++
      entry.reject(cause)
    }
  }

  #shrink(): void {
    if (this.#entries.length <= this.limit) return
    // The first may be on its way; the intermediate readings are what OCPP 1.6 §3.7.1 lets go.
    const index = this.#entries.findIndex(({ action }, at) => at > 0 && action === "MeterValues")
    const [entry] = index < 0 ? [] : this.#entries.splice(index, 1)
    if (!entry) return
    this.dropped++
    entry.reject(new Error("no room for this reading"))
  }
}

/** A wait that keeps no process alive. */
const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())
