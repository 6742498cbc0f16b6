/** The listener for people and their programs: GraphQL over HTTP, SSE and WebSocket, GraphiQL, health and metrics. */
import type { Server } from "bun"
import { createYoga } from "graphql-yoga"
import type { Registry } from "prom-client"
import { atMost } from "../src/at-most.ts"
import type { Log } from "../src/log.ts"
import { bearerToken } from "../src/services/authentication.ts"
import { type VitalSigns, vitalSign } from "../src/vital-signs.ts"
import type { Context, Services } from "./context.ts"
import { unauthenticated } from "./errors.ts"
import { EventStreams } from "./fan-out/event-stream.ts"
import { FanOut } from "./fan-out/index.ts"
import { graphiql } from "./graphiql.ts"
import { DEFAULT_LIMITS, type Limits } from "./limits.ts"
import { Loaders } from "./loaders.ts"
import { measureSubscriptions } from "./metrics.ts"
import { type Asker, errorMask, useAuthentication, useBodyLimit, useFanOut, useLimits } from "./plugins.ts"
import { schema } from "./schema.ts"
import { type SocketData, Sockets } from "./socket.ts"

export interface ApiOptions extends VitalSigns {
  host: string
  /** 0: any free one. */
  port: number
  services: Services
  /** What is served beside the API: undefined for a path that is not its own. */
  files?: (request: Request, pathname: string) => Promise<Response | undefined>
  /** The largest body that `files` takes. */
  maxFileBytes?: number
  log: Log
  /** What `/metrics` shows; the API adds its own figures. */
  metrics: Registry
  limits?: Partial<Limits>
}

export interface Api extends AsyncDisposable {
  readonly port: number
  /** How many subscriptions are open. */
  readonly subscriptions: number
}

const PATH = "/graphql"
/** How long a stop waits for answers under way, ms: longer than the gateway waits for those of charge points. */
const STOP_PATIENCE_MS = 12_000

/** Opens the listener. Disposing ends subscriptions, lets answers under way finish, and closes every connection. */
export function startApi(options: ApiOptions): Api {
  const { host, port, services, log, isReady, metrics, limits: some } = options
  const limits: Limits = { ...DEFAULT_LIMITS, ...some }
  const mask = errorMask(log)
  const fanOut = new FanOut({ limits, mask })
  measureSubscriptions(metrics, fanOut)
  const askerOf = async (token: string): Promise<Asker> => ({
    viewer: await services.authentication.viewerOf(token),
    token,
  })
  const yoga = createYoga<Asker, Context>({
    schema,
    graphqlEndpoint: PATH,
    logging: false,
    landingPage: false,
    multipart: false,
    batching: false,
    // Nothing is authenticated by cookie, so that other origins may ask: they need a token like everybody.
    cors: { origin: "*", credentials: false },
    // Limited by a plugin of ours: here every body would be led through streams to be counted.
    maxRequestBodySize: false,
    maskedErrors: { maskError: mask },
    graphiql,
    // Nine megabytes that most nodes never show.
    renderGraphiQL: async (options) => (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options),
    plugins: [
      useBodyLimit(limits.bodyBytes),
      useAuthentication(),
      useLimits(limits),
      useFanOut(fanOut, new EventStreams()),
    ],
    context: ({ viewer, token }) => {
      if (!viewer) throw unauthenticated()
      return { viewer, token, services, loaders: new Loaders(services, viewer) }
    },
  })
  const sockets = new Sockets({
    asker: askerOf,
    envelop: (asker, params) => yoga.getEnveloped({ ...asker, params }),
    subscriberOf: (context) => fanOut.subscriberOf(context),
    mask,
    limits,
    log,
  })

  const graphql = async (request: Request, server: Server<SocketData>): Promise<Response | undefined> => {
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return sockets.upgrade(request, server)
    try {
      const answer = await yoga.fetch(request, await askerOf(bearerToken(request.headers.get("authorization")) ?? ""))
      // What was not read of a body would be waited for.
      if (answer.status === 413) answer.headers.set("connection", "close")
      return answer
    } catch (cause) {
      return Response.json({ errors: [mask(cause)] }, { status: 503 })
    }
  }

  const server = Bun.serve<SocketData>({
    hostname: host,
    port,
    // What belongs to the API is measured by the API.
    maxRequestBodySize: Math.max(limits.bodyBytes, options.maxFileBytes ?? 0),
    // Longer than the pings that keep an event stream alive.
    idleTimeout: 60,
    websocket: sockets.handler,
    async fetch(request, bun) {
      const { pathname } = new URL(request.url)
      switch (pathname) {
        case PATH:
          return graphql(request, bun)
        case "/":
          return Response.redirect(PATH, 302)
        default:
          return (
            (await options.files?.(request, pathname)) ??
            (await vitalSign(pathname, { isReady, metrics })) ??
            new Response("not found\n", { status: 404 })
          )
      }
    },
    error(cause) {
      return Response.json({ errors: [mask(cause)] }, { status: 500 })
    },
  })

  let stopped: Promise<void> | undefined
  const stop = async () => {
    const finished = server.stop()
    fanOut.end()
    sockets.end()
    await atMost(finished, STOP_PATIENCE_MS)
    await server.stop(true)
    await services.authentication[Symbol.asyncDispose]()
  }
  return {
    port: server.port ?? port,
    get subscriptions() {
      return fanOut.subscriptions
    },
    [Symbol.asyncDispose]: () => (stopped ??= stop()),
  }
}
