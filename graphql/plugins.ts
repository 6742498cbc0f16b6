/** What happens to every operation on either transport: its limits, its failures, and what strangers may learn. */
import { PothosError } from "@pothos/core"
import { type ExecutionArgs, GraphQLError, parse } from "graphql"
import type { Plugin } from "graphql-yoga"
import type { Log } from "../src/log.ts"
import type { Viewer } from "../src/services/viewer.ts"
import type { Context } from "./context.ts"
import { coded, codedError, unauthenticated } from "./errors.ts"
import type { EventStreams } from "./fan-out/event-stream.ts"
import type { FanOut } from "./fan-out/index.ts"
import { Subscriber } from "./fan-out/subscriber.ts"
import { type Limits, limitErrors } from "./limits.ts"

/** What a transport knows of whoever asks, before the operation is looked at. */
export interface Asker {
  viewer: Viewer | null
  token: string
}

/** Refuses a body of more bytes. One whose length is stated has no more than that; only others have to be counted. */
export const useBodyLimit = (limit: number): Plugin => ({
  onRequestParse({ request: { headers }, requestParser, setRequestParser }) {
    const length = headers.has("transfer-encoding") ? null : headers.get("content-length")
    if (length !== null && !(Number(length) <= limit)) throw tooLarge(limit)
    if (length !== null || !requestParser) return
    setRequestParser(async (request) => requestParser(await counted(request, limit)))
  },
})

async function counted(request: Request, limit: number): Promise<Request> {
  if (!request.body) return request
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.byteLength
    if (length > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  const { url, method, headers, signal } = request
  return new Request(url, { method, headers, signal, body: Buffer.concat(chunks) })
}

const tooLarge = (limit: number): GraphQLError =>
  new GraphQLError(`a request has at most ${limit} bytes`, {
    extensions: { code: "REQUEST_ENTITY_TOO_LARGE", http: { status: 413 } },
  })

/** Refuses operations beyond the limits before they run. */
export const useLimits = (limits: Limits): Plugin<Asker> => ({
  onParse: ({ setParseFn }) => setParseFn((source, options) => parse(source, { ...options, maxTokens: limits.tokens })),
  onExecute({ args, setResultAndStopExecution }) {
    const errors = limitErrors(args, limits)
    if (errors.length > 0) setResultAndStopExecution({ errors })
  },
  onSubscribe({ args, setResultAndStopExecution }) {
    const errors = limitErrors(args, limits)
    if (errors.length > 0) setResultAndStopExecution({ errors })
  },
})

/**
 * Who has no valid token is told so before anything is read: a stranger's document costs nothing, and what would be wrong
 * with it tells nothing of the schema.
 */
export const useAuthentication = (): Plugin<Asker> => ({
  onParse({ context }) {
    if (!context.viewer) throw unauthenticated()
  },
})

/**
 * Subscriptions are told by the fan-out: over HTTP as an event stream here, over WebSocket by the socket's own side. A
 * request that accepts no event stream has been refused before this.
 */
export const useFanOut = (fanOut: FanOut, streams: EventStreams): Plugin<Context & { request?: Request }> => {
  const byRequest = new WeakMap<Request, Subscriber>()
  return {
    onSubscribe: ({ args: { contextValue: context }, setSubscribeFn }) =>
      setSubscribeFn(async (args: ExecutionArgs) => {
        const subscribed = await fanOut.subscribe(args, context)
        if (context.request && subscribed instanceof Subscriber) byRequest.set(context.request, subscribed)
        return subscribed
      }),
    onResultProcess({ request, resultProcessor, setResultProcessor }) {
      const subscriber = byRequest.get(request)
      if (subscriber && resultProcessor) setResultProcessor(() => streams.respond(subscriber), "text/event-stream")
    },
  }
}

/** Failures as a client may see them: those that were foreseen with their code, others only by the id of their log line. */
export function errorMask(log: Log): (error: unknown) => GraphQLError {
  return (error) => {
    const cause = rootOf(error)
    if (error instanceof GraphQLError && isBeforeExecution(error, cause)) return withCode(error)
    const known = cause instanceof GraphQLError ? foreseen(cause) : codedError(cause)
    const shown = known ?? unforeseen(cause, log)
    if (!(error instanceof GraphQLError)) return shown
    const { nodes, path } = error
    return new GraphQLError(shown.message, { nodes, path, extensions: shown.extensions })
  }
}

const isBeforeExecution = ({ path }: GraphQLError, cause: unknown) =>
  cause === undefined || (path === undefined && cause instanceof GraphQLError)

/** What GraphQL finds wrong before it runs anything, such as a variable of another type, is the asker's fault. */
function withCode(error: GraphQLError): GraphQLError {
  const { nodes, message, extensions } = error
  return "code" in extensions
    ? error
    : new GraphQLError(message, { nodes, extensions: { code: BAD_INPUT, ...extensions } })
}

/** An error that carries its code, or Pothos complaining, once the schema is built, of an id; what else is thrown is a fault of ours. */
function foreseen(cause: GraphQLError): GraphQLError | undefined {
  if ("code" in cause.extensions) return cause
  return cause instanceof PothosError ? coded("the id is not one of Busbar's", BAD_INPUT) : undefined
}

const BAD_INPUT = "BAD_USER_INPUT"

/** What was thrown first; undefined where GraphQL itself found the fault. */
function rootOf(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error
  const { originalError } = error
  return originalError === undefined || originalError === null ? undefined : (rootOf(originalError) ?? originalError)
}

function unforeseen(cause: unknown, log: Log): GraphQLError {
  const errorId = crypto.randomUUID()
  log.error({ err: cause, errorId }, "an unforeseen failure in the API")
  return new GraphQLError(`unexpected error, logged under ${errorId}`, {
    extensions: { code: "INTERNAL_SERVER_ERROR", errorId },
  })
}
