/** Local authorization lists from the operator to the charge point and back, with a charge point that is not ours. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import type { Payload, ScriptedChargePoint, Told } from "../../bench/conformance/stage.ts"
import { type Ask, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { bootedChargePoint } from "../support/scripted.ts"

let node: TestNode
let ask: Ask
let count = 0

beforeAll(async () => {
  node = await startTestNode()
  ask = graphqlOver(node.graphqlUrl, node.token)
  await createIdTag(ask, { idTag: "Alice", parentIdTag: "Family" })
  await createIdTag(ask, { idTag: "Bob", status: "BLOCKED" })
  await createIdTag(ask, { idTag: "Carol", expiryDate: "2020-01-01T00:00:00Z" })
})

afterAll(() => node[Symbol.asyncDispose]())

const booted = () => bootedChargePoint(node, `LISTED-${++count}`)

/** One update that the charge point answers so; what it was asked, and what the operator was told. */
const send = (chargePoint: ScriptedChargePoint, input: Payload, status = "Accepted") =>
  chargePoint.answering("SendLocalList", { status }, () => refusable(chargePoint, input))

const refusable = async ({ identity }: ScriptedChargePoint, input: Payload): Promise<Told> => {
  const { result } = await ask<Payload>(
    `mutation ($input: SendLocalListInput!) { result: sendLocalList(input: $input) {
      __typename ... on SendLocalListConfirmation { status } ... on InvalidInput { issues { path message } }
    } }`,
    { input: { chargePoint: identity, ...input } },
  )
  return result as Told
}

const listOf = async ({ identity }: ScriptedChargePoint): Promise<Payload> => {
  const { chargePoint } = await ask<Payload>(
    `query ($identity: String!) { chargePoint(identity: $identity) { localList {
      listVersion lastStatus fullUpdateAdvised entries { idTag status expiryDate parentIdTag }
    } } }`,
    { identity },
  )
  return (chargePoint as Payload)["localList"] as Payload
}

const ALICE = { idTag: "Alice", idTagInfo: { status: "Accepted", parentIdTag: "Family" } }
const BOB = { idTag: "Bob", idTagInfo: { status: "Blocked" } }
const CAROL = { idTag: "Carol", idTagInfo: { status: "Expired", expiryDate: "2020-01-01T00:00:00.000Z" } }

test("a full list holds every idTag as Authorize would answer it, and is what the charge point is believed to hold", async () => {
  await using chargePoint = await booted()
  const { request, result } = await send(chargePoint, { updateType: "FULL" })
  expect(request).toEqual({ updateType: "Full", listVersion: 1, localAuthorizationList: [ALICE, BOB, CAROL] })
  expect(result).toMatchObject({ __typename: "SendLocalListConfirmation", status: "ACCEPTED" })
  expect(await listOf(chargePoint)).toMatchObject({
    listVersion: 1,
    lastStatus: "ACCEPTED",
    fullUpdateAdvised: false,
    entries: [
      { idTag: "Alice", status: "ACCEPTED", parentIdTag: "Family", expiryDate: null },
      { idTag: "Bob", status: "BLOCKED" },
      { idTag: "Carol", status: "EXPIRED", expiryDate: "2020-01-01T00:00:00.000Z" },
    ],
  })
})

test("a differential one without entries brings what has changed since, and an unknown idTag is deleted by name", async () => {
  await using chargePoint = await booted()
  await send(chargePoint, { updateType: "FULL", idTags: ["alice", "Bob"] })
  const missing = await send(chargePoint, { updateType: "DIFFERENTIAL" })
  expect(missing.request).toEqual({ updateType: "Differential", listVersion: 2, localAuthorizationList: [CAROL] })
  const gone = await send(chargePoint, { updateType: "DIFFERENTIAL", idTags: ["Bob", "Nobody"] })
  expect(gone.request).toMatchObject({ listVersion: 3, localAuthorizationList: [BOB, { idTag: "Nobody" }] })
})

test("entries that the operator writes go out as they are, a version too", async () => {
  await using chargePoint = await booted()
  const localAuthorizationList = [
    { idTag: "X", idTagInfo: { status: "CONCURRENT_TX", expiryDate: "2030-01-01T01:00:00+01:00" } },
    { idTag: "Y" },
  ]
  const { request } = await send(chargePoint, { updateType: "DIFFERENTIAL", listVersion: -1, localAuthorizationList })
  expect(request).toEqual({
    updateType: "Differential",
    listVersion: -1,
    localAuthorizationList: [
      { idTag: "X", idTagInfo: { status: "ConcurrentTx", expiryDate: "2030-01-01T00:00:00.000Z" } },
      { idTag: "Y" },
    ],
  })
})

test.each(["Failed", "VersionMismatch"])(
  "%s is shown, a full list is advised, and nothing is sent by itself",
  async (answer) => {
    await using chargePoint = await booted()
    await send(chargePoint, { updateType: "FULL", idTags: ["Alice"] })
    await send(chargePoint, { updateType: "DIFFERENTIAL", idTags: ["Bob"] }, answer)
    expect(await listOf(chargePoint)).toMatchObject({ fullUpdateAdvised: true })
    await chargePoint.settle()
  },
)

test("what cannot be made of the idTags is refused with its reason", async () => {
  await using chargePoint = await booted()
  const refused = (message: string) => ({
    __typename: "InvalidInput",
    issues: [{ message: expect.stringContaining(message) }],
  })
  expect(await refusable(chargePoint, { updateType: "DIFFERENTIAL" })).toMatchObject(refused("is not known"))
  expect(await refusable(chargePoint, { updateType: "FULL", idTags: ["Nobody"] })).toMatchObject(refused('"Nobody"'))
  expect(await refusable(chargePoint, { updateType: "FULL", idTags: [], localAuthorizationList: [] })).toMatchObject(
    refused("beside"),
  )
})

test("a list that nobody has chosen is never longer than the charge point says it takes", async () => {
  await using chargePoint = await booted()
  const configurationKey = [{ key: "SendLocalListMaxLength", readonly: true, value: "2" }]
  await chargePoint.answering("GetConfiguration", { configurationKey }, () =>
    ask("mutation ($input: GetConfigurationInput!) { getConfiguration(input: $input) { __typename } }", {
      input: { chargePoint: chargePoint.identity },
    }),
  )
  const refused = await refusable(chargePoint, { updateType: "FULL" })
  expect(refused).toMatchObject({ issues: [{ message: expect.stringContaining("takes 2 entries") }] })
  const named = await send(chargePoint, { updateType: "FULL", idTags: ["Alice", "Bob", "Carol"] })
  expect(named.request).toMatchObject({ localAuthorizationList: [ALICE, BOB, CAROL] })
})

test("a charge point that forgets everything is believed: its version is asked for and shown", async () => {
  await using chargePoint = await booted()
  await send(chargePoint, { updateType: "FULL", idTags: ["Alice"] })
  const { result } = await chargePoint.answering("GetLocalListVersion", { listVersion: 0 }, async () => {
    const answer = await ask<Payload>(
      `mutation ($input: GetLocalListVersionInput!) { result: getLocalListVersion(input: $input) {
        ... on GetLocalListVersionConfirmation { listVersion }
      } }`,
      { input: { chargePoint: chargePoint.identity } },
    )
    return answer["result"] as Payload
  })
  expect(result).toEqual({ listVersion: 0 })
  expect(await listOf(chargePoint)).toMatchObject({ listVersion: 0, entries: [] })
  const next = await send(chargePoint, { updateType: "FULL", idTags: ["Alice"] })
  expect(next.request).toMatchObject({ listVersion: 2 })
})
