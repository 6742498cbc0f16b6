import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { caller, meterValue, meterValues, start, time } from "../support/charging.ts"
import { chargePoint, type Data, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig()
  token = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

/** The data of an answer without errors. */
async function data(query: string, variables: Data = {}): Promise<Data> {
  const answer = await rig.ask(token, query, variables)
  expect(answer.errors).toBeUndefined()
  return answer.data!
}

describe("paging", () => {
  const identities = Array.from({ length: 7 }, (_, index) => `PAGE-${index}`)
  interface Page {
    edges: { cursor: string; node: { identity: string } }[]
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
    totalCount: number
  }
  const page = async (variables: Data) => {
    const { chargePoints } = await data(
      `query ($first: Int, $after: String, $last: Int, $before: String) {
        chargePoints(first: $first, after: $after, last: $last, before: $before, filter: { search: "page-" }) {
          edges { cursor node { identity } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
        }
      }`,
      variables,
    )
    return chargePoints as Page
  }
  const names = ({ edges }: Page) => edges.map(({ node }) => node.identity)
  beforeAll(async () => {
    for (const identity of identities) await chargePoint(rig, identity)
  })

  test("forwards and backwards, every row comes once and in order", async () => {
    const first = await page({ first: 3 })
    expect(names(first)).toEqual(identities.slice(0, 3))
    expect(first).toMatchObject({ pageInfo: { hasNextPage: true, hasPreviousPage: false }, totalCount: 7 })
    const second = await page({ first: 3, after: first.pageInfo.endCursor })
    expect(names(second)).toEqual(identities.slice(3, 6))
    const third = await page({ first: 3, after: second.pageInfo.endCursor })
    expect(names(third)).toEqual(identities.slice(6))
    expect(third.pageInfo.hasNextPage).toBe(false)
    const back = await page({ last: 2, before: third.pageInfo.startCursor })
    expect(names(back)).toEqual(identities.slice(4, 6))
    expect(back.pageInfo.hasPreviousPage).toBe(true)
    expect(names(await page({}))).toEqual(identities)
  })

  test("a row that appears shifts no other", async () => {
    const first = await page({ first: 3 })
    await chargePoint(rig, "PAGE-0a")
    expect(names(await page({ first: 2, after: first.pageInfo.endCursor }))).toEqual(identities.slice(3, 5))
  })

  test.each([
    ["first and last together", { first: 1, last: 1 }],
    ["no row at all", { first: 0 }],
    ["less than none", { last: -1 }],
    ["more than 500", { first: 501 }],
    ["after with last", { last: 1, after: "x" }],
    ["before with first", { first: 1, before: "x" }],
    ["both cursors", { after: "x", before: "x" }],
    ["a cursor of nobody's", { after: "%" }],
    ["a cursor of another list", { after: Buffer.from(JSON.stringify(["transactions", 1])).toString("base64url") }],
  ])("%s is refused", async (_what, variables) => {
    const answer = await rig.ask(
      token,
      `query ($first: Int, $after: String, $last: Int, $before: String) {
        chargePoints(first: $first, after: $after, last: $last, before: $before) { edges { cursor } }
      }`,
      variables,
    )
    expect(answer.errors?.[0]?.extensions?.code).toBe("BAD_USER_INPUT")
  })
})

test("a page of 50 with connectors, transactions and readings costs as many questions as a page of one", async () => {
  await using fresh = await startRig()
  const viewer = await fresh.token("Viewer")
  for (let index = 0; index < 50; index++) {
    const row = await chargePoint(fresh, `N-${String(index).padStart(2, "0")}`)
    const from = { chargePointId: row.id }
    const request = { connectorId: 1, status: "Charging", errorCode: "NoError" } as const
    await fresh.store.change("reportStatus", { ...caller(from), request, statusAt: 1 })
    const { transactionId } = await fresh.store.change("startTransaction", start({}, from))
    await fresh.store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(5, 1400)], from))
  }
  const ask = async (first: number) => {
    fresh.reads.clear()
    const answer = await fresh.ask<{
      chargePoints: { edges: { node: { connectors: { transaction: unknown; latestReadings: unknown[] }[] } }[] }
    }>(
      viewer,
      `query ($first: Int!) {
        chargePoints(first: $first) {
          totalCount
          edges { node { identity configuration { key } deviations { kind }
            connectors { status transaction { energyWh chargePoint { identity } } latestReadings { sampledValue { value } } } } }
        }
      }`,
      { first },
    )
    expect(answer.errors).toBeUndefined()
    return { edges: answer.data!.chargePoints.edges, reads: Object.fromEntries(fresh.reads) }
  }
  const one = await ask(1)
  const fifty = await ask(50)
  expect(fifty.edges.length).toBe(50)
  for (const { node } of fifty.edges) {
    expect(node.connectors).toMatchObject([
      { transaction: { energyWh: 400 }, latestReadings: [{ sampledValue: { value: "1400" } }] },
    ])
  }
  expect(fifty.reads).toEqual(one.reads)
  expect(fifty.reads).toEqual({
    apiTokenByHash: 1,
    chargePoints: 1,
    countChargePoints: 1,
    connectorsOf: 1,
    configurationOf: 1,
    deviationsOf: 1,
    activeTransactionsOf: 1,
    latestMeterValuesOf: 1,
    chargePointsByIds: 1,
  })
})

test("pages below a page cost as many questions for twenty parents as for one", async () => {
  await using fresh = await startRig()
  const viewer = await fresh.token("Viewer")
  const ids: string[] = []
  for (let index = 0; index < 20; index++) {
    const row = await chargePoint(fresh, `B-${String(index).padStart(2, "0")}`)
    const from = { chargePointId: row.id }
    ids.push(row.id)
    for (const minutes of [0, 10]) {
      const { transactionId } = await fresh.store.change("startTransaction", start({ timestamp: time(minutes) }, from))
      const values = [meterValue(minutes + 1, 1400), meterValue(minutes + 2, 1500 + index)]
      await fresh.store.change("reportMeterValues", meterValues({ transactionId }, values, from))
    }
    await fresh.store.change("report", {
      ...caller({ ...from, receivedAt: 1_000 }),
      id: crypto.randomUUID(),
      action: "FirmwareStatusNotification",
      payload: JSON.stringify({ status: "Installed" }),
    })
  }
  const query = `query ($first: Int!, $after: String) {
    chargePoints(first: $first) {
      again: totalCount totalCount
      edges { node {
        firmware { status } diagnostics { status }
        transactions(first: 1, after: $after) {
          totalCount pageInfo { hasNextPage endCursor }
          edges { node { startedAt meterValues(last: 1) { edges { node { sampledValues { value } } } } } }
        }
        ended: transactions(first: 1, state: [ENDED_INFERRED]) { totalCount edges { cursor } }
        messages(last: 1) { edges { cursor } }
        strayMessages(first: 1) { edges { cursor } }
      } }
    }
  }`
  interface Shown {
    transactions: { pageInfo: { endCursor: string } }
  }
  const ask = async (variables: Data) => {
    fresh.reads.clear()
    const answer = await fresh.ask<{ chargePoints: { edges: { node: Shown }[] } }>(viewer, query, variables)
    expect(answer.errors).toBeUndefined()
    return { shown: answer.data!.chargePoints.edges.map(({ node }) => node), reads: Object.fromEntries(fresh.reads) }
  }
  const one = await ask({ first: 1 })
  const twenty = await ask({ first: 20 })
  for (const [index, node] of twenty.shown.entries()) {
    expect(node).toMatchObject({
      firmware: { status: "INSTALLED" },
      diagnostics: null,
      transactions: {
        totalCount: 2,
        pageInfo: { hasNextPage: true },
        edges: [
          {
            node: {
              startedAt: time(10),
              meterValues: { edges: [{ node: { sampledValues: [{ value: String(1500 + index) }] } }] },
            },
          },
        ],
      },
      ended: { totalCount: 1, edges: [{ cursor: expect.any(String) }] },
    })
  }
  expect(twenty.reads).toEqual(one.reads)
  expect(twenty.reads).toEqual({
    apiTokenByHash: 1,
    chargePoints: 1,
    countChargePoints: 1,
    latestReportsOf: 2,
    transactionsOfEach: 2,
    countTransactionsOfEach: 2,
    meterValuesOfEach: 1,
    messagesOfEach: 1,
    strayMessagesOfEach: 1,
  })
  const { endCursor } = one.shown[0]!.transactions.pageInfo
  const next = await ask({ first: 1, after: endCursor })
  expect(next.shown[0]).toMatchObject({
    transactions: { totalCount: 2, pageInfo: { hasNextPage: false }, edges: [{ node: { startedAt: time(0) } }] },
  })
})
