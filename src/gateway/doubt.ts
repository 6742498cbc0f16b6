/** One doubt whether a socket is the charge point's newest: what it hears and says meanwhile waits, both ways, in order. */
import { OwnershipLost } from "../services/ownership.ts"

interface DoubtOptions {
  /** Resolves when this is the newest socket. @throws OwnershipLost; anything else while nobody can tell */
  prove: () => Promise<void>
  /** Reading should stop; may go on. */
  pause: () => void
  resume: () => void
  take: (text: string) => void
  write: (text: string) => void
  /** The doubt has ended; what has waited follows. */
  ended: () => void
  /** A newer socket was found. */
  lost: () => void
  /** Whether the socket is closed: then nothing can be said any more. */
  isOver: () => boolean
}

/** How long nobody could tell, until it is asked again. */
const RETRY_MS = 250

/**
 * A node that was paused or is cut off may have missed a newer socket. Until it knows, it takes no frame and sends none:
 * no answer is given, and none is taken, that is the newer socket's to give.
 */
export class Doubt {
  readonly #options: DoubtOptions
  readonly #heard: string[] = []
  readonly #unsaid: string[] = []
  /** Settles when the doubt has ended. */
  readonly end: Promise<void>

  constructor(options: DoubtOptions) {
    this.#options = options
    this.end = this.#findOut()
  }

  /** A frame from the charge point. */
  hear(text: string): void {
    // Not at the first: most doubts are over before the next, and all sockets of a node come into doubt together.
    if (this.#heard.push(text) > 1) this.#options.pause()
  }

  /** A frame for the charge point. */
  say(text: string): void {
    this.#unsaid.push(text)
  }

  async #findOut(): Promise<void> {
    const isNewest = await this.#isNewest()
    this.#options.ended()
    if (!isNewest) return this.#options.lost()
    // First what was to be said: what is heard may be answered at once.
    if (!this.#options.isOver()) for (const text of this.#unsaid) this.#options.write(text)
    for (const text of this.#heard) this.#options.take(text)
    this.#options.resume()
  }

  async #isNewest(): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.prove()
        return true
      } catch (cause) {
        if (cause instanceof OwnershipLost) return false
        // Of a socket that is gone nothing more can be lost than what it sent last.
        if (this.#options.isOver()) return true
      }
      await Bun.sleep(RETRY_MS)
    }
  }
}
