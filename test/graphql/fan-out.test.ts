import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { chargePointSubject } from "../../src/facts/events.ts"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import { until } from "../support/until.ts"
import { type Answer, chargePoint, type Data, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ organisations: ["elsewhere"], recheckTokensMs: 20 })
})
afterEach(() => until("the server lets go of the test's subscriptions", () => rig.subscriptions() === 0))
afterAll(() => rig[Symbol.asyncDispose]())

/** A charge point of which this node has heard: its announcement is none of what a test waits for. */
async function announced(identity: string, change: Partial<ChargePointRow> = {}): Promise<ChargePointRow> {
  const row = await chargePoint(rig, identity, change)
  await rig.stream.reached(new Map([[chargePointSubject(row.id), 1]]), new AbortController().signal)
  return row
}

const update = (chargePointId: string, heartbeatIntervalS: number, organisationId = "default") =>
  rig.store.change("updateChargePoint", { organisationId, chargePointId, at: 2, change: { heartbeatIntervalS } })

const FIGURES = ["executions_total", "deliveries_total"] as const
const figures = () => Promise.all(FIGURES.map((figure) => rig.metric(`busbar_subscription_${figure}`)))
const groups = () => rig.metric("busbar_subscription_groups")

/** How many executions and deliveries there are until this is done. */
async function costOf(act: () => Promise<unknown>): Promise<[executions: number, deliveries: number]> {
  const [executions = 0, deliveries = 0] = await figures()
  await act()
  const [executionsNow = 0, deliveriesNow = 0] = await figures()
  return [executionsNow - executions, deliveriesNow - deliveries]
}

interface Asked {
  query: string
  variables?: Data
}
type Client = ReturnType<Rig["socket"]> | ReturnType<Rig["sse"]>

/** Keeps what a subscription is told, the failure that ends it included. */
class Recorder {
  readonly told: Answer[] = []
  hasEnded = false
  readonly #answers: AsyncIterableIterator<unknown>
  readonly #reading: Promise<void>

  constructor(client: Client, asked: Asked) {
    this.#answers = client.iterate(asked)
    this.#reading = this.#read()
  }

  async #read() {
    for await (const answer of this.#answers) this.told.push(answer as Answer)
    this.hasEnded = true
  }

  async stop() {
    await this.#answers.return?.()
    await this.#reading
  }
}

async function record(asked: readonly (Asked & { by: Client })[]): Promise<Recorder[]> {
  const before = rig.subscriptions()
  const recorders = asked.map(({ by, ...operation }) => new Recorder(by, operation))
  await until("all subscriptions are open", () => rig.subscriptions() === before + asked.length)
  return recorders
}

const allTold = (recorders: readonly Recorder[], count: number) =>
  until("all have been told", () => recorders.every(({ told }) => told.length === count))

const stopAll = (recorders: readonly Recorder[]) => Promise.all(recorders.map((recorder) => recorder.stop()))

test("a thousand identical subscriptions over sockets and event streams cost one execution per event", async () => {
  const { id } = await announced("thousandfold")
  const tokens = await Promise.all([rig.token("Viewer"), rig.token("Viewer")])
  const sockets = [0, 1, 2, 3].map((index) => rig.socket(tokens[index % 2]!))
  const streams = rig.sse(tokens[0]!)
  const query = `subscription { chargePointChanged { kind chargePoint { heartbeatIntervalS connectors { status } } } }`
  const recorders = await record(
    Array.from({ length: 1_000 }, (_, index) => ({ query, by: index < 20 ? streams : sockets[index % 4]! })),
  )
  expect(await groups()).toBe(1)
  rig.reads.clear()
  const cost = await costOf(async () => {
    await update(id, 77)
    await allTold(recorders, 1)
  })
  expect(cost).toEqual([1, 1_000])
  expect(rig.reads.get("connectorsOf")).toBe(1)
  const told = { chargePointChanged: { kind: "UPDATED", chargePoint: { heartbeatIntervalS: 77, connectors: [] } } }
  for (const recorder of recorders) expect(recorder.told).toEqual([{ data: told }])
  await stopAll(recorders)
  await until("the group is gone", async () => (await groups()) === 0)
})

test("other variables, another document, role or organisation are never shared, and nobody sees another organisation", async () => {
  const ours = await announced("shared-ours")
  const theirs = await announced("shared-theirs", { organisationId: "elsewhere" })
  const viewer = rig.socket(await rig.token("Viewer"))
  const admin = rig.socket(await rig.token("Admin"))
  const stranger = rig.socket(await rig.token("Viewer", { organisationId: "elsewhere" }))
  const document = (body: string) =>
    `subscription ($search: String) { chargePointChanged(filter: { search: $search }) { ${body} } }`
  const query = document("chargePoint { identity }")
  const variables = { search: "shared-" }
  const recorders = await record([
    { query, variables, by: viewer },
    { query, variables: { search: "shared-o" }, by: viewer },
    { query: document("chargePoint { name: identity }"), variables, by: viewer },
    { query, variables, by: admin },
    { query, variables, by: stranger },
  ])
  expect(await groups()).toBe(5)
  const cost = await costOf(async () => {
    await update(ours.id, 5)
    await update(theirs.id, 6, "elsewhere")
    await allTold(recorders, 1)
  })
  expect(cost).toEqual([5, 5])
  const shown = (one: Data) => [{ data: { chargePointChanged: { chargePoint: one } } }]
  expect(recorders.map(({ told }) => told)).toEqual([
    shown({ identity: "shared-ours" }),
    shown({ identity: "shared-ours" }),
    shown({ name: "shared-ours" }),
    shown({ identity: "shared-ours" }),
    shown({ identity: "shared-theirs" }),
  ])
  await stopAll(recorders)
})

test("where a subscription began, and how its text is laid out, makes no difference once it has caught up", async () => {
  const { id } = await announced("caught-up")
  const viewer = rig.socket(await rig.token("Viewer"))
  const filter = `filter: { identities: ["caught-up"] }`
  const recorders = await record([
    { query: `subscription { chargePointChanged(${filter}) { kind } }`, by: viewer },
    { query: `subscription {\n  chargePointChanged(${filter}, snapshot: true) {\n    kind\n  }\n}`, by: viewer },
    {
      query: `subscription ($after: Cursor, $first: Boolean) { ...All }
        fragment All on Subscription { chargePointChanged(${filter}, after: $after, snapshot: $first) { kind } }`,
      variables: { after: "of another time", first: true },
      by: viewer,
    },
    {
      query: `subscription ($first: Boolean) { ...All }
        fragment All on Subscription { chargePointChanged(${filter}, snapshot: $first) { kind } }`,
      variables: { first: true },
      by: viewer,
    },
  ])
  await until("the snapshots are told", () => recorders.slice(1).every(({ told }) => told.length === 2))
  await until("all have caught up", async () => (await groups()) === 2)
  const cost = await costOf(async () => {
    await update(id, 9)
    await until("all have been told", () => recorders.every(({ told }, index) => told.length === (index ? 3 : 1)))
  })
  expect(cost).toEqual([2, 4])
  await stopAll(recorders)
})

test("a variable that says where to begin and narrows as well is not left aside", async () => {
  const { id } = await announced("both-ways")
  const viewer = rig.socket(await rig.token("Viewer"))
  const query = `subscription ($on: Boolean!) {
    chargePointChanged(filter: { identities: ["both-ways"] }, snapshot: $on) { kind chargePoint @include(if: $on) { identity } }
  }`
  const recorders = await record([true, false].map((on) => ({ query, variables: { on }, by: viewer })))
  await until("the snapshot is told", () => recorders[0]!.told.length === 2)
  await update(id, 3)
  await until("both have been told", () => recorders[0]!.told.length === 3 && recorders[1]!.told.length === 1)
  expect(recorders[1]!.told).toEqual([{ data: { chargePointChanged: { kind: "UPDATED" } } }])
  expect(recorders[0]!.told[2]).toEqual({
    data: { chargePointChanged: { kind: "UPDATED", chargePoint: { identity: "both-ways" } } },
  })
  await stopAll(recorders)
})

test("a token that is revoked ends its bearer's subscriptions as FORBIDDEN, and nobody else's", async () => {
  const { id } = await announced("revoked")
  const admin = await rig.token("Admin")
  const create = `mutation ($input: CreateApiTokenInput!) {
    result: createApiToken(input: $input) { ... on CreateApiTokenPayload { token apiToken { id } } }
  }`
  const made = await result(rig, admin, create, { input: { name: "for a moment", role: "VIEWER" } })
  const taken = String(made["token"])
  const kept = await rig.token("Viewer")
  const query = `subscription { chargePointChanged(filter: { identities: ["revoked"] }) { chargePoint { heartbeatIntervalS } } }`
  const bearers = [rig.socket(kept), rig.sse(kept), rig.socket(taken), rig.sse(taken)]
  const recorders = await record(bearers.map((by) => ({ query, by })))
  expect(await groups()).toBe(1)
  await update(id, 1)
  await allTold(recorders, 1)
  const revoke = `mutation ($id: ID!) { result: revokeApiToken(input: { id: $id }) { __typename } }`
  await result(rig, admin, revoke, { id: (made["apiToken"] as Data)["id"] })
  await until("the bearer is told", () => recorders.slice(2).every(({ hasEnded }) => hasEnded))
  await update(id, 2)
  await allTold(recorders, 2)
  const codes = recorders.map(({ told }) => told[1]?.errors?.[0]?.extensions?.code)
  expect(codes).toEqual([undefined, undefined, "FORBIDDEN", "FORBIDDEN"])
  expect(recorders.map(({ hasEnded }) => hasEnded)).toEqual([false, false, true, true])
  await stopAll(recorders.slice(0, 2))
})

test("an event costs those who follow something else nothing", async () => {
  const { id } = await announced("eventful")
  const token = await rig.token("Viewer")
  const sockets = [rig.socket(token), rig.socket(token)]
  const query = `subscription ($identity: String!) { chargePointChanged(filter: { identities: [$identity] }) { kind } }`
  const others = await record(
    Array.from({ length: 400 }, (_, index) => ({
      query,
      variables: { identity: `idle-${index}` },
      by: sockets[index % 2]!,
    })),
  )
  const [own] = await record([{ query, variables: { identity: "eventful" }, by: sockets[0]! }])
  const cost = await costOf(async () => {
    await update(id, 4)
    await allTold([own!], 1)
  })
  expect(cost).toEqual([1, 1])
  await stopAll([...others, own!])
})

test("the server's stop completes event streams, and closes sockets as going away, so that their clients come back", async () => {
  await using other = await startRig()
  const token = await other.token("Viewer")
  const query = `subscription { transactionChanged { kind } }`
  const stream = other.sse(token).iterate({ query }).next()
  const socket = other.socket(token).iterate({ query }).next()
  await until("both are open", () => other.subscriptions() === 2)
  await Promise.all([
    other.stopApi(),
    expect(socket).rejects.toMatchObject({ code: 1001 }),
    expect(stream).resolves.toEqual({ done: true, value: undefined }),
  ])
  expect(other.subscriptions()).toBe(0)
})
