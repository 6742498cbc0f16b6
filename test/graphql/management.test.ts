import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Passwords } from "../../src/services/passwords.ts"
import { meterValue, meterValues, start } from "../support/charging.ts"
import { claim } from "../support/ownership.ts"
import { until } from "../support/until.ts"
import { type Data, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig()
  token = await rig.token("Operator")
})
afterAll(() => rig[Symbol.asyncDispose]())

const mutate = (name: string, input: Data, success: string) => {
  const type = name.charAt(0).toUpperCase() + name.slice(1)
  return result(
    rig,
    token,
    `mutation ($input: ${type}Input!) {
      result: ${name}(input: $input) {
        __typename ... on ${type}Payload { ${success} } ... on Error { message } ... on InvalidInput { issues { path } }
      }
    }`,
    { input },
  )
}
const SHOWN =
  "chargePoint { identity registrationStatus securityProfile hasPassword leniency wireLog heartbeatIntervalS }"
const create = (input: Data) => mutate("createChargePoint", input, SHOWN)
const update = (input: Data) => mutate("updateChargePoint", input, SHOWN)

describe("charge points", () => {
  test("one without a password has security profile 0 and is accepted", async () => {
    expect(await create({ identity: "CP-plain" })).toEqual({
      __typename: "CreateChargePointPayload",
      chargePoint: {
        identity: "CP-plain",
        registrationStatus: "ACCEPTED",
        securityProfile: 0,
        hasPassword: false,
        leniency: null,
        wireLog: false,
        heartbeatIntervalS: null,
      },
    })
  })

  test("one with a password has security profile 1, and only a hash of it is kept", async () => {
    const input = {
      identity: "CP-basic",
      password: "correct horse battery",
      leniency: "STRICT",
      wireLog: true,
      heartbeatIntervalS: 60,
      registrationStatus: "PENDING",
    }
    expect(await create(input)).toMatchObject({
      chargePoint: {
        securityProfile: 1,
        hasPassword: true,
        leniency: "STRICT",
        wireLog: true,
        heartbeatIntervalS: 60,
        registrationStatus: "PENDING",
      },
    })
    const row = await rig.store.read.chargePointByIdentity("CP-basic")
    expect(row?.passwordHash).not.toContain("correct horse")
    const passwords = new Passwords("a key for tests only")
    expect(passwords.match(row!.passwordHash, Buffer.from("correct horse battery"))).toBe("Bytes")
  })

  test("an identity is given once", async () => {
    await create({ identity: "CP-once" })
    expect(await create({ identity: "CP-once" })).toMatchObject({ __typename: "AlreadyExists" })
  })

  test.each([
    [{ identity: "" }, ["identity"]],
    [{ identity: " CP" }, ["identity"]],
    [{ identity: "CP\n" }, ["identity"]],
    [{ identity: "x".repeat(256) }, ["identity"]],
    [{ identity: "CP\0" }, ["identity"]],
    [{ identity: "\ud800" }, ["identity"]],
    [{ identity: "." }, ["identity"]],
    [{ identity: ".." }, ["identity"]],
    [{ identity: "CP-bad", password: "é".repeat(65) }, ["password"]],
    [{ identity: "CP-bad", heartbeatIntervalS: 86_401 }, ["heartbeatIntervalS"]],
    [{ identity: "CP-bad", securityProfile: 4 }, ["securityProfile"]],
    [{ identity: "CP-bad", securityProfile: 2 }, ["password"]],
    [{ identity: "CP-bad", password: "", heartbeatIntervalS: 0 }, ["password", "heartbeatIntervalS"]],
  ])("%j is refused, naming every field that is wrong", async (input, paths) => {
    expect(await create(input)).toMatchObject({ __typename: "InvalidInput", issues: paths.map((path) => ({ path })) })
    expect(await rig.store.read.chargePointByIdentity(input.identity)).toBeUndefined()
  })

  test.each(["CP/1", "RDAM 123", "CP:1", "Ladestation-Süd", "...", "x".repeat(255), "%41"])(
    "%p is an identity: the URL carries it percent-encoded",
    async (identity) => {
      expect(await create({ identity })).toMatchObject({ chargePoint: { identity } })
    },
  )

  test.each([
    ["32 hexadecimal digits", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeeff", "hex"],
    ["40 hexadecimal digits", "ff".repeat(20), "ff".repeat(20), "hex"],
    ["16 plain characters", "0123456789abcdef", "0123456789abcdef", "utf8"],
    ["20 plain characters", "a password of twenty", "a password of twenty", "utf8"],
    ["fewer than the standard wants", "short", "short", "utf8"],
    ["more than the standard wants", "f".repeat(128), "f".repeat(128), "utf8"],
  ] as const)("a password may be %s", async (what, password, presented, encoding) => {
    expect(await create({ identity: what, password })).toMatchObject({ chargePoint: { securityProfile: 1 } })
    const row = await rig.store.read.chargePointByIdentity(what)
    const passwords = new Passwords("a key for tests only")
    expect(passwords.match(row!.passwordHash, Buffer.from(presented, encoding))).toBe("Bytes")
  })

  test("one that is deleted takes its name away, not what it did", async () => {
    await create({ identity: "CP-history" })
    const { id } = (await rig.store.read.chargePointByIdentity("CP-history"))!
    const from = { chargePointId: id }
    const { transactionId } = await rig.store.change("startTransaction", start({}, from))
    await rig.store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(1, 1500)], from))
    await mutate("deleteChargePoint", { identity: "CP-history" }, SHOWN)
    const query = `query ($transactionId: Int!) {
      transaction(transactionId: $transactionId) {
        state energyWh identity chargePoint { identity } meterValues { edges { node { chargePoint { identity } } } }
      }
    }`
    expect((await rig.ask(token, query, { transactionId })).data).toEqual({
      transaction: {
        state: "ENDED_INFERRED",
        energyWh: 500,
        identity: "CP-history",
        chargePoint: null,
        meterValues: { edges: [{ node: { chargePoint: null } }] },
      },
    })
    const listed = await rig.ask<{ transactions: { edges: { node: Data }[] } }>(
      token,
      `{ transactions { edges { node { transactionId } } } }`,
    )
    expect(listed.data?.transactions.edges).toContainEqual({ node: { transactionId } })
    expect(await create({ identity: "CP-history" })).toMatchObject({ __typename: "CreateChargePointPayload" })
    expect((await rig.ask(token, query, { transactionId })).data).toMatchObject({ transaction: { chargePoint: null } })
  })

  test("only what is given changes, and null goes back to the default", async () => {
    await create({ identity: "CP-change", password: "a password", leniency: "STRICT", heartbeatIntervalS: 60 })
    expect(await update({ identity: "CP-change", wireLog: true, leniency: null })).toMatchObject({
      chargePoint: { wireLog: true, leniency: null, heartbeatIntervalS: 60, securityProfile: 1 },
    })
    expect(await update({ identity: "CP-change", password: null })).toMatchObject({ issues: [{ path: "password" }] })
    expect(await update({ identity: "CP-change", password: null, securityProfile: 0 })).toMatchObject({
      chargePoint: { securityProfile: 0, hasPassword: false },
    })
    expect(await update({ identity: "CP-gone" })).toMatchObject({ __typename: "ChargePointNotFound" })
  })

  test("new credentials, a rejection and deletion close the socket, wherever it is", async () => {
    const orders: [string, string][] = []
    rig.bus.onDisconnect((chargePointId, reason) => void orders.push([chargePointId, reason]))
    await create({ identity: "CP-cut", password: "a password" })
    const { id } = (await rig.store.read.chargePointByIdentity("CP-cut"))!
    await claim(rig.bus, id)
    await update({ identity: "CP-cut", wireLog: true })
    await update({ identity: "CP-cut", password: "another one" })
    await update({ identity: "CP-cut", registrationStatus: "REJECTED" })
    expect(await mutate("deleteChargePoint", { identity: "CP-cut" }, SHOWN)).toMatchObject({
      __typename: "DeleteChargePointPayload",
      chargePoint: { identity: "CP-cut" },
    })
    await until("the node was told", () => orders.length === 3)
    expect(orders).toEqual([
      [id, "CredentialsChanged"],
      [id, "Rejected"],
      [id, "Deleted"],
    ])
    expect((await rig.ask(token, `{ chargePoint(identity: "CP-cut") { id } }`)).data).toEqual({ chargePoint: null })
    expect(await mutate("deleteChargePoint", { identity: "CP-cut" }, SHOWN)).toMatchObject({
      __typename: "ChargePointNotFound",
    })
  })
})

describe("idTags", () => {
  const FIELDS = "idTag { idTag status parentIdTag expiryDate maxActiveTransactions note }"

  test("one is created, changed, found and forgotten, whatever its letter case", async () => {
    const bare = { status: "ACCEPTED", parentIdTag: null, expiryDate: null, maxActiveTransactions: null, note: null }
    expect(await mutate("createIdTag", { idTag: "04AbCd" }, FIELDS)).toMatchObject({
      idTag: { idTag: "04AbCd", ...bare },
    })
    expect(await mutate("createIdTag", { idTag: "04ABCD" }, FIELDS)).toMatchObject({ __typename: "AlreadyExists" })
    const change = {
      status: "BLOCKED",
      parentIdTag: "FAMILY",
      expiryDate: "2030-01-01T01:00:00+01:00",
      maxActiveTransactions: 1,
      note: "lost",
    }
    expect(await mutate("updateIdTag", { idTag: "04abcd", ...change }, FIELDS)).toMatchObject({
      idTag: { ...change, expiryDate: "2030-01-01T00:00:00.000Z" },
    })
    expect(
      await mutate("updateIdTag", { idTag: "04abcd", expiryDate: null, status: "ACCEPTED" }, FIELDS),
    ).toMatchObject({
      idTag: { status: "ACCEPTED", expiryDate: null, note: "lost" },
    })
    const { data } = await rig.ask(
      token,
      `{ idTags(filter: { search: "04abc", parentIdTag: "FAMILY" }) { edges { node { idTag } } } }`,
    )
    expect(data).toEqual({ idTags: { edges: [{ node: { idTag: "04AbCd" } }] } })
    expect(await mutate("deleteIdTag", { idTag: "04ABCD" }, FIELDS)).toMatchObject({ idTag: { idTag: "04AbCd" } })
    expect(await mutate("deleteIdTag", { idTag: "04ABCD" }, FIELDS)).toMatchObject({ __typename: "IdTagNotFound" })
    expect(await mutate("updateIdTag", { idTag: "04ABCD", note: "?" }, FIELDS)).toMatchObject({
      __typename: "IdTagNotFound",
    })
  })

  test.each([
    [{ idTag: " " }, ["idTag"]],
    [{ idTag: "x".repeat(21), parentIdTag: "" }, ["idTag", "parentIdTag"]],
    [{ idTag: "T", maxActiveTransactions: 0 }, ["maxActiveTransactions"]],
    [{ idTag: "04\0A1", parentIdTag: "a\nb" }, ["idTag", "parentIdTag"]],
    [{ idTag: "T", note: "x".repeat(1_001) }, ["note"]],
  ])("%j is refused", async (input, paths) => {
    expect(await mutate("createIdTag", input, FIELDS)).toMatchObject({ issues: paths.map((path) => ({ path })) })
  })

  test("an expiry date may lie in the past, and null takes it, the parent and the note away", async () => {
    const input = { idTag: "PAST", expiryDate: "2001-01-01T00:00:00Z", parentIdTag: "P", note: "n" }
    expect(await mutate("createIdTag", input, FIELDS)).toMatchObject({
      idTag: { status: "ACCEPTED", expiryDate: "2001-01-01T00:00:00.000Z" },
    })
    const nothing = { expiryDate: null, parentIdTag: null, note: null }
    expect(await mutate("updateIdTag", { idTag: "PAST", status: null, ...nothing }, FIELDS)).toMatchObject({
      idTag: { status: "ACCEPTED", ...nothing },
    })
  })

  test.each(["2030-02-30T00:00:00Z", "2030-13-01T00:00:00Z", "2030-01-01", "1893456000000", "9".repeat(99)])(
    "%s names no day",
    async (expiryDate) => {
      const mutation = `mutation ($at: DateTime) { createIdTag(input: { idTag: "Z", expiryDate: $at }) { __typename } }`
      const answer = await rig.ask(token, mutation, { at: expiryDate })
      expect(answer.errors?.[0]?.message).toContain("a DateTime is text like")
      expect(answer.errors?.[0]?.extensions?.code).toBe("BAD_USER_INPUT")
    },
  )

  test("an expiry date without a zone names no instant", async () => {
    const answer = await rig.ask(
      token,
      `mutation { createIdTag(input: { idTag: "Z", expiryDate: "2030-01-01T00:00:00" }) { __typename } }`,
    )
    expect(answer.errors?.[0]?.message).toContain("zone")
  })
})
