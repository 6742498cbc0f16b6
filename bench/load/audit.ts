/** Holds what chargers wrote down against what the API shows: nothing acknowledged may be missing, nothing twice. */
import type { Diarist, Entry } from "./diarist.ts"
import { ask } from "./enrol.ts"
import type { Node } from "./servers.ts"

export interface Audited {
  transactions: number
  lost: number
  doubled: number
  /** The first that is not as it should be. */
  example?: string
}

interface Shown {
  transactionId: number
  meterStart: number
  meterStop: number | null
  meterValues: { edges: { node: { timestamp: string } }[] }
}

interface Page {
  transactions: { pageInfo: { hasNextPage: boolean; endCursor: string | null }; edges: { node: Shown }[] }
}

const AT_ONCE = 4
const TRANSACTIONS = `query ($identity: String!, $after: String) {
  transactions(first: 50, after: $after, filter: { chargePoints: [$identity] }) {
    pageInfo { hasNextPage endCursor }
    edges { node { transactionId meterStart meterStop meterValues(first: 20) { edges { node { timestamp } } } } }
  }
}`

/** Asks for every transaction of every diarist. @throws Error in the API's own words */
export async function audit(api: Pick<Node, "graphqlUrl" | "token">, diarists: readonly Diarist[]): Promise<Audited> {
  const found: Audited = { transactions: 0, lost: 0, doubled: 0 }
  const queue = diarists.values()
  const work = async () => {
    for (const { identity, diary } of queue) {
      const shown = await transactionsOf(api, identity)
      found.transactions += shown.length
      compare(identity, diary, shown, found)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}

/** Adds what one charge point's transactions show to what was found. */
export function compare(identity: string, diary: readonly Entry[], shown: readonly Shown[], found: Audited): void {
  const note = (kind: "lost" | "doubled", what: string) => {
    found[kind]++
    found.example ??= `${identity}: ${what} is ${kind}`
  }
  const byId = Map.groupBy(shown, ({ transactionId }) => transactionId)
  const starts = Map.groupBy(shown, ({ meterStart }) => meterStart)
  for (const [meterStart, same] of starts)
    for (const { transactionId } of same.slice(1)) note("doubled", `the start at ${meterStart} (${transactionId})`)
  for (const { transactionId, meterStart, meterStop, readings } of diary) {
    const [transaction] = byId.get(transactionId) ?? []
    if (transaction?.meterStart !== meterStart) {
      note("lost", `transaction ${transactionId}`)
      continue
    }
    if (meterStop !== undefined && transaction.meterStop !== meterStop) note("lost", `the end of ${transactionId}`)
    const instants = transaction.meterValues.edges.map(({ node }) => Date.parse(node.timestamp))
    for (const reading of readings) {
      const count = instants.filter((instant) => instant === Date.parse(reading)).length
      if (count === 0) note("lost", `the reading at ${reading} of ${transactionId}`)
      if (count > 1) note("doubled", `the reading at ${reading} of ${transactionId}`)
    }
  }
}

async function transactionsOf(api: Pick<Node, "graphqlUrl" | "token">, identity: string): Promise<Shown[]> {
  const all: Shown[] = []
  for (let after: string | null = null, more = true; more;) {
    const page: Page = await ask<Page>(api, TRANSACTIONS, { identity, after })
    all.push(...page.transactions.edges.map(({ node }) => node))
    after = page.transactions.pageInfo.endCursor
    more = page.transactions.pageInfo.hasNextPage
  }
  return all
}
