/** The operator over the public GraphQL API, by `graphql-ws`, a client that is not ours. */
import { createClient } from "graphql-ws"
import { CaseFailed } from "./stage.ts"
import type { Operator, Payload, Told } from "./stage.ts"
import type { Transcript } from "./transcript.ts"

/** What each operation's confirmation carries besides the command. */
const CONFIRMATION_FIELDS: Readonly<Record<string, string>> = {
  cancelReservation: "status",
  changeAvailability: "status",
  changeConfiguration: "status",
  clearCache: "status",
  clearChargingProfile: "status",
  dataTransfer: "status data",
  getCompositeSchedule: `status connectorId scheduleStart chargingSchedule {
    duration startSchedule chargingRateUnit minChargingRate chargingSchedulePeriod { startPeriod limit numberPhases }
  }`,
  getConfiguration: "configurationKey { key readonly value } unknownKey",
  getDiagnostics: "fileName",
  getLocalListVersion: "listVersion",
  remoteStartTransaction: "status",
  remoteStopTransaction: "status",
  reserveNow: "status",
  reset: "status",
  sendLocalList: "status",
  setChargingProfile: "status",
  triggerMessage: "status",
  unlockConnector: "status",
}

/** An open connection to the API. */
export interface Api extends AsyncDisposable {
  /** @throws CaseFailed for GraphQL errors. */
  ask(document: string, variables?: Payload): Promise<Payload>
  /** The operator of one charge point, which has `timeoutMs` to answer; what they do and are told is taken down. */
  operatorOf(identity: string, timeoutMs: number, transcript: Transcript): Operator
}

/** Connects to `url` (http or ws, up to and including `/graphql`) with a bearer token. */
export function connectApi(url: string, token: string): Api {
  const client = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: true,
    lazyCloseTimeout: 60_000,
    retryAttempts: 0,
  })

  const ask = async (document: string, variables: Payload = {}): Promise<Payload> => {
    try {
      for await (const { data, errors } of client.iterate<Payload>({ query: document, variables })) {
        if (errors !== undefined) throw new CaseFailed(errors.map(({ message }) => message).join("; "))
        return data ?? {}
      }
    } catch (cause) {
      if (cause instanceof CaseFailed) throw cause
      throw new CaseFailed(`the API at ${url} gave no answer: ${wordsOf(cause)}`, { cause })
    }
    throw new CaseFailed("the API gave no result")
  }

  const perform = async (operation: string, input: Payload): Promise<Told> => {
    const name = operation.charAt(0).toUpperCase() + operation.slice(1)
    const document = `mutation ($input: ${name}Input!) {
      result: ${operation}(input: $input) {
        __typename
        ... on ${name}Confirmation { ${CONFIRMATION_FIELDS[operation] ?? ""} command { id state } }
        ... on CallError { code description }
        ... on Error { message }
      }
    }`
    const { result } = await ask(document, { input })
    return result as Told
  }

  return {
    ask,
    operatorOf: (identity, timeoutMs, transcript) => ({
      ask,
      async perform(operation, input) {
        transcript.step("operator", operation, input)
        const told = await perform(operation, { chargePoint: identity, timeoutMs, ...input })
        transcript.step("operator", `is told of ${operation}`, told)
        return told
      },
    }),
    async [Symbol.asyncDispose]() {
      await client.dispose()
    },
  }
}

/** What the client throws: the API's errors about a document, an error of the socket, or its close. */
function wordsOf(cause: unknown): string {
  if (Array.isArray(cause)) return cause.map(wordsOf).join("; ")
  if (cause instanceof Error) return cause.message
  const { message, code, reason } = cause as { message?: unknown; code?: unknown; reason?: unknown }
  if (typeof message === "string" && message !== "") return message
  return code === undefined ? String(cause) : `closed with ${String(code)} ${String(reason ?? "")}`.trim()
}
