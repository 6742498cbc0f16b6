/** Charge points that may be spoken to again: where commands wait for them, a worker hears of it. */
import type { JournalEntry } from "../facts/recorded.ts"
import { isAccepted } from "../facts/queue.ts"
import type { Log } from "../log.ts"
import { Gathering } from "./gathering.ts"
import type { QueueJobs, Store } from "./ports.ts"

interface QueuePromptsOptions {
  store: Pick<Store, "read">
  jobs: Pick<QueueJobs, "prompt">
  log: Log
}

/** After these a charge point may have become one that is online and accepted. */
const KINDS: ReadonlySet<string> = new Set(["Online", "Booted", "Updated"])
/**
 * Many that come at once cost one question together. It also lets a charge point that has just opened its socket say
 * BootNotification first.
 */
const GATHER_MS = 200
const AT_ONCE = 1_000

export class QueuePrompts implements AsyncDisposable {
  readonly #options: QueuePromptsOptions
  readonly #chargePointIds = new Gathering<string>(GATHER_MS, (ids) => this.#prompt(ids))

  constructor(options: QueuePromptsOptions) {
    this.#options = options
  }

  /** Takes note of what was committed on this node. Never throws; what is lost here, a sweep finds. */
  note({ events }: JournalEntry): void {
    for (const recorded of events) {
      if (recorded.type !== "ChargePoint" || !KINDS.has(recorded.kind)) continue
      const { event } = recorded
      if (event.type !== "ChargePoint") continue
      const { id, online } = event.chargePoint
      if (online && isAccepted(event.chargePoint)) this.#chargePointIds.add(id)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#chargePointIds[Symbol.asyncDispose]()
  }

  async #prompt(chargePointIds: readonly string[]): Promise<void> {
    const { store, jobs, log } = this.#options
    try {
      for (let at = 0; at < chargePointIds.length; at += AT_ONCE) {
        const waited = await store.read.chargePointsWithQueue(chargePointIds.slice(at, at + AT_ONCE))
        if (waited.length > 0) await jobs.prompt(waited)
      }
    } catch (cause) {
      log.debug({ err: cause, chargePoints: chargePointIds.length }, "nobody was told who may be spoken to again")
    }
  }
}
