/** The owner's side of a thread that has the database open; `thread.ts` is the thread's. */
import { StoreUnavailable } from "../../services/ports.ts"
import type { Answer, Order } from "./thread.ts"

/** Why an answer is not the one that was asked for. */
export const whyNot = (answer: Answer): string =>
  answer.kind === "Failed" ? answer.message : `the thread answered ${answer.kind}`

/** Questions to a thread that answers in their order. */
export class Thread {
  readonly #worker: Worker
  readonly #asked: { resolve(answer: Answer): void; reject(cause: Error): void }[] = []
  #failure: Error | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#asked.shift()?.resolve(data)
    worker.onerror = (event) => this.#fail(new Error(event.message))
    worker.addEventListener("close", () => this.#fail(new Error("the thread ended")))
  }

  /** Has a thread that runs `serveWriter` open the database. @throws StoreUnavailable */
  static async open(worker: Worker, path: string): Promise<Thread> {
    const thread = new Thread(worker)
    const answer = await thread.ask({ kind: "Open", path })
    if (answer.kind === "Opened") return thread
    thread.terminate()
    throw new StoreUnavailable(whyNot(answer))
  }

  /** Resolves to the answer. Rejects when the thread has ended or is in no state to answer. */
  ask(order: Order): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#worker.postMessage(order)
    })
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    await this.ask({ kind: "Close" })
    this.terminate()
  }

  terminate(): void {
    this.#worker.terminate()
  }

  #fail(cause: Error): void {
    this.#failure = cause
    for (const { reject } of this.#asked.splice(0)) reject(cause)
  }
}
