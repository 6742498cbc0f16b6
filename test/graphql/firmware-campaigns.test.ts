import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { until } from "../support/until.ts"
import { type Answer, chargePoint, type Data, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig({ organisations: ["other"] })
  token = await rig.token("Operator")
  for (const identity of ["UPDATED-1", "UPDATED-2", "UPDATED-3"])
    await chargePoint(rig, identity, { online: true, acceptedAt: 1 })
})
afterAll(() => rig[Symbol.asyncDispose]())

const LOCATION = "ftp://user:hunter2@files.example/fw.bin"
const ALL = ["UPDATED-1", "UPDATED-2", "UPDATED-3"]

const CAMPAIGN = `id name state pauseReason location startAt window { from until } concurrency maxFailureShare minFinished
  maxAttempts attemptTimeoutS retryDelayS retrieveDelayS retries retryInterval createdBy startedAt endedAt
  firmwareImage { id } counts { total pending requested installed failed cancelled skipped }`

const create = (input: Data, bearer = token) =>
  result(
    rig,
    bearer,
    `mutation ($input: CreateFirmwareCampaignInput!) { result: createFirmwareCampaign(input: $input) {
      __typename
      ... on CreateFirmwareCampaignPayload { firmwareCampaign { ${CAMPAIGN} } }
      ... on InvalidInput { issues { path message } }
      ... on Error { message }
    } }`,
    { input: { location: LOCATION, chargePoints: ALL, ...input } },
  )

async function created(input: Data = {}): Promise<Data & { id: string }> {
  const { firmwareCampaign, ...other } = await create(input)
  if (!firmwareCampaign) throw new Error(JSON.stringify(other))
  return firmwareCampaign as Data & { id: string }
}

const steer = (verb: "pause" | "resume" | "cancel", id: unknown, bearer = token) => {
  const name = verb.charAt(0).toUpperCase() + verb.slice(1)
  return result(
    rig,
    bearer,
    `mutation ($id: ID!) { result: ${verb}FirmwareCampaign(input: { id: $id }) {
      __typename
      ... on ${name}FirmwareCampaignPayload { firmwareCampaign { state pauseReason counts { pending cancelled } } }
      ... on NotAllowedNow { reason }
    } }`,
    { id },
  )
}

/** Its own id within. */
const rowIdOf = (id: string) => Buffer.from(id, "base64").toString().split(":")[1]!

const steered = (campaignId: string, to: "Start") =>
  rig.store.change("steerFirmwareCampaign", { organisationId: "default", campaignId, at: Date.now(), to })

/** Begins an attempt at one of a started campaign's charge points, as a worker does. */
async function begin(campaignId: string, identity: string): Promise<void> {
  const { id } = (await rig.store.read.chargePointByIdentity(identity))!
  const entry = { organisationId: "default", campaignId, chargePointId: id }
  const at = Date.now()
  const begun = await rig.store.change("beginFirmwareAttempt", {
    ...entry,
    commandId: crypto.randomUUID(),
    at,
    lostAt: at + 60_000,
  })
  expect(begun).toHaveProperty("attempt")
}

describe("a campaign is planned", () => {
  test("with defaults for what is left out, its location's secrets shown nowhere", async () => {
    const campaign = await created({ name: "Spring", startAt: "2999-01-01T00:00:00.000Z" })
    expect(campaign).toEqual({
      id: campaign.id,
      name: "Spring",
      state: "SCHEDULED",
      pauseReason: null,
      location: "ftp://***@files.example/fw.bin",
      startAt: "2999-01-01T00:00:00.000Z",
      window: null,
      concurrency: 10,
      maxFailureShare: 0.2,
      minFinished: 5,
      maxAttempts: 2,
      attemptTimeoutS: 7200,
      retryDelayS: 60,
      retrieveDelayS: 0,
      retries: null,
      retryInterval: null,
      createdBy: "Operator of the test",
      startedAt: null,
      endedAt: null,
      firmwareImage: null,
      counts: { total: 3, pending: 3, requested: 0, installed: 0, failed: 0, cancelled: 0, skipped: 0 },
    })
    const [row] = await rig.store.read.firmwareCampaignsByIds([rowIdOf(campaign.id)])
    expect(JSON.stringify(row)).not.toContain("hunter2")
  })

  test("exactly as it was given", async () => {
    const given = {
      window: { from: "22:30", until: "04:05" },
      concurrency: 3,
      maxFailureShare: 0.5,
      minFinished: 2,
      maxAttempts: 1,
      attemptTimeoutS: 60,
      retryDelayS: 0,
      retrieveDelayS: 30,
      retries: 4,
      retryInterval: 5,
    }
    expect(await created(given)).toMatchObject(given)
  })

  test("from an image of Busbar's own", async () => {
    const firmwareImage = {
      id: "image",
      organisationId: "default",
      name: "Image",
      version: "1",
      fileName: "fw.bin",
      vendor: null,
      model: null,
      size: 1,
      sha256: "00",
      createdAt: 1,
      createdBy: "operator",
    }
    await rig.store.change("addFirmwareImage", { firmwareImage })
    const id = Buffer.from("FirmwareImage:image").toString("base64")
    expect(await created({ location: null, firmwareImage: id })).toMatchObject({
      firmwareImage: { id },
      location: null,
    })
    const gone = Buffer.from("FirmwareImage:gone").toString("base64")
    expect(await create({ location: null, firmwareImage: gone })).toMatchObject({ __typename: "FirmwareImageNotFound" })
  })

  test("once under one idempotencyKey", async () => {
    const first = await created({ idempotencyKey: "spring" })
    expect(await created({ idempotencyKey: "spring", name: "Another" })).toEqual(first)
  })

  test("not with what cannot be used, all of it told at once", async () => {
    const refused = await create({
      location: null,
      window: { from: "25:00", until: "24:00" },
      concurrency: 0,
      maxFailureShare: 1.1,
      maxAttempts: 21,
      attemptTimeoutS: 0,
      protocol: "FTP",
    })
    const { issues } = refused as { issues: { path: string }[] }
    expect(issues.map(({ path }) => path).sort()).toEqual(
      [
        "location",
        "window.from",
        "window.until",
        "concurrency",
        "maxFailureShare",
        "maxAttempts",
        "attemptTimeoutS",
        "protocol",
      ].sort(),
    )
    expect(await create({ chargePoints: ["UPDATED-1", "nobody", "UPDATED-1"] })).toMatchObject({
      __typename: "InvalidInput",
      issues: [{ path: "chargePoints[1]" }, { path: "chargePoints[2]" }],
    })
    expect(await create({ chargePoints: [] })).toMatchObject({ issues: [{ path: "chargePoints" }] })
  })
})

test("a campaign is paused, resumed and cancelled, and after that no more", async () => {
  const { id } = await created({ startAt: "2999-01-01T00:00:00Z" })
  expect(await steer("pause", id)).toMatchObject({ firmwareCampaign: { state: "PAUSED", pauseReason: "OPERATOR" } })
  expect(await steer("resume", id)).toMatchObject({ firmwareCampaign: { state: "SCHEDULED", pauseReason: null } })
  expect(await steer("cancel", id)).toEqual({
    __typename: "CancelFirmwareCampaignPayload",
    firmwareCampaign: { state: "CANCELLED", pauseReason: null, counts: { pending: 0, cancelled: 3 } },
  })
  expect(await steer("resume", id)).toEqual({ __typename: "NotAllowedNow", reason: "the campaign is CANCELLED" })
})

test("its charge points come page by page, in the order in which they were named", async () => {
  const { id } = await created({ chargePoints: ["UPDATED-3", "UPDATED-1", "UPDATED-2"], concurrency: 1 })
  await steered(rowIdOf(id), "Start")
  await begin(rowIdOf(id), "UPDATED-3")
  const progress = async (args: string) => {
    const { data } = await rig.ask<{ node: { progress: { edges: { node: Data }[]; pageInfo: Data } } }>(
      token,
      `query ($id: ID!) { node(id: $id) { ... on FirmwareCampaign { progress(${args}) {
        edges { node { id state attempts dueAt command { id } chargePoint { identity } campaign { id } } }
        pageInfo { hasNextPage endCursor }
      } } } }`,
      { id },
    )
    return data!.node.progress
  }
  const first = await progress("first: 2")
  expect(first.edges.map(({ node }) => [node["state"], node["attempts"], node["chargePoint"]])).toEqual([
    ["REQUESTED", 1, { identity: "UPDATED-3" }],
    ["PENDING", 0, { identity: "UPDATED-1" }],
  ])
  expect(first.edges[0]!.node["campaign"]).toEqual({ id })
  const second = await progress(`first: 2, after: "${String(first.pageInfo["endCursor"])}"`)
  expect(second.edges.map(({ node }) => node["chargePoint"])).toEqual([{ identity: "UPDATED-2" }])
  const pending = await progress("filter: { state: [PENDING] }")
  expect(pending.edges).toHaveLength(2)
  const entry = first.edges[0]!.node["id"]
  const found = await rig.ask(token, "query ($id: ID!) { node(id: $id) { __typename id } }", { id: entry })
  expect(found.data).toEqual({ node: { __typename: "FirmwareCampaignChargePoint", id: entry } })
  await steer("cancel", id)
  await rig.store.change("deleteChargePoint", {
    organisationId: "default",
    chargePointId: (await rig.store.read.chargePointByIdentity("UPDATED-3"))!.id,
    at: Date.now(),
  })
  await chargePoint(rig, "UPDATED-3", { online: true, acceptedAt: 1 })
  expect((await progress("first: 1")).edges[0]!.node["chargePoint"]).toBeNull()
})

test("campaigns are found by state, and by nobody of another organisation", async () => {
  const { id } = await created({ startAt: "2999-01-01T00:00:00Z" })
  await steer("pause", id)
  const list = async (bearer: string) => {
    const { data } = await rig.ask<{ firmwareCampaigns: { edges: { node: { id: string; state: string } }[] } }>(
      bearer,
      "{ firmwareCampaigns(filter: { state: [PAUSED] }) { edges { node { id state } } } }",
    )
    return data!.firmwareCampaigns.edges.map(({ node }) => node)
  }
  expect(await list(await rig.token("Viewer"))).toEqual([{ id, state: "PAUSED" }])
  const other = await rig.token("Operator", { organisationId: "other" })
  expect(await list(other)).toEqual([])
  expect((await rig.ask(other, "query ($id: ID!) { node(id: $id) { id } }", { id })).data).toEqual({ node: null })
  expect(await steer("cancel", id, other)).toEqual({ __typename: "FirmwareCampaignNotFound" })
  const query = `subscription { firmwareCampaignChanged(id: "${id}") { kind } }`
  const { value } = await rig.sse(other).iterate({ query }).next()
  expect((value as Answer).errors?.[0]?.extensions?.code).toBe("NOT_FOUND")
})

test("its story is told as it happens, with the state as of each change, and no other campaign's", async () => {
  const other = await created({ startAt: "2999-01-01T00:00:00Z" })
  const { id } = await created({ concurrency: 1 })
  const told: Data[] = []
  const before = rig.subscriptions()
  const stop = rig.socket(token).subscribe<{ firmwareCampaignChanged: Data }>(
    {
      query: `subscription { firmwareCampaignChanged(id: "${id}") {
        kind cursor firmwareCampaign { state counts { pending requested cancelled } } progress { state chargePoint { identity } }
      } }`,
    },
    {
      next: ({ data }) => void (data && told.push(data.firmwareCampaignChanged)),
      error: () => undefined,
      complete: () => undefined,
    },
  )
  await until("the subscription is open", () => rig.subscriptions() > before)
  await steer("pause", other.id)
  await steered(rowIdOf(id), "Start")
  await begin(rowIdOf(id), "UPDATED-2")
  await steer("pause", id)
  await steer("cancel", id)
  await until("all was told", () => told.at(-1)?.["kind"] === "CANCELLED")
  stop()
  // What was committed before may be told yet, or not.
  expect(told.filter(({ kind }) => kind !== "CREATED")).toMatchObject([
    { kind: "STARTED", firmwareCampaign: { state: "RUNNING", counts: { pending: 3, requested: 0 } }, progress: null },
    {
      kind: "PROGRESS",
      firmwareCampaign: { counts: { pending: 2, requested: 1 } },
      progress: { state: "REQUESTED", chargePoint: { identity: "UPDATED-2" } },
    },
    { kind: "PAUSED", firmwareCampaign: { state: "PAUSED" }, progress: null },
    { kind: "CANCELLED", firmwareCampaign: { counts: { pending: 0, requested: 1, cancelled: 2 } } },
  ])
})
