/** Results as server-sent events, in the form of graphql-sse's distinct connections mode. */
import type { Outlet } from "./outlet.ts"
import { pieceOf, type Result } from "./result.ts"
import type { Subscriber } from "./subscriber.ts"

const encoder = new TextEncoder()
/** A comment: some browsers wait for a first byte, and a silent connection would be taken for dead. */
const PING = encoder.encode(":\n\n")
const COMPLETE = encoder.encode("event: complete\ndata:\n\n")
const PING_EVERY_MS = 12_000
/** How much may lie ready for a client that reads slowly. */
const HIGH_WATER_BYTES = 64 * 1024

/** The event streams that are open, kept alive by one timer. */
export class EventStreams {
  readonly #open = new Set<Controller>()
  #timer: ReturnType<typeof setInterval> | undefined

  /** The response that tells the subscription, which begins with it. */
  respond(subscriber: Subscriber): Response {
    let line: Line | undefined
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          controller.enqueue(PING)
          line = new Line(controller, () => this.#remove(controller))
          this.#add(controller)
          subscriber.start(line)
        },
        pull: () => line?.drained(),
        cancel: async () => {
          line?.cut()
          await subscriber.return()
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
    )
    return new Response(body, { headers: HEADERS })
  }

  #add(controller: Controller): void {
    this.#open.add(controller)
    this.#timer ??= setInterval(() => this.#ping(), PING_EVERY_MS).unref()
  }

  #remove(controller: Controller): void {
    this.#open.delete(controller)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #ping(): void {
    for (const controller of this.#open) if ((controller.desiredSize ?? 0) > 0) controller.enqueue(PING)
  }
}

type Controller = ReadableStreamDefaultController<Uint8Array>

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  connection: "keep-alive",
  // Compressed, events would wait for each other.
  "content-encoding": "none",
}

/** One client's stream. */
class Line implements Outlet {
  readonly #controller: Controller
  readonly #onEnd: () => void
  #isCut = false
  #onRoom: (() => void) | undefined

  constructor(controller: Controller, onEnd: () => void) {
    this.#controller = controller
    this.#onEnd = onEnd
  }

  get isFull(): boolean {
    return (this.#controller.desiredSize ?? 0) <= 0
  }

  send(results: readonly Result[]): number {
    if (this.#isCut) return results.length
    const piece = pieceOf(results)
    const [first] = piece
    if (piece.length === 1 && first) this.#controller.enqueue(first.event)
    else this.#controller.enqueue(Buffer.concat(piece.map(({ event }) => event)))
    return piece.length
  }

  onRoom(act: () => void): void {
    this.#onRoom = act
  }

  /** The client has read. */
  drained(): void {
    const act = this.#onRoom
    this.#onRoom = undefined
    act?.()
  }

  end(): void {
    if (this.#isCut) return
    this.cut()
    this.#controller.enqueue(COMPLETE)
    this.#controller.close()
  }

  /** Nothing can be sent any more. */
  cut(): void {
    this.#isCut = true
    this.#onEnd()
  }
}
