/** Nodes in processes of their own behind wires that a test can hold, and a charge point that opens socket after socket. */
import type { Ground } from "./cluster.ts"
import { type Operator, operatorAt } from "./operator.ts"
import { startProxy, type Wire } from "./proxy.ts"
import { type ServerProcess, startServerProcess } from "./server-process.ts"

/** A node whose process can be stopped and whose wires to Redis and PostgreSQL can be held. */
export interface ShakyNode extends AsyncDisposable {
  readonly name: string
  readonly process: ServerProcess
  readonly operator: Operator
  readonly toRedis: Wire
  readonly toStore: Wire
  /** When the process goes on, by `performance.now()`: now, or never while it is paused. */
  readonly goesOnAt: number
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

/** A node of the ground's cluster. */
export async function startShakyNode(
  { environment, redis }: Ground,
  more: Record<string, string> = {},
): Promise<ShakyNode> {
  const store = new URL(environment["DATABASE_URL"] ?? "")
  const [toRedis, toStore] = await Promise.all([
    startProxy(Number(new URL(redis.url).port)),
    startProxy(Number(store.port || 5432)),
  ])
  store.hostname = "127.0.0.1"
  store.port = String(toStore.port)
  const process = await startServerProcess({
    ...environment,
    DATABASE_URL: store.href,
    REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
    LOG_LEVEL: globalThis.process.env["TEST_LOG_LEVEL"] ?? "fatal",
    DRAIN_TIME: "0",
    ...more,
  })
  let isPaused = false
  const resume = () => {
    isPaused = false
    process.signal("SIGCONT")
  }
  return {
    name: `${process.pid}`,
    process,
    operator: operatorAt(process.graphqlUrl, environment["ADMIN_TOKEN"] ?? ""),
    toRedis,
    toStore,
    get goesOnAt() {
      return isPaused ? Number.POSITIVE_INFINITY : performance.now()
    },
    pause() {
      isPaused = true
      process.signal("SIGSTOP")
    },
    resume,
    async [Symbol.asyncDispose]() {
      resume()
      await process[Symbol.asyncDispose]()
      await Promise.all([toRedis.stop(), toStore.stop()])
    },
  }
}

/** A CALL of a socket's, and what is known of its answer. */
interface Asked {
  action: string
  /** Before this instant its node cannot have begun to answer. */
  notBefore: number
  resolve: (payload: Record<string, unknown> | undefined) => void
}

/** One socket of a charge point: it says what it is told to, answers DataTransfer with its number, and writes all down. */
export class NumberedSocket {
  readonly number: number
  readonly node: ShakyNode
  readonly #socket: WebSocket
  readonly #asked = new Map<string, Asked>()
  /** Answers that came, with the instant before which they cannot have been given. */
  readonly answers: { action: string; notBefore: number }[] = []
  /** When it was told Accepted. */
  acceptedAt: number | undefined
  /** Closed by us, or by the node with this reason. */
  closed: "by us" | string | undefined

  private constructor(number: number, node: ShakyNode, socket: WebSocket) {
    this.number = number
    this.node = node
    this.#socket = socket
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(String(data))))
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed ??= `${code} ${reason}`
      for (const { resolve } of this.#asked.values()) resolve(undefined)
      this.#asked.clear()
    })
  }

  /** Resolves to undefined where the upgrade was refused or did not complete in time: then nothing was opened. */
  static async open(
    node: ShakyNode,
    identity: string,
    number: number,
    patienceMs: number,
  ): Promise<NumberedSocket | undefined> {
    const socket = new WebSocket(`${node.process.ocppUrl}/${identity}`, ["ocpp1.6"])
    const numbered = new NumberedSocket(number, node, socket)
    const opened = Promise.withResolvers<boolean>()
    socket.addEventListener("open", () => opened.resolve(true))
    socket.addEventListener("close", () => opened.resolve(false))
    socket.addEventListener("error", () => opened.resolve(false))
    const timer = setTimeout(() => opened.resolve(false), patienceMs)
    const isOpen = await opened.promise
    clearTimeout(timer)
    if (isOpen) return numbered
    socket.terminate()
    return undefined
  }

  get isOpen(): boolean {
    return this.closed === undefined
  }

  /** The confirmation; undefined where the socket was closed before. */
  call(action: string, payload: object = {}): Promise<Record<string, unknown> | undefined> {
    const uniqueId = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown> | undefined>()
    if (!this.isOpen) return Promise.resolve(undefined)
    this.#asked.set(uniqueId, { action, notBefore: this.node.goesOnAt, resolve })
    this.#socket.send(JSON.stringify([2, uniqueId, action, payload]))
    return promise
  }

  async boot(): Promise<void> {
    const confirmation = await this.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" })
    if (confirmation?.["status"] === "Accepted") this.acceptedAt = performance.now()
  }

  /** Tells its number as the state of connector 1. */
  async report(): Promise<void> {
    await this.call("StatusNotification", {
      connectorId: 1,
      errorCode: "NoError",
      status: "Available",
      info: `socket ${this.number}`,
    })
  }

  /** The node that it is on goes on: what was asked of it while it stood still may be answered from now on. */
  nodeWentOn(): void {
    for (const asked of this.#asked.values()) asked.notBefore = Math.min(asked.notBefore, performance.now())
  }

  close(): void {
    this.closed ??= "by us"
    this.#socket.close()
  }

  terminate(): void {
    this.closed ??= "by us"
    this.#socket.terminate()
  }

  #heard([type, uniqueId, ...rest]: [number, string, ...unknown[]]): void {
    if (type === 2) {
      this.#socket.send(JSON.stringify([3, uniqueId, this.#answer()]))
      return
    }
    const asked = this.#asked.get(uniqueId)
    if (asked === undefined) return
    this.#asked.delete(uniqueId)
    if (type === 3) this.answers.push({ action: asked.action, notBefore: asked.notBefore })
    asked.resolve(type === 3 ? (rest[0] as Record<string, unknown>) : undefined)
  }

  #answer(): object {
    return { status: "Accepted", data: String(this.number) }
  }
}
