/** What a live screen does, against what a query says: snapshot and later changes folded are the state, whatever is written meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { ChargePointRow, CommandRow } from "../../src/facts/rows.ts"
import { caller, chargePointRow, meterValue, meterValues, start, stop } from "../support/charging.ts"
import { until } from "../support/until.ts"
import { type Answer, type Data, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig()
  token = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

/** More of them explore more; FAST_CHECK_SEED begins elsewhere. */
const RUNS = Number(process.env["FOLDING_RUNS"] ?? 8)

const ORGANISATION = { organisationId: "default" }
const POOL = 4
const STATUSES = ["Available", "Charging", "Faulted"] as const

type Write = { of: number } & (
  | { kind: "create" | "delete" | "online" | "offline" | "start" | "stop" | "read" | "command" | "end" }
  | { kind: "status"; connectorId: 1 | 2; status: (typeof STATUSES)[number] }
  | { kind: "boot"; vendor: "A" | "B" }
  | { kind: "admit"; registrationStatus: "Accepted" | "Pending" }
)

const of = fc.integer({ min: 0, max: POOL - 1 })
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({
    of,
    kind: fc.constantFrom("create", "delete", "online", "offline", "start", "stop", "read", "command", "end"),
  }),
  fc.record({
    of,
    kind: fc.constant("status" as const),
    connectorId: fc.constantFrom(1 as const, 2 as const),
    status: fc.constantFrom(...STATUSES),
  }),
  fc.record({ of, kind: fc.constant("boot" as const), vendor: fc.constantFrom("A" as const, "B" as const) }),
  fc.record({
    of,
    kind: fc.constant("admit" as const),
    registrationStatus: fc.constantFrom("Accepted" as const, "Pending" as const),
  }),
)

/** Writes for a few charge points that come, go and come again under the same identities. */
class World {
  readonly prefix = crypto.randomUUID().slice(0, 8)
  readonly #ids = new Map<number, string>()
  readonly #transactions = new Map<number, number>()
  readonly #commands = new Map<number, CommandRow>()
  #count = 0

  identity = (of: number) => `${this.prefix}-${of}`

  /** Writes go out in this order without waiting for each other, but for those that need an id of an earlier one. */
  async write(writes: readonly Write[]): Promise<void> {
    const underway: Promise<unknown>[] = []
    for (const one of writes) {
      const act = this.#write(one)
      underway.push(act)
      if (one.kind === "start") await act
      else if (++this.#count % 5 === 0) await Bun.sleep(0)
    }
    await Promise.all(underway)
  }

  /** Something of each kind within every filter, told last. */
  async end(): Promise<void> {
    const row = this.#row("marker")
    await rig.store.change("createChargePoint", { chargePoint: { ...row, online: true, vendor: "A" } })
    await rig.store.change("reportStatus", status(row.id, 1, "Faulted"))
    const from = { chargePointId: row.id }
    await rig.store.change("startTransaction", start({}, from, row.id))
    await rig.store.change("recordCommand", { command: command(row.id) })
  }

  #row(name: string | number): ChargePointRow {
    return chargePointRow({ id: crypto.randomUUID(), identity: `${this.prefix}-${name}` })
  }

  async #write(one: Write): Promise<unknown> {
    const { store } = rig
    const epoch = ++this.#count + 1
    const chargePointId = this.#ids.get(one.of)
    if (one.kind === "create") {
      if (chargePointId !== undefined) return
      const row = this.#row(one.of)
      this.#ids.set(one.of, row.id)
      return store.change("createChargePoint", { chargePoint: row })
    }
    if (chargePointId === undefined) return
    const from = { chargePointId, epoch: 1_000_000 }
    const transactionId = this.#transactions.get(one.of)
    switch (one.kind) {
      case "delete":
        this.#ids.delete(one.of)
        return store.change("deleteChargePoint", { ...ORGANISATION, chargePointId, at: epoch })
      case "online":
        return store.change("goOnline", { ...ORGANISATION, chargePointId, nodeId: "n", epoch, at: epoch })
      case "offline":
        return store.change("goOffline", { ...ORGANISATION, chargePointId, epoch, at: epoch, lastSeenAt: null })
      case "status":
        return store.change("reportStatus", status(chargePointId, one.connectorId, one.status))
      case "boot": {
        const request = { chargePointVendor: one.vendor, chargePointModel: "M" }
        return store.change("reportBoot", { ...caller(from), request })
      }
      case "admit": {
        const change = { registrationStatus: one.registrationStatus }
        return store.change("updateChargePoint", { ...ORGANISATION, chargePointId, at: epoch, change })
      }
      case "start": {
        const timestamp = new Date(epoch * 1_000).toISOString()
        const started = await store.change("startTransaction", start({ timestamp, meterStart: 0 }, from, String(epoch)))
        this.#transactions.set(one.of, started.transactionId)
        return
      }
      case "read":
        if (transactionId === undefined) return
        return store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(epoch, epoch * 10)], from))
      case "stop":
        if (transactionId === undefined) return
        return store.change("stopTransaction", stop({ transactionId, meterStop: 1_000_000 }, from))
      case "command": {
        const row = command(chargePointId)
        this.#commands.set(one.of, row)
        return store.change("recordCommand", { command: row })
      }
      case "end": {
        const row = this.#commands.get(one.of)
        if (row === undefined) return
        const ended = { state: "Answered" as const, at: epoch, confirmation: "{}", error: null }
        return store.change("endCommand", {
          ...ORGANISATION,
          commandId: row.id,
          chargePointId: row.chargePointId,
          ...ended,
          configurationKeys: [],
        })
      }
    }
  }
}

const status = (chargePointId: string, connectorId: number, word: (typeof STATUSES)[number]) => ({
  ...caller({ chargePointId, epoch: 1_000_000 }),
  request: { connectorId, status: word, errorCode: "NoError" as const },
  statusAt: 1,
})

const command = (chargePointId: string): CommandRow => ({
  id: crypto.randomUUID(),
  organisationId: "default",
  chargePointId,
  action: "ClearCache",
  request: "{}",
  state: "Sent",
  requestedBy: "test",
  requestedAt: Date.now(),
  deadlineAt: Date.now() + 60_000,
  expiresAt: null,
  sentAt: Date.now(),
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: null,
})

/** A subscription and the query that shows the same. */
interface Screen {
  subscription: string
  /** What of a thing is shown, its id among it. */
  shown: string
  thing: "chargePoint" | "transaction" | "command"
  query: string
  isThere(shown: Data): boolean
  isMarker(shown: Data, prefix: string): boolean
}

const chargePoints = (filter: (prefix: string) => string): ((prefix: string) => Screen) => {
  return (prefix) => ({
    subscription: `chargePointChanged(filter: { search: "${prefix}", ${filter(prefix)} }`,
    shown: "id identity online registrationStatus vendor",
    thing: "chargePoint",
    query: `chargePoints(first: 500, filter: { search: "${prefix}", ${filter(prefix)} }`,
    isThere: () => true,
    isMarker: ({ identity }) => identity === `${prefix}-marker`,
  })
}

/** Transactions and commands of other runs are there as well: they are told as they should be, and seen by the query. */
const running = (args: (prefix: string) => string): ((prefix: string) => Screen) => {
  return (prefix) => ({
    subscription: `transactionChanged(filter: { connectorId: 1, ${args(prefix)} }`,
    shown: "id transactionId state energyWh chargePoint { identity }",
    thing: "transaction",
    query: "transactions(first: 500, filter: { connectorId: 1, state: [ACTIVE] }",
    isThere: ({ state }) => state === "ACTIVE",
    isMarker: (shown) => (shown["chargePoint"] as Data | null)?.["identity"] === `${prefix}-marker`,
  })
}

const unfinished = (prefix: string): Screen => ({
  subscription: "commandChanged(chargePoint: null",
  shown: "id state chargePoint { identity }",
  thing: "command",
  query: "commands(first: 500, filter: { state: [QUEUED, SENT] }",
  isThere: ({ state }) => state === "SENT" || state === "QUEUED",
  isMarker: (shown) => (shown["chargePoint"] as Data | null)?.["identity"] === `${prefix}-marker`,
})

/** Folds what it is told, as the API's descriptions say; cut off after so many changes, it goes on where it was. */
async function fold(screen: Screen, prefix: string, cuts: readonly number[]): Promise<Map<string, Data>> {
  const things = new Map<string, Data>()
  let after: string | null = null
  let hasMarker = false
  for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
    const query: string = `subscription ($after: Cursor) {
      it: ${screen.subscription}, after: $after, snapshot: true) { cursor kind ${screen.thing} { ${screen.shown} } ${screen.thing === "command" ? "" : "left"} }
    }`
    const answers = rig.socket(token).iterate({ query, variables: { after } })
    let told = 0
    let isSnapshot = false
    for await (const answer of answers) {
      const { data, errors } = answer as Answer<{ it: Data }>
      if (!data) throw new Error(JSON.stringify(errors))
      const { cursor, kind, left, [screen.thing]: thing } = data.it
      after = String(cursor)
      if (!isSnapshot && String(kind).startsWith("SNAPSHOT")) things.clear()
      isSnapshot = kind === "SNAPSHOT"
      const shown = thing as Data | null
      if (shown && left) things.delete(String(shown["id"]))
      else if (shown) things.set(String(shown["id"]), shown)
      hasMarker ||= shown !== null && screen.isMarker(shown, prefix)
      if ((hasMarker && !isSnapshot) || ++told >= cut) break
    }
    if (hasMarker && !isSnapshot) break
  }
  return things
}

/** All that the query shows, page by page. */
async function ask(screen: Screen): Promise<Data[]> {
  const all: Data[] = []
  for (let after: string | null = null; ;) {
    const query: string = `query ($after: String) {
      it: ${screen.query}, after: $after) { edges { node { ${screen.shown} } } pageInfo { endCursor hasNextPage } }
    }`
    const answer: Answer<{ it: Page }> = await rig.ask<{ it: Page }>(token, query, { after })
    const { edges, pageInfo } = answer.data!.it
    all.push(...edges.map(({ node }) => node))
    if (!pageInfo.hasNextPage) return all
    after = pageInfo.endCursor
  }
}

interface Page {
  edges: { node: Data }[]
  pageInfo: { endCursor: string | null; hasNextPage: boolean }
}

const own = (things: Iterable<Data>): Data[] =>
  [...things]
    .map(({ chargePoint: _, ...thing }) => thing)
    .sort((one, other) => (String(one["id"]) < String(other["id"]) ? -1 : 1))

async function holds(screenOf: (prefix: string) => Screen): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { minLength: 5, maxLength: 40 }),
      fc.array(write, { minLength: 5, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
      async (before, meanwhile, cuts) => {
        const world = new World()
        const screen = screenOf(world.prefix)
        await world.write(Array.from({ length: POOL }, (_, of): Write => ({ of, kind: "create" })))
        await world.write(before)
        const writing = world.write(meanwhile).then(() => world.end())
        const [folded] = await Promise.all([fold(screen, world.prefix, cuts), writing])
        const asked = await ask(screen)
        expect(own(folded.values().filter(screen.isThere))).toEqual(own(asked))
        await until("the server lets go", () => rig.subscriptions() === 0)
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
}

describe("snapshot and later changes folded are what a query then says", () => {
  test("of all charge points", () => holds(chargePoints(() => "")), 60_000)
  test("of those that are online", () => holds(chargePoints(() => "online: true")), 60_000)
  test(
    "of those of a vendor that are accepted",
    () => holds(chargePoints(() => `vendor: "A", registrationStatus: ACCEPTED`)),
    60_000,
  )
  test(
    "of those with a connector in a status",
    () => holds(chargePoints(() => "online: true, connectorStatus: [FAULTED]")),
    60_000,
  )
  test("of transactions", () => holds(running(() => "")), 60_000)
  test("of transactions in a state", () => holds(running(() => "state: [ACTIVE]")), 60_000)
  test("of commands", () => holds(unfinished), 60_000)
})
