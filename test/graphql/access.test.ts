import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { printSchema } from "graphql"
import { schema } from "../../graphql/schema.ts"
import type { Role } from "../../src/facts/rows.ts"
import { ensureFirstToken } from "../../src/services/tokens.ts"
import { until } from "../support/until.ts"
import { type Answer, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
let tokens: Record<Role, string>
beforeAll(async () => {
  rig = await startRig({ recheckTokensMs: 20 })
  tokens = { Viewer: await rig.token("Viewer"), Operator: await rig.token("Operator"), Admin: await rig.token("Admin") }
})
afterAll(() => rig[Symbol.asyncDispose]())

const codes = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions?.code)

/** What each mutation needs to be asked at all. */
const INPUTS: Record<string, string> = {
  createChargePoint: `{ identity: "" }`,
  updateChargePoint: `{ identity: "nobody" }`,
  deleteChargePoint: `{ identity: "nobody" }`,
  createIdTag: `{ idTag: "" }`,
  updateIdTag: `{ idTag: "nobody" }`,
  deleteIdTag: `{ idTag: "nobody" }`,
  createApiToken: `{ name: "", role: VIEWER }`,
  revokeApiToken: `{ id: "nobody" }`,
  changeAvailability: `{ chargePoint: "nobody", connectorId: 1, type: OPERATIVE }`,
  changeConfiguration: `{ chargePoint: "nobody", key: "k", value: "v" }`,
  clearCache: `{ chargePoint: "nobody" }`,
  dataTransfer: `{ chargePoint: "nobody", vendorId: "v" }`,
  getConfiguration: `{ chargePoint: "nobody" }`,
  remoteStartTransaction: `{ chargePoint: "nobody", idTag: "t" }`,
  remoteStopTransaction: `{ chargePoint: "nobody", transactionId: -1 }`,
  reset: `{ chargePoint: "nobody", type: SOFT }`,
  unlockConnector: `{ chargePoint: "nobody", connectorId: 1 }`,
}
const ADMINS_OWN = ["createApiToken", "revokeApiToken"]

const QUERIES: Record<string, string> = {
  node: `node(id: "Q2hhcmdlUG9pbnQ6MQ==") { id }`,
  chargePoint: `chargePoint(identity: "nobody") { id }`,
  chargePoints: `chargePoints { totalCount }`,
  transaction: `transaction(transactionId: 1) { id }`,
  transactions: `transactions { totalCount }`,
  idTags: `idTags { pageInfo { hasNextPage } }`,
  commands: `commands { pageInfo { hasNextPage } }`,
  clusterNodes: `clusterNodes { nodeId }`,
  fleet: `fleet { online }`,
  viewer: `viewer { name }`,
  apiTokens: `apiTokens { name }`,
}

const SUBSCRIPTIONS: Record<string, string> = {
  chargePointChanged: `chargePointChanged { cursor }`,
  transactionChanged: `transactionChanged { cursor }`,
  meterValuesReceived: `meterValuesReceived { cursor }`,
  commandChanged: `commandChanged { cursor }`,
  fleetChanged: `fleetChanged { cursor }`,
  messageExchanged: `messageExchanged(chargePoint: "nobody") { cursor }`,
}

test("the tables below name every field of Query, Mutation and Subscription", () => {
  expect(Object.keys(QUERIES).sort()).toEqual(Object.keys(schema.getQueryType()!.getFields()).sort())
  expect(Object.keys(INPUTS).sort()).toEqual(Object.keys(schema.getMutationType()!.getFields()).sort())
  expect(Object.keys(SUBSCRIPTIONS).sort()).toEqual(Object.keys(schema.getSubscriptionType()!.getFields()).sort())
})

describe("without a valid token", () => {
  test.each([...Object.values(QUERIES), "__typename", "__schema { types { name } }"])(
    "no answer to %s",
    async (query) => {
      for (const token of [null, "wrong", `${tokens.Viewer}x`]) {
        const answer = await rig.ask(token, `{ ${query} }`)
        expect(answer.data ?? null).toBeNull()
        expect(codes(answer)).toEqual(["UNAUTHENTICATED"])
      }
    },
  )

  test.each(Object.entries(INPUTS))("%s does nothing", async (name, input) => {
    const answer = await rig.ask(null, `mutation { ${name}(input: ${input}) { __typename } }`)
    expect(answer.data ?? null).toBeNull()
    expect(codes(answer)).toEqual(["UNAUTHENTICATED"])
  })

  test.each(Object.values(SUBSCRIPTIONS))("nothing is told by %s, over either transport", async (subscription) => {
    const query = `subscription { ${subscription} }`
    const overSse = rig.sse("wrong").iterate({ query })
    expect(codes((await overSse.next()).value as Answer)).toEqual(["UNAUTHENTICATED"])
    const overSocket = rig.socket("wrong").iterate({ query })
    await expect(overSocket.next()).rejects.toMatchObject([{ extensions: { code: "UNAUTHENTICATED" } }])
  })

  test("no name of the schema is given away by a suggestion", async () => {
    const misspelt = '{ chargePont(identity: "x") { id } }'
    expect((await rig.ask(tokens.Viewer, misspelt)).errors?.[0]?.message).toContain("Did you mean")
    const { errors } = await rig.ask(null, misspelt)
    expect(errors?.length).toBe(1)
    expect(JSON.stringify(errors)).not.toContain("Did you mean")
  })
})

describe("roles", () => {
  test.each(Object.entries(INPUTS))("%s is for its role and those above", async (name, input) => {
    const query = `mutation { result: ${name}(input: ${input}) { __typename ... on Error { message } } }`
    const asked = async (role: Role) => (await result(rig, tokens[role], query))["__typename"]
    expect(await asked("Viewer")).toBe("Forbidden")
    expect((await asked("Operator")) === "Forbidden").toBe(ADMINS_OWN.includes(name))
    expect(await asked("Admin")).not.toBe("Forbidden")
  })

  test.each(Object.entries(QUERIES))("%s is for viewers, API tokens for admins", async (name, query) => {
    const answer = await rig.ask(tokens.Viewer, `{ ${query} }`)
    expect(codes(answer)).toEqual(name === "apiTokens" ? ["FORBIDDEN"] : undefined)
    expect((await rig.ask(tokens.Admin, `{ ${query} }`)).errors).toBeUndefined()
  })

  test("the viewer is shown name, role and end of the token", async () => {
    const expiresAt = Date.now() + 3_600_000
    const token = await rig.token("Operator", { expiresAt })
    const { data } = await rig.ask(token, "{ viewer { name role organisationId expiresAt } }")
    expect(data?.["viewer"]).toEqual({
      name: "Operator of the test",
      role: "OPERATOR",
      organisationId: "default",
      expiresAt: new Date(expiresAt).toISOString(),
    })
  })
})

describe("API tokens", () => {
  const create = `mutation ($input: CreateApiTokenInput!) {
    result: createApiToken(input: $input) { ... on CreateApiTokenPayload { token apiToken { id name role } } ... on InvalidInput { issues { path } } }
  }`
  const revoke = `mutation ($id: ID!) { result: revokeApiToken(input: { id: $id }) { __typename ... on RevokeApiTokenPayload { apiToken { revokedAt } } } }`

  test("a token is shown once, opens what its role allows, and nothing once revoked", async () => {
    const made = await result(rig, tokens.Admin, create, { input: { name: "screen", role: "VIEWER" } })
    const { id } = made["apiToken"] as { id: string }
    const token = String(made["token"])
    expect((await rig.ask(token, "{ viewer { name } }")).data).toEqual({ viewer: { name: "screen" } })
    const listed = JSON.stringify(
      await rig.ask(tokens.Admin, "{ apiTokens { id name role createdAt expiresAt revokedAt } }"),
    )
    expect(listed).toContain(id)
    expect(listed).not.toContain(token)
    expect(await result(rig, tokens.Admin, revoke, { id })).toMatchObject({ __typename: "RevokeApiTokenPayload" })
    expect(codes(await rig.ask(token, "{ viewer { name } }"))).toEqual(["UNAUTHENTICATED"])
  })

  test("a token without a name or with an end in the past is not made", async () => {
    const input = { name: " ", role: "VIEWER", expiresAt: "2020-01-01T00:00:00Z" }
    expect(await result(rig, tokens.Admin, create, { input })).toEqual({
      issues: [{ path: "name" }, { path: "expiresAt" }],
    })
  })

  test("an expired token opens nothing", async () => {
    const token = await rig.token("Admin", { expiresAt: Date.now() + 60 })
    await until(
      "the token's time is over",
      async () => codes(await rig.ask(token, "{ viewer { name } }"))?.[0] === "UNAUTHENTICATED",
    )
  })

  test.each(["sse", "socket"] as const)(
    "over %s, a revoked token ends its subscriptions as FORBIDDEN",
    async (transport) => {
      const made = await result(rig, tokens.Admin, create, { input: { name: "screen", role: "VIEWER" } })
      const client = rig[transport](String(made["token"]))
      const changes = client.iterate({ query: "subscription { chargePointChanged { cursor } }" })
      const next = changes.next()
      await until("the subscription is open", () => rig.subscriptions() > 0)
      await result(rig, tokens.Admin, revoke, { id: (made["apiToken"] as { id: string }).id })
      expect(codes((await next).value as Answer)).toEqual(["FORBIDDEN"])
      expect((await changes.next()).done).toBe(true)
      expect(rig.subscriptions()).toBe(0)
    },
  )

  test("an expired token ends its subscriptions as FORBIDDEN", async () => {
    const token = await rig.token("Viewer", { expiresAt: Date.now() + 300 })
    const changes = rig.socket(token).iterate({ query: "subscription { transactionChanged { cursor } }" })
    expect(codes((await changes.next()).value as Answer)).toEqual(["FORBIDDEN"])
  })
})

describe("organisations", () => {
  test("what belongs to one is as if it did not exist for another", async () => {
    await using other = await startRig({ organisations: ["elsewhere"] })
    const [here, there] = [await other.token("Operator"), await other.token("Admin", { organisationId: "elsewhere" })]
    const created = await result(
      other,
      here,
      `mutation { result: createChargePoint(input: { identity: "ORG-1" }) { ... on CreateChargePointPayload { chargePoint { id } } } }`,
    )
    await result(other, here, `mutation { result: createIdTag(input: { idTag: "ORG-TAG" }) { __typename } }`)
    const { id } = created["chargePoint"] as { id: string }
    const query = `query ($id: ID!) {
      node(id: $id) { id } chargePoint(identity: "ORG-1") { id } chargePoints { totalCount }
      idTags { edges { node { idTag } } } fleet { chargePoints }
    }`
    expect((await other.ask(there, query, { id })).data).toEqual({
      node: null,
      chargePoint: null,
      chargePoints: { totalCount: 0 },
      idTags: { edges: [] },
      fleet: { chargePoints: 0 },
    })
    expect((await other.ask(here, query, { id })).data).toMatchObject({ node: { id }, fleet: { chargePoints: 1 } })
    for (const mutation of [
      `reset(input: { chargePoint: "ORG-1", type: SOFT })`,
      `updateChargePoint(input: { identity: "ORG-1", wireLog: true })`,
      `deleteChargePoint(input: { identity: "ORG-1" })`,
    ]) {
      expect(await result(other, there, `mutation { result: ${mutation} { __typename } }`)).toEqual({
        __typename: "ChargePointNotFound",
      })
    }
    expect(
      await result(other, there, `mutation { result: createChargePoint(input: { identity: "ORG-1" }) { __typename } }`),
    ).toEqual({ __typename: "AlreadyExists" })
  })
})

test("a JWT of the configured provider opens what its claims say; others open nothing", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256")
  const stranger = await generateKeyPair("ES256")
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }] }
  await using provider = Object.assign(Bun.serve({ port: 0, fetch: () => Response.json(jwks) }), {
    [Symbol.asyncDispose]: () => provider.stop(true),
  })
  await using federated = await startRig({
    jwt: { jwksUrl: `http://127.0.0.1:${provider.port}/`, issuer: "us", audience: "busbar" },
  })
  const signed = (
    claims: Record<string, unknown>,
    { issuer = "us", key = privateKey, end = "5m" as string | null } = {},
  ) => {
    const jwt = new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(issuer)
      .setAudience("busbar")
      .setSubject("ada")
    return (end === null ? jwt : jwt.setExpirationTime(end)).sign(key)
  }
  const viewerOf = async (token: string) =>
    (await federated.ask(token, "{ viewer { name role organisationId } }")).data?.["viewer"]
  expect(await viewerOf(await signed({ role: "operator", organisation: "acme" }))).toEqual({
    name: "ada",
    role: "OPERATOR",
    organisationId: "acme",
  })
  for (const token of [
    await signed({ role: "king" }),
    await signed({ role: "admin" }, { issuer: "them" }),
    await signed({ role: "admin" }, { key: stranger.privateKey }),
    await signed({ role: "admin" }, { end: "-1m" }),
    await signed({ role: "admin" }, { end: null }),
  ])
    expect(await viewerOf(token)).toBeUndefined()
})

describe("the first token", () => {
  const clock = { now: Date.now }

  test("is made once, at the first start, and is an admin's", async () => {
    await using fresh = await startRig()
    const token = await ensureFirstToken(fresh.store, clock, undefined)
    expect((await fresh.ask(token!, "{ viewer { role } }")).data).toEqual({ viewer: { role: "ADMIN" } })
    expect(await ensureFirstToken(fresh.store, clock, undefined)).toBeUndefined()
  })

  test("from the environment counts from the start on, and the one before it no longer", async () => {
    await using fresh = await startRig()
    const mayEnter = async (token: string) => (await fresh.ask(token, "{ viewer { role } }")).errors === undefined
    expect(await ensureFirstToken(fresh.store, clock, "the-first-admin-token")).toBeUndefined()
    await ensureFirstToken(fresh.store, clock, "the-first-admin-token")
    expect(await mayEnter("the-first-admin-token")).toBe(true)
    await ensureFirstToken(fresh.store, clock, "the-second-admin-token")
    expect(await mayEnter("the-second-admin-token")).toBe(true)
    expect(await mayEnter("the-first-admin-token")).toBe(false)
  })
})

test("the printed schema holds no secret field", () => {
  expect(printSchema(schema)).not.toMatch(/passwordHash|tokenHash/)
})
