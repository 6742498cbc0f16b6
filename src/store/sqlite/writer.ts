/** The writer for SQLite: hands groups to a thread, so that neither a commit nor a checkpoint stalls the event loop. */
import type { Log } from "../../log.ts"
import { StoreUnavailable } from "../../services/ports.ts"
import type { Writer } from "../collector.ts"
import { failureOf, type Settled, type Write } from "../group.ts"
import { type Answer, type Order, unpack } from "./thread.ts"

export class SqliteWriter implements Writer {
  /** SQLite commits one at a time; the next one is with the thread by then, so that it waits for nobody. */
  readonly lanes = 2
  readonly worthALane = 128
  readonly #path: string
  readonly #start: () => Worker
  readonly #log: Log
  /** The thread that groups go to; it may still be opening. */
  #thread: Promise<Thread> | undefined
  #closed?: Promise<void>

  private constructor(path: string, start: () => Worker, log: Log) {
    this.#path = path
    this.#start = start
    this.#log = log
  }

  /** `start` starts a thread that runs `serveWriter`. @throws StoreUnavailable */
  static async open(path: string, start: () => Worker, log: Log): Promise<SqliteWriter> {
    const writer = new SqliteWriter(path, start, log)
    await writer.#running()
    return writer
  }

  orderedBy(): readonly string[] {
    return []
  }

  async settle(writes: readonly Write[], now: number): Promise<Settled> {
    const thread = this.#running()
    try {
      const answer = await (await thread).ask({ kind: "Settle", now, writes: JSON.stringify(writes) })
      if (answer.kind !== "Settled") throw new Error(whyNot(answer))
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
    const thread = await this.#thread?.catch(() => undefined)
    await thread?.ask({ kind: "Close" })
    thread?.terminate()
  }

  #running(): Promise<Thread> {
    this.#thread ??= this.#open()
    return this.#thread
  }

  async #open(): Promise<Thread> {
    const thread = new Thread(this.#start())
    const answer = await thread.ask({ kind: "Open", path: this.#path })
    if (answer.kind !== "Opened") {
      thread.terminate()
      throw new StoreUnavailable(whyNot(answer))
    }
    return thread
  }
}

const whyNot = (answer: Answer): string =>
  answer.kind === "Failed" ? answer.message : `the writer thread answered ${answer.kind}`

/** Questions to a thread that answers in their order. */
class Thread {
  readonly #worker: Worker
  readonly #asked: { resolve(answer: Answer): void; reject(cause: Error): void }[] = []
  #failure: Error | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#asked.shift()?.resolve(data)
    worker.onerror = (event) => this.#fail(new Error(event.message))
    worker.addEventListener("close", () => this.#fail(new Error("the thread ended")))
  }

  ask(order: Order): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#worker.postMessage(order)
    })
  }

  terminate(): void {
    this.#worker.terminate()
  }

  #fail(cause: Error): void {
    this.#failure = cause
    for (const { reject } of this.#asked.splice(0)) reject(cause)
  }
}
