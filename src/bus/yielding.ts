/** The wait of a node that has taken a charge point until those that held it say that they have let go. */
import { HEARING_MS } from "./hearing.ts"

/** A node that keeps silent for so long doubts by itself whether it still holds anything. */
export const PATIENCE_MS = HEARING_MS + 250
/** Where it has lately kept silent, its doubt has begun already; one that lives answers within this time. */
const SHORT_PATIENCE_MS = 150
const REMEMBER_SILENCE_MS = 30_000

/** One claim, from before it is said until it has been answered or given up. */
interface Waiting {
  heard: Set<string>
  /** Runs whenever a node was heard. */
  check: () => void
}

export class Yielding {
  readonly #waiting = new Map<string, Waiting>()
  /** Nodes that did not answer, and when. */
  readonly #silent = new Map<string, number>()

  /** To be called before the claim is said: an answer may be there first. */
  begin(chargePointId: string, epoch: number) {
    const key = keyOf(chargePointId, epoch)
    const waiting: Waiting = { heard: new Set(), check: () => undefined }
    this.#waiting.set(key, waiting)
    let isAwaited = false
    return {
      /** Resolves when these nodes have answered, or when there is no point in waiting on. */
      by: (nodeIds: readonly string[]): Promise<void> => {
        if (nodeIds.length === 0) return Promise.resolve()
        isAwaited = true
        return this.#answered(waiting, nodeIds).finally(() => this.#waiting.delete(key))
      },
      /** The claim itself is over; where nobody has to be waited for, that is all. */
      askedFor: (): void => {
        if (!isAwaited) this.#waiting.delete(key)
      },
    }
  }

  note(chargePointId: string, epoch: number, nodeId: string): void {
    this.#silent.delete(nodeId)
    const waiting = this.#waiting.get(keyOf(chargePointId, epoch))
    waiting?.heard.add(nodeId)
    waiting?.check()
  }

  #answered(waiting: Waiting, nodeIds: readonly string[]): Promise<void> {
    const missing = () => nodeIds.filter((nodeId) => !waiting.heard.has(nodeId))
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      for (const nodeId of missing()) this.#silent.set(nodeId, performance.now())
      resolve()
    }, this.#patienceMs(nodeIds))
    waiting.check = () => {
      if (missing().length > 0) return
      clearTimeout(timer)
      resolve()
    }
    waiting.check()
    return promise
  }

  #patienceMs(nodeIds: readonly string[]): number {
    for (const [nodeId, at] of this.#silent)
      if (performance.now() - at > REMEMBER_SILENCE_MS) this.#silent.delete(nodeId)
    return nodeIds.every((nodeId) => this.#silent.has(nodeId)) ? SHORT_PATIENCE_MS : PATIENCE_MS
  }
}

const keyOf = (chargePointId: string, epoch: number): string => `${epoch} ${chargePointId}`
