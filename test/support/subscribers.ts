/**
 * A subscriber as a front end is one: over the real clients of both transports it writes down what it is told, loses its
 * connection without a goodbye, and goes on behind the last change it has seen, on whichever node it lands.
 */
import { createClient as createSseClient } from "graphql-sse"
import { createClient as createSocketClient } from "graphql-ws"
import { until } from "./until.ts"

export const TRANSPORTS = ["graphql-ws", "graphql-sse"] as const
export type Transport = (typeof TRANSPORTS)[number]

/** What every change has. */
export interface AnyChange {
  cursor: string
  kind: string
}

export interface Subscription {
  /** `chargePointChanged` */
  field: string
  /** What is asked of each change beside its cursor and kind. */
  selection: string
  /** As GraphQL writes arguments: `filter: { online: true }`; `after` and `snapshot` are the subscriber's own. */
  args?: string
}

interface Answer {
  data?: unknown
  errors?: readonly { message: string; extensions?: Record<string, unknown> | undefined }[] | undefined
}

/** What one connection tells; what comes after it was let go is nobody's. */
interface Sink {
  next(answer: Answer): void
  error(cause: unknown): void
  complete(): void
}

type Cut = () => void
type Line = (url: string, token: string, payload: Payload, sink: Sink) => Cut

interface Payload {
  query: string
  variables: Record<string, unknown>
}

/** The connection falls as when a cable is pulled: no close frame, no word of the protocol. */
const overSocket: Line = (url, token, payload, sink) => {
  let socket: WebSocket | undefined
  let isCut = false
  const client = createSocketClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args)
        socket = this
        if (isCut) queueMicrotask(() => this.terminate())
      }
    },
  })
  client.subscribe({ ...payload }, sink)
  return () => {
    isCut = true
    socket?.terminate()
  }
}

const overSse: Line = (url, token, payload, sink) => {
  const cable = new AbortController()
  const client = createSseClient({
    url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    fetchFn: (input: string, init: RequestInit) =>
      fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, cable.signal]) : cable.signal }),
  })
  client.subscribe({ ...payload }, sink)
  return () => cable.abort()
}

const lines: Record<Transport, Line> = { "graphql-ws": overSocket, "graphql-sse": overSse }

export class Subscriber<Change extends AnyChange = AnyChange> implements Disposable {
  readonly transport: Transport
  /** Every change told so far, over all connections, without the items of snapshots. */
  readonly seen: Change[] = []
  /** The items of the latest snapshot. */
  snapshot: Change[] = []
  /** Whether that snapshot was told to its end. */
  isComplete = false
  /** The codes with which connections ended that were not cut here, or the words where there was no code. */
  readonly endings: string[] = []
  readonly #subscription: Subscription
  readonly #token: string
  #cut: Cut | undefined
  #cursor: string | undefined

  constructor(transport: Transport, token: string, subscription: Subscription) {
    this.transport = transport
    this.#token = token
    this.#subscription = subscription
  }

  /** The cursor of the last change or of the snapshot's end; undefined before the first. */
  get cursor(): string | undefined {
    return this.#cursor
  }

  get isConnected(): boolean {
    return this.#cut !== undefined
  }

  /** Joins on a node, behind the given cursor or the last one it has. */
  resume(url: string, after = this.#cursor): void {
    if (after === undefined) throw new Error("a subscriber without a cursor has nothing to resume")
    this.#cursor = after
    this.#open(url, "($after: Cursor)", "after: $after", { after })
  }

  /** Joins on a node with what is there now; resolves when the snapshot is told to its end. */
  async begin(url: string): Promise<void> {
    this.snapshot = []
    this.isComplete = false
    this.#cursor = undefined
    const before = this.endings.length
    this.#open(url, "", "snapshot: true", {})
    await until("the snapshot is told, or the reason why not", () => this.isComplete || this.endings.length > before)
    if (!this.isComplete) throw new Error(`no snapshot: ${this.endings.at(-1)}`)
  }

  /** Falls off the line, in the middle of whatever is under way. */
  cut(): void {
    const cut = this.#cut
    this.#cut = undefined
    cut?.()
  }

  [Symbol.dispose](): void {
    this.cut()
  }

  #open(url: string, variables: string, begin: string, values: Record<string, unknown>): void {
    this.cut()
    const { field, selection, args = "" } = this.#subscription
    const query = `subscription ${variables} { it: ${field}(${[args, begin].filter(Boolean).join(", ")}) { cursor kind ${selection} } }`
    let isOver = false
    const end = (ending: string) => {
      if (isOver) return
      isOver = true
      if (this.#cut === letGo) this.#cut = undefined
      this.endings.push(ending)
    }
    const hangUp = lines[this.transport](
      url,
      this.#token,
      { query, variables: values },
      {
        next: ({ data, errors }) => {
          if (isOver) return
          if (data) this.#tell((data as { it: Change }).it)
          if (errors) end(String(errors[0]?.extensions?.["code"] ?? errors[0]?.message))
        },
        error: (cause) => end(endingOf(cause)),
        complete: () => end("completed"),
      },
    )
    const letGo = () => {
      isOver = true
      hangUp()
    }
    this.#cut = letGo
  }

  #tell(change: Change): void {
    if (change.kind === "SNAPSHOT") {
      this.snapshot.push(change)
      return
    }
    this.#cursor = change.cursor
    if (change.kind === "SNAPSHOT_END") this.isComplete = true
    else this.seen.push(change)
  }
}

/** GraphQL errors come as a list over a socket, and a lost connection as an error or an event. */
function endingOf(cause: unknown): string {
  const [first] = Array.isArray(cause) ? cause : [cause]
  if (typeof first !== "object" || first === null) return String(first)
  const { extensions, message, reason, code } = first as {
    extensions?: { code?: unknown }
    message?: unknown
    reason?: unknown
    code?: unknown
  }
  return String(extensions?.code ?? message ?? `closed with ${String(code)} ${String(reason)}`)
}
