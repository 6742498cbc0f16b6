/** The writer for SQLite: hands groups to a thread, so that neither a commit nor a checkpoint stalls the event loop. */
import type { Log } from "../../log.ts"
import type { Writer } from "../collector.ts"
import { failureOf, type Settled, type Write } from "../group.ts"
import { carryWrites } from "./carriage.ts"
import { Checkpoints } from "./checkpoints.ts"
import { Thread, whyNot } from "./opened-thread.ts"
import { unpack } from "./thread.ts"

/** Its thread takes one group after the other. */
const unordered: readonly string[] = []

export class SqliteWriter implements Writer {
  /** SQLite commits one at a time; the next one is with the thread by then, so that it waits for nobody. */
  readonly lanes = 2
  readonly worthALane = 128
  readonly #path: string
  readonly #start: () => Worker
  readonly #log: Log
  readonly #checkpoints: Checkpoints
  /** The thread that groups go to; it may still be opening. */
  #thread: Promise<Thread> | undefined
  #closed?: Promise<void>

  private constructor(path: string, start: () => Worker, log: Log) {
    this.#path = path
    this.#start = start
    this.#log = log
    this.#checkpoints = new Checkpoints({
      open: () => Thread.open(start(), path),
      writer: () => this.#running(),
      log,
    })
  }

  /** `start` starts a thread that runs `serveWriter`. @throws StoreUnavailable */
  static async open(path: string, start: () => Worker, log: Log): Promise<SqliteWriter> {
    const writer = new SqliteWriter(path, start, log)
    await writer.#running()
    return writer
  }

  orderedBy(): readonly string[] {
    return unordered
  }

  async settle(writes: readonly Write[], now: number): Promise<Settled> {
    const thread = this.#running()
    try {
      const answer = await (await thread).ask({ kind: "Settle", now, ...carryWrites(writes) })
      if (answer.kind !== "Settled") throw new Error(whyNot(answer))
      this.#checkpoints.written(writes.length)
      return unpack(answer)
    } catch (cause) {
      this.#log.error({ err: cause }, "the writer thread failed; it is started anew")
      void thread.then((failed) => failed.terminate()).catch(() => undefined)
      // The group behind this one may have noticed before, and have begun with another.
      if (this.#thread === thread) this.#thread = undefined
      return { results: writes.map(() => ({ failure: failureOf(cause, true) })), entries: [] }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#checkpoints.close()
    const thread = await this.#thread?.catch(() => undefined)
    await thread?.close()
  }

  #running(): Promise<Thread> {
    this.#thread ??= Thread.open(this.#start(), this.#path)
    return this.#thread
  }
}
