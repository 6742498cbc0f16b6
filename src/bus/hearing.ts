/** Whether a node certainly hears what the others say to it: by its own echo, which comes behind everything said before. */
import { BusUnavailable } from "../services/ports.ts"

/**
 * For this long after the sending of an echo that has come back a node counts as hearing, ms. Whoever takes a charge
 * point from a node that does not say so within this time knows that it has begun to doubt by itself.
 */
export const HEARING_MS = 1_000
const ECHOES_PER_HEARING = 4

interface HearingOptions {
  /** Says this to the node itself, on the way by which it hears the others. @throws BusUnavailable */
  say: (echo: number) => Promise<unknown>
  /** Whether nothing said can have been lost since the last `restart`. */
  isWhole: () => boolean
}

/** An instant on two clocks: one stands still while a machine sleeps, the other may be set. */
interface Instant {
  steady: number
  wall: number
}

const NEVER: Instant = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY }

export class Hearing {
  readonly #options: HearingOptions
  readonly #sent = new Map<number, Instant>()
  #lastEcho = 0
  /** When the newest echo that has come back was sent. */
  #proven = NEVER
  #awaited: { promise: Promise<void>; resolve: () => void; reject: (cause: unknown) => void } | undefined
  #timer: Timer | undefined

  constructor(options: HearingOptions) {
    this.#options = options
  }

  /** Whether all that was said to this node until a moment ago has been heard. Cheap: asked at every frame. */
  get isCertain(): boolean {
    const { steady, wall } = this.#proven
    return performance.now() - steady < HEARING_MS && Date.now() - wall < HEARING_MS && this.#options.isWhole()
  }

  start(): void {
    this.#ask()
    this.#timer = setInterval(() => this.#ask(), HEARING_MS / ECHOES_PER_HEARING)
  }

  /** Resolves when this node is certain again. @throws BusUnavailable when that takes longer than it should. */
  async certain(): Promise<void> {
    if (this.isCertain) return
    if (!this.#options.isWhole()) throw new BusUnavailable("Redis is away")
    if (this.#awaited === undefined) {
      const awaited = Promise.withResolvers<void>()
      this.#awaited = awaited
      const timer = setTimeout(() => awaited.reject(new BusUnavailable("nothing is heard")), HEARING_MS)
      awaited.promise
        .catch(() => undefined)
        .finally(() => {
          clearTimeout(timer)
          this.#awaited = undefined
        })
      this.#ask()
    }
    return this.#awaited.promise
  }

  /** The node has heard itself. */
  hear(echo: number): void {
    const sent = this.#sent.get(echo)
    if (sent === undefined) return
    for (const earlier of this.#sent.keys()) if (earlier <= echo) this.#sent.delete(earlier)
    this.#proven = sent
    if (this.isCertain) this.#awaited?.resolve()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#awaited?.reject(new BusUnavailable("this node is stopping"))
  }

  #ask(): void {
    if (!this.#options.isWhole()) {
      // What was sent before a loss proves nothing of what was said during it.
      this.#sent.clear()
      this.#proven = NEVER
      return
    }
    const echo = ++this.#lastEcho
    this.#sent.set(echo, { steady: performance.now(), wall: Date.now() })
    this.#options.say(echo).catch(() => this.#sent.delete(echo))
  }
}
