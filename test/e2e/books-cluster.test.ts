/** Local lists and reservations in a cluster: two nodes are asked at once, and two workers look at the clock. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { createClient } from "graphql-ws"
import type { Payload } from "../../bench/conformance/stage.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

let ground: Ground
let nodes: readonly TestNode[]

beforeAll(async () => {
  ground = await openGround()
  nodes = await Promise.all([startTestNode(ground.environment), startTestNode(ground.environment)])
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
  await ground[Symbol.asyncDispose]()
})

const ask = (node: TestNode) => graphqlOver(node.graphqlUrl, node.token)
const nodeAt = (index: number): TestNode => nodes[index % nodes.length] as TestNode
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

/** Has ten commands of an operation wait for a charge point that is away, half of them asked of each node; their requests. */
async function tenOf(action: string, identity: string, input: () => Payload): Promise<Payload[]> {
  await createChargePoint(ask(nodeAt(0)), { identity })
  const name = action.charAt(0).toLowerCase() + action.slice(1)
  const asked = Array.from({ length: 10 }, async (_, index) => {
    const { result } = await ask(nodeAt(index))<{ result: { command: { request: Payload } } }>(
      `mutation ($input: ${action}Input!) { result: ${name}(input: $input) {
        ... on CommandQueued { command { request } }
      } }`,
      { input: { chargePoint: identity, delivery: { whenOffline: "QUEUE" }, ...input() } },
    )
    return result.command.request
  })
  return Promise.all(asked)
}

const oneToTen = Array.from({ length: 10 }, (_, index) => index + 1)
const sorted = (numbers: unknown[]) => numbers.map(Number).sort((one, other) => one - other)

test("no version of a list is given twice", async () => {
  const requests = await tenOf("SendLocalList", "LISTED", () => ({ updateType: "FULL" }))
  expect(sorted(requests.map(({ listVersion }) => listVersion))).toEqual(oneToTen)
})

test("no number of a reservation is given twice, and each expires once", async () => {
  const ended: string[] = []
  let isDeleted = false
  const { graphqlUrl, token } = nodeAt(1)
  const client = createClient({
    url: graphqlUrl.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
  })
  const begun = Promise.withResolvers<void>()
  client.subscribe<{ chargePointChanged: { kind: string; reservation: { reservationId: number; state: string } } }>(
    { query: "subscription { chargePointChanged(snapshot: true) { kind reservation { reservationId state } } }" },
    {
      next({ data }) {
        const change = data?.chargePointChanged
        if (change?.kind === "SNAPSHOT_END") begun.resolve()
        if (change?.kind === "DELETED") isDeleted = true
        if (change?.reservation && change.reservation.state !== "REQUESTED")
          ended.push(`${change.reservation.reservationId} ${change.reservation.state}`)
      },
      error: begun.reject,
      complete: () => undefined,
    },
  )
  await begun.promise
  const expiryDate = inSeconds(2)
  const delivery = { whenOffline: "QUEUE", expiresAt: inSeconds(600) }
  const requests = await tenOf("ReserveNow", "RESERVED", () => ({ connectorId: 1, idTag: "A", expiryDate, delivery }))
  const numbers = sorted(requests.map(({ reservationId }) => reservationId))
  expect(new Set(numbers).size).toBe(10)
  await until("all have ended", async () => {
    const { reservations } = await ask(nodeAt(0))<{ reservations: { edges: unknown[] } }>(
      "{ reservations(filter: { state: [REQUESTED, ACTIVE] }) { edges { node { id } } } }",
    )
    return reservations.edges.length === 0 && ended.length >= 10
  })
  // What is told of one charge point comes in order: a second end of one would have been told before this.
  await ask(nodeAt(0))('mutation { deleteChargePoint(input: { identity: "RESERVED" }) { __typename } }')
  await until("that is told", () => isDeleted)
  expect(sorted(ended.map((each) => each.split(" ")[0]))).toEqual(numbers)
  await client.dispose()
})
