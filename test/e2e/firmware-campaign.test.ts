/** A firmware campaign over many charge points survives kill -9 of the node and of the worker: nobody is forgotten, nobody asked twice. */
import { expect, test } from "bun:test"
import { ChargePoint } from "../../bench/charge-point.ts"
import { CallError } from "../../bench/wire.ts"
import { openGround } from "../support/cluster.ts"
import { type Ask, createChargePoint, graphqlOver } from "../support/graphql.ts"
import { freePort } from "../support/guarded-server.ts"
import { type ServerProcess, startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

/** What a charge point does with an UpdateFirmware: the statuses it tells, by the attempt; undefined: it never answers. */
type Way = (attempt: number) => readonly string[] | undefined

const ALL_WELL = ["Downloading", "Downloaded", "Installing", "Installed"]

const WAYS = {
  silent: () => [],
  mute: () => undefined,
  refusing: () => {
    throw new CallError("InternalError", "not today")
  },
  "unable to install": () => ["Downloading", "Downloaded", "Installing", "InstallationFailed"],
  "failing to download once": (attempt: number) => (attempt === 1 ? ["Downloading", "DownloadFailed"] : ALL_WELL),
  away: () => ALL_WELL,
  good: () => ALL_WELL,
} satisfies Record<string, Way>
type Kind = keyof typeof WAYS

/** How many there are of each, in the order in which they are asked. */
const FLEET: readonly [kind: Kind, count: number][] = [
  ["silent", 4],
  ["mute", 3],
  ["refusing", 3],
  ["unable to install", 5],
  ["failing to download once", 8],
  ["away", 6],
  ["good", 26],
]
/** Of them. */
const INSTALLED = 40
const MAX_ATTEMPTS = 3
const SECRET = "user:hunter2"
const LOCATION = `ftp://${SECRET}@files.example/fw.bin?x=%41`

class Updating implements AsyncDisposable {
  readonly kind: Kind
  readonly chargePoint: ChargePoint
  /** The requests received. */
  readonly requests: Record<string, unknown>[] = []
  #isOver = false

  constructor(url: string, kind: Kind, index: number) {
    this.kind = kind
    const identity = `${kind.replaceAll(" ", "-")}-${index}`
    this.chargePoint = new ChargePoint({ url, identity, connectors: 1, reconnect: { minMs: 50, maxMs: 200 } })
    this.chargePoint.onOpen(() => void this.#tell("BootNotification", this.chargePoint.identification))
    this.chargePoint.onCall("UpdateFirmware", (request, after) => {
      this.requests.push(request)
      const statuses = WAYS[kind](this.requests.length)
      if (statuses === undefined) return Promise.withResolvers<object>().promise
      after(() => void this.#carryOut(this.requests.length, statuses))
      return {}
    })
  }

  async #carryOut(attempt: number, statuses: readonly string[]): Promise<void> {
    for (const status of statuses) {
      await Bun.sleep(100 + Math.random() * 400)
      if (attempt === this.requests.length) await this.#tell("FirmwareStatusNotification", { status })
    }
  }

  /** Said until it is answered, as a charge point's own storage sees to it. */
  async #tell(action: string, payload: object): Promise<void> {
    while (!this.#isOver) {
      const isAnswered = await this.chargePoint.call(action, payload).then(
        () => true,
        () => false,
      )
      if (isAnswered) return
      await Bun.sleep(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.chargePoint.close()
  }
}

interface Progress {
  state: string
  attempts: number
  failure: string | null
  chargePoint: { identity: string }
}

interface Campaign {
  state: string
  counts: Record<string, number>
  location: string
  progress: { edges: { node: Progress }[] }
}

const CAMPAIGN = `query ($id: ID!) { node(id: $id) { ... on FirmwareCampaign {
  state location counts { total pending installed failed }
  progress(first: 100) { edges { node { state attempts failure chargePoint { identity } } } }
} } }`

const campaignOf = async (ask: Ask, id: string) => (await ask<{ node: Campaign }>(CAMPAIGN, { id })).node

interface SentCommand {
  state: string
  sentAt: string | null
  error: { code: string } | null
  request: { retrieveDate: string }
}

/** The requests of a charge point that left, by the books. */
async function requestsOf(ask: Ask, identity: string): Promise<SentCommand[]> {
  const { commands } = await ask<{ commands: { edges: { node: SentCommand }[] } }>(
    `query ($filter: CommandFilter) { commands(filter: $filter) { edges { node { state sentAt error { code } request } } } }`,
    { filter: { chargePoints: [identity], action: "UpdateFirmware" } },
  )
  return commands.edges.map(({ node }) => node).filter(({ sentAt }) => sentAt !== null)
}

test("killed -9 twice in the middle: the right state for each charge point, one request per attempt", async () => {
  await using ground = await openGround()
  const environment = {
    ...ground.environment,
    OCPP_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    CALL_TIMEOUT: "1",
    LOG_LEVEL: "error",
  }
  const startBoth = () =>
    Promise.all([
      startServerProcess({ ...environment, ROLES: "gateway,api" }),
      startServerProcess(environment, [], "workers/main.ts"),
    ])
  let running: readonly ServerProcess[] = await startBoth()
  await using _killed = {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one.kill()))
    },
  }
  const url = `ws://127.0.0.1:${environment.OCPP_PORT}/ocpp`
  const graphqlUrl = `http://127.0.0.1:${environment.HTTP_PORT}/graphql`
  const ask = graphqlOver(graphqlUrl, ground.environment["ADMIN_TOKEN"] ?? "")

  await using fleet = new AsyncDisposableStack()
  const all = FLEET.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => fleet.use(new Updating(url, kind, index))),
  )
  for (const { chargePoint } of all) await createChargePoint(ask, { identity: chargePoint.identity })
  const there = all.filter(({ kind }) => kind !== "away")
  await Promise.all(there.map(({ chargePoint }) => chargePoint.connect()))

  const { result } = await ask<{ result: { firmwareCampaign: { id: string } } }>(
    `mutation ($input: CreateFirmwareCampaignInput!) { result: createFirmwareCampaign(input: $input) {
      __typename ... on CreateFirmwareCampaignPayload { firmwareCampaign { id } } ... on Error { message }
    } }`,
    {
      input: {
        location: LOCATION,
        chargePoints: all.map(({ chargePoint }) => chargePoint.identity),
        concurrency: 20,
        maxFailureShare: 1,
        maxAttempts: MAX_ATTEMPTS,
        attemptTimeoutS: 4,
        retryDelayS: 0,
      },
    },
  )
  const { id } = result.firmwareCampaign

  const asked = () => all.reduce((sum, { requests }) => sum + requests.length, 0)
  for (const when of [12, 40]) {
    await until(`${when} requests have left`, () => asked() >= when, 30_000)
    await Promise.all(running.map((one) => one.kill()))
    running = await startBoth()
    expect((await campaignOf(ask, id)).state).toBe("RUNNING")
  }
  for (const { kind, chargePoint } of all) if (kind === "away") await chargePoint.connect()
  // One that took too long, because nobody heard it meanwhile, may say Installed after its last attempt was given up.
  const campaign = await until(
    "the campaign is completed, with everybody's last word",
    async () => {
      await Bun.sleep(100)
      const now = await campaignOf(ask, id)
      return now.state === "COMPLETED" && now.counts["installed"] === INSTALLED && now
    },
    90_000,
  )
  const progress = new Map(campaign.progress.edges.map(({ node }) => [node.chargePoint.identity, node]))
  const expected: Record<Kind, { state: string; failure: string | null }> = {
    silent: { state: "FAILED", failure: "EXPIRED" },
    mute: { state: "FAILED", failure: "EXPIRED" },
    refusing: { state: "FAILED", failure: expect.any(String) },
    "unable to install": { state: "FAILED", failure: expect.any(String) },
    "failing to download once": { state: "INSTALLED", failure: null },
    away: { state: "INSTALLED", failure: null },
    good: { state: "INSTALLED", failure: null },
  }
  for (const { kind, chargePoint, requests } of all) {
    const entry = progress.get(chargePoint.identity)
    expect(entry).toMatchObject(expected[kind])
    if (expected[kind].state === "FAILED") expect(entry?.attempts).toBe(MAX_ATTEMPTS)
    // A request in the hands of a node that was killed may be lost, its attempt then ends by its time; none is doubled.
    const left = await requestsOf(ask, chargePoint.identity)
    expect(left).toHaveLength(entry?.attempts ?? -1)
    for (const request of requests) expect(request).toEqual({ location: LOCATION, retrieveDate: expect.any(String) })
    // No two attempts have the same instant: each request that came is one that left, and came once.
    const came = requests.map(({ retrieveDate }) => retrieveDate)
    // One that FAILED by time was given up before its frame left, as busy as the machine was.
    const answered = left.filter(({ state, error }) => state !== "TIMED_OUT" && error?.code !== "TIMEOUT")
    expect(new Set(came).size).toBe(came.length)
    expect(left.map(({ request }) => request.retrieveDate)).toEqual(expect.arrayContaining(came))
    expect(came).toEqual(expect.arrayContaining(answered.map(({ request }) => request.retrieveDate)))
  }
  expect(campaign.counts).toEqual({
    total: all.length,
    pending: 0,
    installed: INSTALLED,
    failed: all.length - INSTALLED,
  })
  expect(campaign.location).not.toContain(SECRET)
}, 150_000)
