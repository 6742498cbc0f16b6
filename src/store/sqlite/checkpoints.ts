/** Bringing SQLite's log into the database while the writer goes on: done by the writer, it would keep every answer waiting. */
import type { Log } from "../../log.ts"
import { type Thread, whyNot } from "./opened-thread.ts"
import type { Checkpoint } from "./engine.ts"

interface CheckpointsOptions {
  /** Opens a thread of its own. */
  open: () => Promise<Thread>
  /** The thread that writes. */
  writer: () => Promise<Thread>
  log: Log
}

/** After so many writes the log is worth bringing over: a page that changed often is brought once. */
const WRITES_BETWEEN = 1_000
/** Pages of a log that should begin anew. It can when all of it is in the database while nothing is being written. */
const LARGEST_LOG = 8_000

export class Checkpoints {
  readonly #options: CheckpointsOptions
  #thread: Promise<Thread> | undefined
  #writes = 0
  #working: Promise<void> | undefined

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /** To be called after each commit. */
  written(writes: number): void {
    this.#writes += writes
    if (this.#writes < WRITES_BETWEEN || this.#working !== undefined) return
    this.#writes = 0
    this.#working = this.#bring().finally(() => {
      this.#working = undefined
    })
  }

  async close(): Promise<void> {
    await this.#working
    const thread = await this.#thread?.catch(() => undefined)
    await thread?.close()
  }

  /** What fails here the writer makes good when the log has grown large. */
  async #bring(): Promise<void> {
    const { open, writer, log } = this.#options
    this.#thread ??= open()
    const thread = this.#thread
    try {
      const { pages } = await checkpointBy(await thread)
      // What came meanwhile is little, and brought by the writer itself: nothing can come after it then.
      if (pages > LARGEST_LOG) await checkpointBy(await writer())
    } catch (cause) {
      log.warn({ err: cause }, "SQLite's log was not brought into the database")
      if (this.#thread === thread) this.#thread = undefined
      void thread.then((failed) => failed.terminate()).catch(() => undefined)
    }
  }
}

async function checkpointBy(thread: Thread): Promise<Checkpoint> {
  const answer = await thread.ask({ kind: "Checkpoint" })
  if (answer.kind !== "Checkpointed") throw new Error(whyNot(answer))
  return answer
}
