/** What a socket hears and says while it is not certain that it is the charge point's newest: it waits, both ways, in order. */
import { OwnershipLost } from "../services/ownership.ts"

interface DoubtOptions {
  /** Asked at every frame, so it has to be cheap. */
  isCertain: () => boolean
  /** Resolves when this is the newest socket. @throws OwnershipLost; anything else while nobody can tell */
  prove: () => Promise<void>
  /** Reading may stop, or go on. */
  pause: () => void
  resume: () => void
  take: (text: string) => void
  write: (text: string) => void
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
  #end: Promise<void> | undefined

  constructor(options: DoubtOptions) {
    this.#options = options
  }

  /** Settles when the present doubt has ended; undefined where there is none. */
  get end(): Promise<void> | undefined {
    return this.#end
  }

  /** A frame from the charge point. */
  hear(text: string): void {
    if (this.#isCertain()) this.#options.take(text)
    else this.#heard.push(text)
  }

  /** A frame for the charge point. */
  say(text: string): void {
    if (this.#options.isOver()) return
    if (this.#isCertain()) this.#options.write(text)
    else this.#unsaid.push(text)
  }

  #isCertain(): boolean {
    if (this.#end === undefined && this.#options.isCertain()) return true
    this.#end ??= this.#findOut()
    return false
  }

  async #findOut(): Promise<void> {
    this.#options.pause()
    const isNewest = await this.#isNewest()
    this.#end = undefined
    const heard = this.#heard.splice(0)
    const unsaid = this.#unsaid.splice(0)
    if (!isNewest) return this.#options.lost()
    for (const text of heard) this.#options.take(text)
    if (!this.#options.isOver()) for (const text of unsaid) this.#options.write(text)
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
