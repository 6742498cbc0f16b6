/** The operator over the public GraphQL API, by `graphql-ws`, a client that is not ours. */
import { createClient } from "graphql-ws"
import { CaseFailed } from "./stage.ts"
import type { Operator, Payload, Told } from "./stage.ts"

/** What each operation's confirmation carries besides the command. */
const CONFIRMATION_FIELDS: Readonly<Record<string, string>> = {
  changeAvailability: "status",
  changeConfiguration: "status",
  clearCache: "status",
  dataTransfer: "status data",
  getConfiguration: "configurationKey { key readonly value } unknownKey",
  remoteStartTransaction: "status",
  remoteStopTransaction: "status",
  reset: "status",
  unlockConnector: "status",
}

/** An open connection to the API. */
export interface Api extends AsyncDisposable {
  /** @throws CaseFailed for GraphQL errors. */
  ask(document: string, variables?: Payload): Promise<Payload>
  /** The operator of one charge point. */
  operatorOf(identity: string): Operator
}

/** Connects to `url` (http or ws, up to and including `/graphql`) with a bearer token. */
export function connectApi(url: string, token: string): Api {
  const client = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: true,
    retryAttempts: 0,
  })

  const ask = async (document: string, variables: Payload = {}): Promise<Payload> => {
    for await (const { data, errors } of client.iterate<Payload>({ query: document, variables })) {
      if (errors !== undefined) throw new CaseFailed(errors.map(({ message }) => message).join("; "))
      return data ?? {}
    }
    throw new CaseFailed("the API gave no result")
  }

  const perform = async (identity: string, operation: string, input: Payload): Promise<Told> => {
    const name = operation.charAt(0).toUpperCase() + operation.slice(1)
    const document = `mutation ($input: ${name}Input!) {
      result: ${operation}(input: $input) {
        __typename
        ... on ${name}Confirmation { ${CONFIRMATION_FIELDS[operation] ?? ""} command { id state } }
        ... on CallError { code description }
        ... on Error { message }
      }
    }`
    const { result } = await ask(document, { input: { chargePoint: identity, ...input } })
    return result as Told
  }

  return {
    ask,
    operatorOf: (identity) => ({ ask, perform: (operation, input) => perform(identity, operation, input) }),
    async [Symbol.asyncDispose]() {
      await client.dispose()
    },
  }
}
