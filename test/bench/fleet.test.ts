/** The fleet, its faults, and the program that drives it. */
import { expect, test } from "bun:test"
import { buildSchema, graphql } from "graphql"
import { believableChargePoint } from "../../bench/behaviour.ts"
import { enrol } from "../../bench/enrolment.ts"
import { faults } from "../../bench/faults.ts"
import { Fleet, type FleetOptions } from "../../bench/fleet.ts"
import { seeded } from "../../bench/random.ts"
import { failureOf, startCentralSystem } from "./central-system.ts"

const fleetOf = (url: string, options: Partial<FleetOptions> = {}) =>
  new Fleet({
    ...{ url, chargers: 4, prefix: "SIM-", idTags: ["TAG-1", "TAG-2"], speed: 3600, sessionEvery: 0.02 },
    ...{ faults: "none", seed: 7, connectRate: 1000 },
    ...options,
  })

async function oneAtWork() {
  const centralSystem = await startCentralSystem()
  const reconnect = { minMs: 10, maxMs: 50 }
  const station = believableChargePoint({ url: centralSystem.url, identity: "CP", speed: 60_000, reconnect })
  const exchanges: Parameters<Parameters<typeof station.chargePoint.onExchange>[0]>[0][] = []
  station.chargePoint.onExchange((exchange) => exchanges.push(exchange))
  await station.connect()
  await station.booted
  return {
    ...{ centralSystem, station, exchanges, statistics: station.chargePoint.statistics },
    async [Symbol.asyncDispose]() {
      await station.stop()
      await centralSystem[Symbol.asyncDispose]()
    },
  }
}

test("a fleet comes up, charges, and leaves no transaction open when it stops", async () => {
  await using centralSystem = await startCentralSystem()
  const fleet = fleetOf(centralSystem.url)
  fleet.start()
  await centralSystem.until(() => centralSystem.of("StartTransaction").length >= 8)
  expect(fleet.report()).toMatchObject({ connected: 4, accepted: 4 })
  await fleet.stop()
  const report = fleet.report()
  expect(report).toMatchObject({ connected: 0, charging: 0, backlog: 0, dropped: 0, callErrors: 0 })
  expect(Object.values(report.anomalies).every((count) => count === 0)).toBe(true)
  expect(report.sessionsEnded).toBe(report.sessionsStarted)
  expect(centralSystem.of("StopTransaction")).toHaveLength(centralSystem.of("StartTransaction").length)
  expect([...centralSystem.clients.keys()].sort()).toEqual(["SIM-0001", "SIM-0002", "SIM-0003", "SIM-0004"])
  expect(centralSystem.violations).toEqual([])
})

test("the same seed makes the same fleet, another seed another", () => {
  const fingerprint = (seed: number) =>
    fleetOf("ws://127.0.0.1:1/ocpp", { seed, chargers: 20 }).stations.map(
      ({ chargePoint }) => chargePoint.identification,
    )
  expect(fingerprint(7)).toEqual(fingerprint(7))
  expect(fingerprint(7)).not.toEqual(fingerprint(8))
})

test("a malformed frame neither ends the conversation nor counts against the central system", async () => {
  await using it = await oneAtWork()
  for (let value = 0; value < 1; value += 0.1) await faults.malformedFrame(it.station, () => value)
  await it.station.chargePoint.call("Heartbeat")
  expect(it.centralSystem.violations.length).toBeGreaterThan(0)
  expect(Object.values(it.statistics.anomalies).every((count) => count === 0)).toBe(true)
})

test("a StartTransaction told again must get the same answer; another one is noticed", async () => {
  await using it = await oneAtWork()
  const ids = new Map<string, number>()
  it.centralSystem.answers["StartTransaction"] = (_, { messageId }) => {
    const transactionId = ids.get(messageId) ?? ids.size + 1
    ids.set(messageId, transactionId)
    return { transactionId, idTagInfo: { status: "Accepted" } }
  }
  await it.station.plugIn(1, "TAG-1")
  await it.station.chargePoint.waitForText((text) => text.includes("transactionId"))
  const start = it.exchanges.find(({ action }) => action === "StartTransaction")
  await faults.repeatedMessage(it.station, Math.random, start)
  expect(it.centralSystem.of("StartTransaction")).toHaveLength(2)
  expect(it.statistics.anomalies.inconsistent).toBe(0)
  ids.clear()
  ids.set("somebody else's", 1)
  await faults.repeatedMessage(it.station, Math.random, start)
  expect(it.statistics.anomalies.inconsistent).toBe(1)
})

test("a failing connector ends its transaction, says so, and works again when repaired", async () => {
  await using it = await oneAtWork()
  await it.station.plugIn(1, "TAG-1")
  await faults.connectorFault(it.station, seeded(1))
  expect(await it.centralSystem.message("StopTransaction")).toMatchObject({ reason: "Other" })
  await it.centralSystem.until(() => it.centralSystem.of("StatusNotification").at(-1)?.["status"] === "Available")
  const faulted = it.centralSystem.of("StatusNotification").find(({ status }) => status === "Faulted")
  expect(faulted?.["errorCode"]).not.toBe("NoError")
})

function simulate(...args: string[]) {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/../../bench/simulate.ts`, ...args], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "pipe" },
  })
  return Object.assign(child, { text: new Response(child.stdout).text(), errors: new Response(child.stderr).text() })
}

test.each(["end of standard input", "SIGINT", "SIGTERM", "SIGINT, which its starter passes on"] as const)(
  "the simulator stops at the %s, with every transaction told and a summary",
  async (how) => {
    await using centralSystem = await startCentralSystem()
    const args = ["--url", centralSystem.url, "--chargers", "2", "--speed", "3600", "--session-every", "0.1"]
    const child = simulate(...args, ...(how.startsWith("SIG") ? [] : ["--stop-with-stdin"]))
    await centralSystem.message("StartTransaction")
    if (how === "end of standard input") await child.stdin.end()
    else if (how === "SIGINT" || how === "SIGTERM") child.kill(how)
    else {
      // Of two signals that are alike, one may be all that arrives.
      child.kill("SIGINT")
      child.kill("SIGTERM")
    }
    expect(await child.exited).toBe(0)
    expect(await child.text).toMatch(/anomalies +none/)
    expect(centralSystem.of("StopTransaction")).toHaveLength(centralSystem.of("StartTransaction").length)
  },
)

test("the simulator explains itself, and refuses what it does not understand", async () => {
  const help = simulate("--help")
  expect(await help.text).toContain("--session-every")
  expect(await help.exited).toBe(0)
  const wrong = simulate("--chargers", "many")
  expect(await wrong.errors).toContain("--chargers must be a number")
  expect(await wrong.exited).toBe(2)
})

/** The two mutations and the token check that a fleet needs, over a real GraphQL engine. */
function startApi() {
  const schema = buildSchema(`
    type Query { ready: Boolean }
    interface Error { message: String! }
    type Taken implements Error { message: String! }
    type Forbidden implements Error { message: String! }
    type Created { name: String }
    union Result = Created | Taken | Forbidden
    input ChargePointInput { identity: String! password: String }
    input IdTagInput { idTag: String! }
    type Mutation { createChargePoint(input: ChargePointInput!): Result createIdTag(input: IdTagInput!): Result }
  `)
  const made = new Map<string, string | undefined>()
  const create = (name: string, authorized: boolean, password?: string) => {
    if (!authorized) return { __typename: "Forbidden", message: "not for you" }
    if (made.has(name)) return { __typename: "Taken", message: `${name} exists already` }
    made.set(name, password)
    return { __typename: "Created", name }
  }
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    async fetch(request) {
      const authorized = request.headers.get("authorization") === "Bearer secret"
      const { query: source, variables } = (await request.json()) as {
        query: string
        variables: Record<string, unknown>
      }
      const rootValue = {
        createChargePoint: ({ input }: { input: { identity: string; password?: string } }) =>
          create(input.identity, authorized, input.password),
        createIdTag: ({ input }: { input: { idTag: string } }) => create(input.idTag, authorized),
      }
      return Response.json(await graphql({ schema, source, rootValue, variableValues: variables }))
    },
  })
  return { made, address: `${server.url}graphql`, [Symbol.dispose]: () => void server.stop(true) }
}

test("what is missing is created over GraphQL, what exists is left alone, what is refused is said", async () => {
  using api = startApi()
  const access = { url: api.address, token: "secret" }
  await enrol(access, ["SIM-1", "SIM-2"], ["TAG"], "a password of 16")
  await enrol(access, ["SIM-1", "SIM-3"], ["TAG"])
  expect(Object.fromEntries(api.made)).toEqual({
    TAG: undefined,
    "SIM-1": "a password of 16",
    "SIM-2": "a password of 16",
    "SIM-3": undefined,
  })
  expect(await failureOf(enrol({ ...access, token: "guess" }, ["SIM-9"], []))).toMatchObject({
    message: "SIM-9: not for you",
  })
})
