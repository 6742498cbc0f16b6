/** A wire between a program and a server that a test can hold, slow down and cut: what a network does on a bad day. */
import { connect, createServer, type Socket } from "node:net"

/** `up`: towards the server; `down`: back from it; left out: both. */
export type Direction = "up" | "down"

export interface Wire extends AsyncDisposable {
  /** Where it listens on 127.0.0.1. */
  readonly port: number
  /** Open connections. */
  readonly connections: number
  /** From now on bytes are held, those of new connections too; nobody is told. */
  pause(direction?: Direction): void
  /** What was held arrives, in order, also from programs that are gone meanwhile; new connections are taken again. */
  resume(direction?: Direction): void
  /** Every byte from now on arrives this much later, in order. */
  delay(ms: number, direction?: Direction): void
  /** Ends every connection at once, with what is held in it; new ones are taken. */
  cut(): void
  /** Cuts, and ends whoever comes until `resume`. */
  refuse(): void
  stop(): Promise<void>
}

/** Listens on a free port and leads every connection to a port of 127.0.0.1, or to a unix socket. */
export async function startProxy(target: number | { path: string }): Promise<Wire> {
  const way: Record<Direction, Way> = { up: { paused: false, delayMs: 0 }, down: { paused: false, delayMs: 0 } }
  const pairs = new Set<{ pipes: Pipe[]; destroy(): void }>()
  let refusing = false
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (refusing) return void client.on("error", () => undefined).destroy()
    const upstream =
      typeof target === "number"
        ? connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
        : connect({ path: target.path, allowHalfOpen: true })
    const pair = {
      pipes: [new Pipe(client, upstream, way.up), new Pipe(upstream, client, way.down)],
      destroy() {
        pairs.delete(pair)
        for (const pipe of pair.pipes) pipe.drop()
        client.destroy()
        upstream.destroy()
      },
    }
    pairs.add(pair)
    const over = () => {
      if (pair.pipes.every((pipe) => pipe.isDone)) pairs.delete(pair)
    }
    client.on("close", over)
    upstream.on("close", over)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the proxy has no port")

  const ways = (direction?: Direction) => (direction === undefined ? [way.up, way.down] : [way[direction]])
  const cut = () => {
    for (const pair of [...pairs]) pair.destroy()
  }
  const stop = async () => {
    cut()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    port: address.port,
    get connections() {
      return pairs.size
    },
    pause(direction) {
      for (const one of ways(direction)) one.paused = true
    },
    resume(direction) {
      refusing = false
      for (const one of ways(direction)) one.paused = false
      for (const { pipes } of pairs) for (const pipe of pipes) pipe.flow()
    },
    delay(ms, direction) {
      for (const one of ways(direction)) one.delayMs = ms
    },
    cut,
    refuse() {
      refusing = true
      cut()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Way {
  paused: boolean
  delayMs: number
}

/** One direction of one connection. It reads on while it is held: what was said counts as said. */
class Pipe {
  readonly #to: Socket
  readonly #way: Way
  /** What is to arrive, and when; null: the end. */
  readonly #held: { at: number; bytes: Buffer | null }[] = []
  #timer: Timer | undefined
  #isDone = false

  constructor(from: Socket, to: Socket, way: Way) {
    this.#to = to
    this.#way = way
    from.on("data", (bytes: Buffer) => this.#hold(bytes))
    from.on("end", () => this.#hold(null))
    from.on("error", () => undefined)
    from.on("close", () => this.#hold(null))
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** Lets go of what may arrive now. */
  flow(): void {
    clearTimeout(this.#timer)
    for (let [next] = this.#held; next !== undefined && !this.#way.paused; [next] = this.#held) {
      const waitMs = next.at - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flow(), waitMs)
        return
      }
      this.#held.shift()
      if (next.bytes === null) this.#end()
      else if (!this.#to.destroyed) this.#to.write(next.bytes)
    }
  }

  /** Nothing arrives any more. */
  drop(): void {
    clearTimeout(this.#timer)
    this.#held.length = 0
    this.#isDone = true
  }

  #hold(bytes: Buffer | null): void {
    if (this.#isDone) return
    const at = Math.max(performance.now() + this.#way.delayMs, this.#held.at(-1)?.at ?? 0)
    this.#held.push({ at, bytes })
    this.flow()
  }

  #end(): void {
    this.#isDone = true
    this.#held.length = 0
    if (!this.#to.destroyed) this.#to.end()
  }
}
