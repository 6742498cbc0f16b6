import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { printSchema } from "graphql"
import { schema } from "../../graphql/schema.ts"
import type { Role } from "../../src/facts/rows.ts"
import { createLog } from "../../src/log.ts"
import { ensureFirstToken, Tokens } from "../../src/services/tokens.ts"
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
  cancelCommand: `{ id: "nobody" }`,
  changeAvailability: `{ chargePoint: "nobody", connectorId: 1, type: OPERATIVE }`,
  changeConfiguration: `{ chargePoint: "nobody", key: "k", value: "v" }`,
  clearCache: `{ chargePoint: "nobody" }`,
  dataTransfer: `{ chargePoint: "nobody", vendorId: "v" }`,
  getConfiguration: `{ chargePoint: "nobody" }`,
  remoteStartTransaction: `{ chargePoint: "nobody", idTag: "t" }`,
  remoteStopTransaction: `{ chargePoint: "nobody", transactionId: -1 }`,
  reset: `{ chargePoint: "nobody", type: SOFT }`,
  unlockConnector: `{ chargePoint: "nobody", connectorId: 1 }`,
  setChargingProfile: `{ chargePoint: "nobody", connectorId: 1, csChargingProfiles: {
    chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: TX_DEFAULT_PROFILE, chargingProfileKind: RELATIVE,
    chargingSchedule: { chargingRateUnit: A, chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }] } } }`,
  clearChargingProfile: `{ chargePoint: "nobody" }`,
  getCompositeSchedule: `{ chargePoint: "nobody", connectorId: 1, duration: 60 }`,
  updateFirmware: `{ chargePoint: "nobody", location: "https://x/", retrieveDate: "2026-01-01T00:00:00Z" }`,
  getDiagnostics: `{ chargePoint: "nobody" }`,
  getLocalListVersion: `{ chargePoint: "nobody" }`,
  sendLocalList: `{ chargePoint: "nobody", updateType: FULL }`,
  reserveNow: `{ chargePoint: "nobody", connectorId: 1, idTag: "t", expiryDate: "2030-01-01T00:00:00Z" }`,
  cancelReservation: `{ chargePoint: "nobody", reservationId: 1 }`,
  triggerMessage: `{ chargePoint: "nobody", requestedMessage: HEARTBEAT }`,
  createFirmwareCampaign: `{ location: "https://x/", chargePoints: ["nobody"] }`,
  pauseFirmwareCampaign: `{ id: "RmlybXdhcmVDYW1wYWlnbjpub2JvZHk=" }`,
  resumeFirmwareCampaign: `{ id: "RmlybXdhcmVDYW1wYWlnbjpub2JvZHk=" }`,
  cancelFirmwareCampaign: `{ id: "RmlybXdhcmVDYW1wYWlnbjpub2JvZHk=" }`,
  deleteFirmwareImage: `{ id: "RmlybXdhcmVJbWFnZTpub2JvZHk=" }`,
}
const ADMINS_OWN = ["createApiToken", "revokeApiToken"]

const QUERIES: Record<string, string> = {
  node: `node(id: "Q2hhcmdlUG9pbnQ6MQ==") { id }`,
  chargePoint: `chargePoint(identity: "nobody") { id }`,
  chargePoints: `chargePoints { totalCount }`,
  transaction: `transaction(transactionId: 1) { id }`,
  transactions: `transactions { totalCount }`,
  idTags: `idTags { pageInfo { hasNextPage } }`,
  reservations: `reservations { pageInfo { hasNextPage } }`,
  firmwareCampaigns: `firmwareCampaigns { pageInfo { hasNextPage } }`,
  firmwareImages: `firmwareImages { pageInfo { hasNextPage } }`,
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
  firmwareCampaignChanged: `firmwareCampaignChanged(id: "RmlybXdhcmVDYW1wYWlnbjpub2JvZHk=") { cursor }`,
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

  test.each([
    "{ viewer { name } }",
    "{ nothingOfTheKind }",
    '{ chargePont(identity: "x") { id } }',
    "{",
    `{ ${"a ".repeat(10_000)} }`,
    `query ($f: Int!) { chargePoints(first: $f) { totalCount } }`,
    "{ ...A } fragment A on Query { ...A }",
  ])("a document is not even read: what is wrong with it tells nothing of the schema (%#)", async (query) => {
    for (const token of [null, "wrong"]) {
      expect(await rig.ask(token, query)).toEqual({
        errors: [
          {
            message: "a valid token is needed: Authorization: Bearer <token>",
            extensions: { code: "UNAUTHENTICATED" },
          },
        ],
      })
    }
    await expect(rig.socket("wrong").iterate({ query }).next()).rejects.toMatchObject([
      { extensions: { code: "UNAUTHENTICATED" } },
    ])
  })

  test.each([
    ["in the URL", (url: string, token: string) => fetch(`${url}?query={viewer{name}}&token=${token}`)],
    [
      "as a Basic password",
      (url: string, token: string) =>
        fetch(`${url}?query={viewer{name}}`, { headers: { authorization: `Basic ${btoa(`x:${token}`)}` } }),
    ],
    [
      "in a cookie",
      (url: string, token: string) =>
        fetch(`${url}?query={viewer{name}}`, { headers: { cookie: `authorization=Bearer ${token}` } }),
    ],
  ])("a token %s opens nothing", async (_where, send) => {
    const response = await send(`http://127.0.0.1:${rig.port}/graphql`, tokens.Admin)
    expect(codes((await response.json()) as Answer)).toEqual(["UNAUTHENTICATED"])
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
      await until("the server lets go", () => rig.subscriptions() === 0)
    },
  )

  test("an expired token ends its subscriptions as FORBIDDEN", async () => {
    const token = await rig.token("Viewer", { expiresAt: Date.now() + 300 })
    const changes = rig.socket(token).iterate({ query: "subscription { transactionChanged { cursor } }" })
    expect(codes((await changes.next()).value as Answer)).toEqual(["FORBIDDEN"])
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
    organisations: ["acme"],
  })
  const signed = (
    claims: Record<string, unknown>,
    { issuer = "us", audience = "busbar", key = privateKey, kid = "one", end = "5m" as string | null } = {},
  ) => {
    const jwt = new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", kid })
      .setIssuer(issuer)
      .setAudience(audience)
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
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const admin = { iss: "us", aud: "busbar", sub: "eve", role: "admin", exp: Math.ceil(Date.now() / 1_000) + 300 }
  const byPublicKey = new SignJWT(admin).setProtectedHeader({ alg: "HS256", kid: "one" })
  for (const token of [
    `${part({ alg: "none" })}.${part(admin)}.`,
    `${part({ alg: "none", kid: "one" })}.${part(admin)}.x`,
    await byPublicKey.sign(new TextEncoder().encode(JSON.stringify(jwks.keys[0]))),
    await signed({ role: "admin" }, { audience: "another program" }),
    await signed({ role: "admin" }, { kid: "two" }),
    await signed({ role: "admin", organisation: "nobody's" }),
    await signed({ role: "admin", organisation: ["acme"] }),
    await signed({ role: ["admin"] }),
    (await signed({ role: "admin" })).replace(/.$/, ""),
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
  const lines: string[] = []
  const log = createLog("warn", { write: (line) => void lines.push(line) })

  test("is made once, at the first start, and is an admin's", async () => {
    await using fresh = await startRig()
    const token = await ensureFirstToken(fresh.store, clock, undefined, log)
    expect((await fresh.ask(token!, "{ viewer { role } }")).data).toEqual({ viewer: { role: "ADMIN" } })
    expect(await ensureFirstToken(fresh.store, clock, undefined, log)).toBeUndefined()
  })

  test("from the environment counts from the start on, and the one before it no longer", async () => {
    await using fresh = await startRig()
    const mayEnter = async (token: string) => (await fresh.ask(token, "{ viewer { role } }")).errors === undefined
    expect(await ensureFirstToken(fresh.store, clock, "the-first-admin-token", log)).toBeUndefined()
    await ensureFirstToken(fresh.store, clock, "the-first-admin-token", log)
    expect(await mayEnter("the-first-admin-token")).toBe(true)
    await ensureFirstToken(fresh.store, clock, "the-second-admin-token", log)
    expect(await mayEnter("the-second-admin-token")).toBe(true)
    expect(await mayEnter("the-first-admin-token")).toBe(false)
    expect(lines).toEqual([])
  })

  test("from the environment stays revoked at the next start, which says so", async () => {
    await using fresh = await startRig()
    const token = "an-admin-token-that-leaked"
    await ensureFirstToken(fresh.store, clock, token, log)
    const { data } = await fresh.ask<{ apiTokens: { id: string }[] }>(token, "{ apiTokens { id } }")
    await new Tokens(fresh.store, clock).revoke({ organisationId: "default" }, data!.apiTokens[0]!.id)
    lines.length = 0
    await ensureFirstToken(fresh.store, clock, token, log)
    expect(codes(await fresh.ask(token, "{ viewer { role } }"))).toEqual(["UNAUTHENTICATED"])
    expect(lines.join()).toContain("ADMIN_TOKEN was revoked and opens nothing")
    expect(lines.join()).not.toContain(token)
  })

  test("from the environment that is a viewer's does not become an admin's, which the start says", async () => {
    await using fresh = await startRig()
    const token = await fresh.token("Viewer")
    lines.length = 0
    await ensureFirstToken(fresh.store, clock, token, log)
    expect((await fresh.ask(token, "{ viewer { role } }")).data).toEqual({ viewer: { role: "VIEWER" } })
    expect(lines.join()).toContain("ADMIN_TOKEN is a token that the API made")
  })
})

test("the printed schema holds no secret field", () => {
  expect(printSchema(schema)).not.toMatch(/passwordHash|tokenHash/)
})
