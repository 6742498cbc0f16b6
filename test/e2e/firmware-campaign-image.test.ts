/** Firmware campaigns on one node, from the operator to charge points that fetch Busbar's own image. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { sha256 as digestOf, imageOn, type Taking, takingChargePoint } from "../support/files.ts"
import { type Ask, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

const IMAGE = crypto.getRandomValues(new Uint8Array(300_000))

let node: TestNode
let ask: Ask
let count = 0
beforeAll(async () => {
  node = await startTestNode()
  ask = graphqlOver(node.graphqlUrl, node.token)
})
afterAll(() => node[Symbol.asyncDispose]())

const taking = () => takingChargePoint(node, `CAMPAIGN-${++count}`)
const identityOf = ({ chargePoint }: Taking) => chargePoint.identity

async function plan(input: Record<string, unknown>): Promise<string> {
  const { result } = await ask<{ result: { firmwareCampaign?: { id: string }; message?: string } }>(
    `mutation ($input: CreateFirmwareCampaignInput!) { result: createFirmwareCampaign(input: $input) {
      ... on CreateFirmwareCampaignPayload { firmwareCampaign { id } } ... on Error { message }
    } }`,
    { input },
  )
  if (!result.firmwareCampaign) throw new Error(result.message)
  return result.firmwareCampaign.id
}

const steer = (verb: string, id: string) =>
  ask(`mutation ($id: ID!) { ${verb}FirmwareCampaign(input: { id: $id }) { __typename } }`, { id })

const stateOf = async (id: string) =>
  (
    await ask<{ node: { state: string; progress: { edges: { node: { state: string; attempts: number } }[] } } }>(
      `query ($id: ID!) { node(id: $id) { ... on FirmwareCampaign {
        state progress { edges { node { state attempts } } }
      } } }`,
      { id },
    )
  ).node

const states = async (id: string) => (await stateOf(id)).progress.edges.map((edge) => edge.node.state)

const tell = ({ chargePoint }: Taking, status: string) => chargePoint.call("FirmwareStatusNotification", { status })

test("each charge point gets a link of its own to the image, one after the other", async () => {
  await using one = await taking()
  await using other = await taking()
  const firmwareImage = (await imageOn(node, IMAGE)).id
  const id = await plan({ firmwareImage, chargePoints: [one, other].map(identityOf), concurrency: 1, retries: 3 })
  await until("the first is asked", () => one.told.length > 0)
  expect(one.told).toEqual([{ location: expect.any(String), retrieveDate: expect.any(String), retries: 3 }])
  const image = await (await fetch(one.location)).bytes()
  expect(digestOf(image)).toBe(digestOf(IMAGE))
  expect(other.told).toEqual([])
  await tell(one, "Downloading")
  await until("its progress shows", async () => (await states(id))[0] === "DOWNLOADING")
  await tell(one, "Installed")
  await until("the second is asked", () => other.told.length > 0)
  expect(other.location).not.toBe(one.location)
  await tell(other, "Installed")
  await until("the campaign is completed", async () => (await stateOf(id)).state === "COMPLETED")
  expect([one.told.length, other.told.length]).toEqual([1, 1])
})

test("paused it asks nobody, resumed it goes on; one that is away is asked when it comes back", async () => {
  await using one = await taking()
  await using other = await taking()
  await other.chargePoint.disconnect()
  const location = "https://files.example/fw.bin"
  const id = await plan({ location, chargePoints: [other, one].map(identityOf), retryDelayS: 0 })
  await until("the one that is there is asked", () => one.told.length > 0)
  await steer("pause", id)
  await tell(one, "DownloadFailed")
  await until("the attempt is over", async () => (await states(id))[1] === "PENDING")
  await other.chargePoint.connect()
  await other.chargePoint.boot()
  expect([one.told.length, other.told.length]).toEqual([1, 0])
  await steer("resume", id)
  await until("both are asked", () => one.told.length === 2 && other.told.length === 1)
  for (const each of [one, other]) await tell(each, "Installed")
  await until("the campaign is completed", async () => (await stateOf(id)).state === "COMPLETED")
  expect((await stateOf(id)).progress.edges.map((edge) => edge.node.attempts)).toEqual([1, 2])
  expect(one.told.map(({ location: sent }) => sent)).toEqual([location, location])
})

test("outside its window it asks nobody", async () => {
  await using one = await taking()
  await using other = await taking()
  const clockTime = (inMinutes: number) => new Date(Date.now() + inMinutes * 60_000).toISOString().slice(11, 16)
  const location = "https://files.example/fw.bin"
  const closed = { from: clockTime(120), until: clockTime(240) }
  const id = await plan({ location, chargePoints: [identityOf(one)], window: closed })
  await until("it runs", async () => (await stateOf(id)).state === "RUNNING")
  // The same worker has looked at the first one before it comes to this one.
  await plan({ location, chargePoints: [identityOf(other)], window: { from: clockTime(-60), until: clockTime(60) } })
  await until("the other is asked", () => other.told.length > 0)
  expect(one.told).toEqual([])
  expect(await states(id)).toEqual(["PENDING"])
})
