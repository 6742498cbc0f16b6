/** graphql-transport-ws over Bun's sockets: each operation is authenticated, limited and masked as over HTTP. */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun"
import type { ExecutionArgs, GraphQLError } from "graphql"
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols, makeServer, type OperationResult } from "graphql-ws"
import type { Log } from "../src/log.ts"
import { bearerToken } from "../src/services/authentication.ts"
import { coded } from "./errors.ts"
import type { Outlet } from "./fan-out/outlet.ts"
import { pieceOf, type Result } from "./fan-out/result.ts"
import type { Subscriber } from "./fan-out/subscriber.ts"
import type { Limits } from "./limits.ts"
import type { Asker } from "./plugins.ts"

/** One operation's functions as the plugins have wrapped them. */
export interface Enveloped {
  schema: ExecutionArgs["schema"]
  parse(source: string): ExecutionArgs["document"]
  validate(schema: ExecutionArgs["schema"], document: ExecutionArgs["document"]): readonly GraphQLError[]
  execute(args: ExecutionArgs): OperationResult
  subscribe(args: ExecutionArgs): OperationResult
  contextFactory(): unknown
}

interface SocketsOptions {
  /** Who the bearer of a token is. @throws StoreUnavailable */
  asker(token: string): Promise<Asker>
  envelop(asker: Asker, params: { query: string; variables?: unknown; operationName?: string | undefined }): Enveloped
  /** What came of a subscription with this context, where it is told something. */
  subscriberOf(context: object): Subscriber | undefined
  /** A failure as the client may see it. */
  mask(cause: unknown): GraphQLError
  limits: Limits
  log: Log
}

/** What is tied to a socket from its upgrade on. */
export interface SocketData {
  peer?: Peer
}

type Socket = ServerWebSocket<SocketData>

/** Nothing more is queued for a client that reads this little. */
const MAX_QUEUED_BYTES = 4_000_000

/** One client's socket, told what Bun says about it. */
class Peer {
  readonly #socket: Socket
  #drained: PromiseWithResolvers<void> | undefined
  #onRoom: (() => void)[] = []
  receive: (text: string) => Promise<void> = async () => undefined
  closed: (code: number, reason: string) => Promise<void> = async () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Resolves when the client has read: what it is told meanwhile waits outside, within its limits. */
  send(text: string): Promise<void> | void {
    const sent = this.#socket.send(text)
    // 0: dropped; a client that missed a message must not believe that it has seen all.
    if (sent === 0) this.#socket.terminate()
    if (sent !== -1) return
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  drain(): void {
    this.#drained?.resolve()
    this.#drained = undefined
    const waiting = this.#onRoom
    this.#onRoom = []
    for (const act of waiting) act()
  }

  /** Where the results of the subscription with this id leave: only bytes are copied for it. */
  outletOf(id: string): Outlet {
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`
    const isFull = () => this.#drained !== undefined
    return {
      get isFull() {
        return isFull()
      },
      send: (results) => this.#sendPiece(head, pieceOf(results)),
      onRoom: (act) => void this.#onRoom.push(act),
      // The protocol's own side says that it is complete.
      end: () => undefined,
    }
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason)
  }

  /** With one write for all of them. */
  #sendPiece(head: string, results: readonly Result[]): number {
    const send = () => {
      for (const { text } of results) void this.send(`${head}${text}}`)
    }
    if (results.length === 1) send()
    else {
      this.#socket.cork(send)
      // What was held back until then may be more than the client takes now.
      if (this.#socket.getBufferedAmount() > 0) this.#drained ??= Promise.withResolvers<void>()
    }
    return results.length
  }
}

/** The part of a server that speaks graphql-transport-ws. */
export class Sockets {
  readonly #options: SocketsOptions
  readonly #prepared = new WeakMap<ExecutionArgs, Prepared>()
  readonly #open = new Set<Socket>()
  readonly handler: WebSocketHandler<SocketData>

  constructor(options: SocketsOptions) {
    this.#options = options
    const protocol = makeServer<Record<string, unknown>, Peer>({
      connectionInitWaitTimeout: 10_000,
      onSubscribe: ({ connectionParams, subscriptions, extra: peer }, id, payload) =>
        Object.keys(subscriptions).length > options.limits.operationsPerSocket
          ? [coded(`at most ${options.limits.operationsPerSocket} operations at once`, "LIMIT_EXCEEDED")]
          : this.#prepare(tokenOf(connectionParams), payload, () => peer.outletOf(id)),
      execute: (args) => this.#preparedOf(args).enveloped.execute(args),
      subscribe: (args) => this.#subscribe(args),
    })
    this.handler = {
      maxPayloadLength: options.limits.bodyBytes,
      backpressureLimit: MAX_QUEUED_BYTES,
      closeOnBackpressureLimit: true,
      // Bun pings well before; a client that is gone is found that way.
      idleTimeout: 60,
      open: (socket) => {
        const peer = new Peer(socket)
        socket.data.peer = peer
        this.#open.add(socket)
        peer.closed = protocol.opened(
          {
            protocol: GRAPHQL_TRANSPORT_WS_PROTOCOL,
            send: (text) => peer.send(text),
            close: (code, reason) => peer.close(code, reason),
            onMessage: (receive) => {
              peer.receive = receive
            },
          },
          peer,
        )
      },
      message: ({ data: { peer } }, text) => {
        peer?.receive(String(text)).catch((cause: unknown) => {
          options.log.error({ err: cause }, "a message over WebSocket could not be dealt with")
          peer.close(CloseCode.InternalServerError, "Internal server error")
        })
      },
      drain: ({ data: { peer } }) => peer?.drain(),
      close: (socket, code, reason) => {
        const { peer } = socket.data
        this.#open.delete(socket)
        peer?.drain()
        peer
          ?.closed(code, reason)
          .catch((cause: unknown) => options.log.error({ err: cause }, "a subscription did not end"))
      },
    }
  }

  /** Makes the request a socket; undefined when that is done, else why not. */
  upgrade(request: Request, server: Server<SocketData>): Response | undefined {
    const protocol = handleProtocols(request.headers.get("sec-websocket-protocol") ?? "")
    if (!protocol) return new Response(`the subprotocol is ${GRAPHQL_TRANSPORT_WS_PROTOCOL}\n`, { status: 400 })
    const upgraded = server.upgrade(request, { headers: { "sec-websocket-protocol": protocol }, data: {} })
    return upgraded ? undefined : new Response("not a WebSocket handshake\n", { status: 400 })
  }

  /** Closes every socket, saying that the server is going away. */
  end(): void {
    for (const socket of this.#open) socket.close(1001, "going away")
  }

  /** The token is looked at with each operation: it may have been revoked since the connection was opened. */
  async #prepare(
    token: string,
    {
      query,
      variables,
      operationName,
    }: { query: string; variables?: unknown; operationName?: string | null | undefined },
    outlet: () => Outlet,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { asker, envelop, mask } = this.#options
    try {
      const params = { query, variables, operationName: operationName ?? undefined }
      const enveloped = envelop(await asker(token), params)
      const document = enveloped.parse(query)
      const errors = enveloped.validate(enveloped.schema, document)
      if (errors.length > 0) return errors
      const args: ExecutionArgs = {
        schema: enveloped.schema,
        document,
        operationName: params.operationName,
        variableValues: isRecord(variables) ? variables : {},
        contextValue: await enveloped.contextFactory(),
        rootValue: undefined,
      }
      this.#prepared.set(args, { enveloped, outlet })
      return args
    } catch (cause) {
      return [mask(cause)]
    }
  }

  /** What is told goes past the protocol's own side, straight to the socket. */
  async #subscribe(args: ExecutionArgs): Promise<Awaited<OperationResult>> {
    const { enveloped, outlet } = this.#preparedOf(args)
    const subscribed = await enveloped.subscribe(args)
    const { contextValue } = args
    const subscriber = isRecord(contextValue) ? this.#options.subscriberOf(contextValue) : undefined
    if (!subscriber) return subscribed
    // The protocol's own side keeps the arguments as long as the subscription lasts, which needs little of them.
    this.#prepared.delete(args)
    args.contextValue = undefined
    subscriber.start(outlet())
    return subscriber
  }

  #preparedOf(args: ExecutionArgs): Prepared {
    const prepared = this.#prepared.get(args)
    if (!prepared) throw new Error("an operation that was never prepared")
    return prepared
  }
}

/** An operation with what it is run by, and where it is told what it follows. */
interface Prepared {
  enveloped: Enveloped
  outlet: () => Outlet
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** `{ authorization: "Bearer …" }` in any letter case, or `{ token: "…" }`. */
function tokenOf(params: Readonly<Record<string, unknown>> | undefined): string {
  for (const [name, value] of Object.entries(params ?? {})) {
    if (typeof value !== "string") continue
    if (name.toLowerCase() === "authorization") return bearerToken(value) ?? ""
    if (name === "token") return value
  }
  return ""
}
