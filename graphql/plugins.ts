/** What happens to every operation on either transport: its limits, its failures, and what strangers may learn. */
import { PothosError } from "@pothos/core"
import { type ExecutionResult, GraphQLError, parse } from "graphql"
import type { Plugin } from "graphql-yoga"
import type { Log } from "../src/log.ts"
import type { Viewer } from "../src/services/viewer.ts"
import { coded, codedError, unauthenticated } from "./errors.ts"
import { type Limits, limitErrors } from "./limits.ts"

/** What a transport knows of whoever asks, before the operation is looked at. */
export interface Asker {
  viewer: Viewer | null
  token: string
}

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

/** A subscription that fails gives its failure as its last result, on both transports, instead of breaking off. */
export const useLastWords = (mask: (cause: unknown) => GraphQLError): Plugin<Asker> => ({
  onSubscribe: () => ({
    onSubscribeResult({ result, setResult }) {
      if (Symbol.asyncIterator in result) setResult(new LastWords(result[Symbol.asyncIterator](), mask))
    },
  }),
})

class LastWords implements AsyncIterableIterator<ExecutionResult> {
  readonly #results: AsyncIterator<ExecutionResult>
  readonly #mask: (cause: unknown) => GraphQLError
  #over = false

  constructor(results: AsyncIterator<ExecutionResult>, mask: (cause: unknown) => GraphQLError) {
    this.#results = results
    this.#mask = mask
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#over) return { done: true, value: undefined }
    try {
      const next = await this.#results.next()
      return next.done ? { done: true, value: undefined } : next
    } catch (cause) {
      this.#over = true
      return { done: false, value: { errors: [this.#mask(cause)] } }
    }
  }

  /** Not awaited: what is under way below may only end once it was told to. */
  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#over = true
    void this.#results.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
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
