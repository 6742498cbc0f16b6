/** What an operator does with charge points through one node's API. */
import { createClient } from "graphql-ws"
import { type Ask, graphqlOver } from "./graphql.ts"

/** What became of a command, as its GraphQL union tells it. */
export interface Told {
  __typename: string
  status?: string
  message?: string
  code?: string
  description?: string
  command?: { id: string; state: string }
}

export interface Operator {
  readonly ask: Ask
  readonly url: string
  readonly token: string
  /** ClearCache on a charge point. */
  clearCache(identity: string, more?: Record<string, unknown>): Promise<Told>
  isOnline(identity: string): Promise<boolean>
  transaction(transactionId: number): Promise<Transaction>
  transactions(): Promise<Transaction[]>
  /** The states of all commands on a charge point, newest first. */
  commandStates(identity: string): Promise<string[]>
}

export interface Transaction {
  transactionId: number
  state: string
  startedAt: string
  meterStart: number
  energyWh: number | null
  chargePoint: { identity: string }
}

const TRANSACTION = "transactionId state startedAt meterStart energyWh chargePoint { identity }"

/** The operator at one node's API. */
export function operatorAt(url: string, token: string): Operator {
  const ask = graphqlOver(url, token)
  return {
    ask,
    url,
    token,
    async clearCache(identity, more = {}) {
      const { result } = await ask<{ result: Told }>(
        `mutation ($input: ClearCacheInput!) {
          result: clearCache(input: $input) {
            __typename
            ... on ClearCacheConfirmation { status command { id state } }
            ... on CallError { code description }
            ... on Error { message }
          }
        }`,
        { input: { chargePoint: identity, ...more } },
      )
      return result
    },
    async isOnline(identity) {
      const { chargePoint } = await ask<{ chargePoint: { online: boolean } }>(
        "query ($identity: String!) { chargePoint(identity: $identity) { online } }",
        { identity },
      )
      return chargePoint.online
    },
    async transaction(transactionId) {
      const { transaction } = await ask<{ transaction: Transaction }>(
        `query ($id: Int!) { transaction(transactionId: $id) { ${TRANSACTION} } }`,
        { id: transactionId },
      )
      return transaction
    },
    async transactions() {
      const found: Transaction[] = []
      let after: string | null = null
      do {
        const { transactions }: Page = await ask<Page>(
          `query ($after: String) {
            transactions(first: 100, after: $after) { pageInfo { hasNextPage endCursor } edges { node { ${TRANSACTION} } } }
          }`,
          { after },
        )
        found.push(...transactions.edges.map(({ node }) => node))
        after = transactions.pageInfo.hasNextPage ? transactions.pageInfo.endCursor : null
      } while (after !== null)
      return found
    },
    async commandStates(identity) {
      const { commands } = await ask<{ commands: { edges: { node: { state: string } }[] } }>(
        "query ($filter: CommandFilter) { commands(first: 20, filter: $filter) { edges { node { state } } } }",
        { filter: { chargePoints: [identity] } },
      )
      return commands.edges.map(({ node }) => node.state)
    },
  }
}

interface Page {
  transactions: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; edges: { node: Transaction }[] }
}

/** A subscription that is open. */
export interface Followed<Item> extends AsyncDisposable {
  /** All that has come so far. */
  readonly items: Item[]
  /** What it ended with, once it has ended. */
  readonly ended: Promise<unknown>
}

/** Follows one subscription field over graphql-transport-ws; resolves when it is certainly joined. */
export async function follow<Item>(
  { url, token }: Pick<Operator, "url" | "token">,
  selection: string,
): Promise<Followed<Item>> {
  const client = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  })
  const items: Item[] = []
  const ended = Promise.withResolvers<unknown>()
  client.subscribe<{ item: Item }>(
    { query: `subscription { item: ${selection} }` },
    {
      next: ({ data, errors }) => {
        if (data) items.push(data.item)
        if (errors) ended.resolve(errors)
      },
      error: ended.resolve,
      complete: () => ended.resolve("completed"),
    },
  )
  // On the same connection and with the same steps before it, so that its answer tells that the subscription is joined.
  for await (const { errors } of client.iterate({ query: "{ viewer { name } fleet { online } }" }))
    if (errors) throw new Error(errors.map(({ message }) => message).join("; "))
  return {
    items,
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      await client.dispose()
    },
  }
}
