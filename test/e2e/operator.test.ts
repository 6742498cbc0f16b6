/** What an operator decides about a charge point that is connected, as both of them meet it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { type Ask, createChargePoint, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

let node: TestNode
let ask: Ask
let count = 0

beforeAll(async () => {
  node = await startTestNode({ BOOT_RETRY_INTERVAL: "45" })
  ask = graphqlOver(node.graphqlUrl, node.token)
})

afterAll(() => node[Symbol.asyncDispose]())

const connect = (identity: string, password?: string): Promise<ChargePoint> =>
  connectChargePoint({ url: node.ocppUrl, identity, ...(password !== undefined && { password }) })

async function connected(input: Record<string, unknown> = {}, password?: string): Promise<ChargePoint> {
  const identity = `DECIDED-${++count}`
  await createChargePoint(ask, { identity, ...input, ...(password !== undefined && { password }) })
  return connect(identity, password)
}

const boot = (chargePoint: ChargePoint) => chargePoint.call("BootNotification", chargePoint.identification)

async function decide({ identity }: ChargePoint, decision: Record<string, unknown>): Promise<void> {
  const { updateChargePoint } = await ask<{ updateChargePoint: { __typename: string } }>(
    "mutation ($input: UpdateChargePointInput!) { updateChargePoint(input: $input) { __typename } }",
    { input: { identity, ...decision } },
  )
  expect(updateChargePoint.__typename).toBe("UpdateChargePointPayload")
}

/** What a CALL is answered: "ok", or the code of the CALLERROR. */
const answerTo = (chargePoint: ChargePoint, action: string, payload: object = {}): Promise<string> =>
  chargePoint.call(action, payload).then(
    () => "ok",
    (cause: { code?: string }) => cause.code ?? String(cause),
  )

const answered = (chargePoint: ChargePoint, expected: string, action: string, payload: object = {}) =>
  until(`${action} is answered ${expected}`, async () => (await answerTo(chargePoint, action, payload)) === expected)

describe("registrationStatus", () => {
  test("PENDING and back counts from the next messages on, over the same socket, but ends no transaction", async () => {
    await using chargePoint = await connected()
    expect(await boot(chargePoint)).toMatchObject({ status: "Accepted" })
    const start = { connectorId: 1, idTag: "X", meterStart: 100, timestamp: new Date().toISOString() }
    const { transactionId } = await chargePoint.call("StartTransaction", start)
    await decide(chargePoint, { registrationStatus: "PENDING" })
    await answered(chargePoint, "SecurityError", "Heartbeat")
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 500, timestamp: new Date().toISOString() })
    const { transaction } = await ask("query ($id: Int!) { transaction(transactionId: $id) { state energyWh } }", {
      id: transactionId,
    })
    expect(transaction).toEqual({ state: "ENDED", energyWh: 400 })
    expect(await boot(chargePoint)).toMatchObject({ status: "Pending", interval: 45 })
    await decide(chargePoint, { registrationStatus: "ACCEPTED" })
    await answered(chargePoint, "ok", "Heartbeat")
  })

  test("ACCEPTED after a life of PENDING waits for the BootNotification that is told so", async () => {
    await using chargePoint = await connected({ registrationStatus: "PENDING" })
    expect(await boot(chargePoint)).toMatchObject({ status: "Pending" })
    await decide(chargePoint, { registrationStatus: "ACCEPTED" })
    expect(await answerTo(chargePoint, "Heartbeat")).toBe("SecurityError")
    expect(await boot(chargePoint)).toMatchObject({ status: "Accepted" })
    expect(await answerTo(chargePoint, "Heartbeat")).toBe("ok")
  })

  test("REJECTED closes the socket; whoever comes back is told so, and is let in again once ACCEPTED", async () => {
    await using chargePoint = await connected()
    await boot(chargePoint)
    await decide(chargePoint, { registrationStatus: "REJECTED" })
    expect(await chargePoint.waitForClose()).toEqual({ code: 1008, reason: "rejected" })
    await chargePoint.connect()
    expect(await answerTo(chargePoint, "Heartbeat")).toBe("SecurityError")
    expect(await boot(chargePoint)).toMatchObject({ status: "Rejected", interval: 45 })
    await decide(chargePoint, { registrationStatus: "ACCEPTED" })
    expect(await boot(chargePoint)).toMatchObject({ status: "Accepted" })
    expect(await answerTo(chargePoint, "Heartbeat")).toBe("ok")
  })
})

test("a deleted charge point is cut off, stays out, and what it charged stays", async () => {
  await using chargePoint = await connected()
  await boot(chargePoint)
  const start = { connectorId: 1, idTag: "X", meterStart: 100, timestamp: new Date().toISOString() }
  const { transactionId } = await chargePoint.call("StartTransaction", start)
  await ask("mutation ($identity: String!) { deleteChargePoint(input: { identity: $identity }) { __typename } }", {
    identity: chargePoint.identity,
  })
  expect(await chargePoint.waitForClose()).toEqual({ code: 1008, reason: "unknown charge point" })
  await expect(chargePoint.connect()).rejects.toThrow("refused")
  const { transaction } = await ask(
    "query ($id: Int!) { transaction(transactionId: $id) { state chargePoint { id } } }",
    { id: transactionId },
  )
  expect(transaction).toEqual({ state: "ENDED_INFERRED", chargePoint: null })

  // Its namesake is another one: nothing of the first is known to it.
  await createChargePoint(ask, { identity: chargePoint.identity })
  await chargePoint.connect()
  expect(await answerTo(chargePoint, "Heartbeat")).toBe("SecurityError")
  await boot(chargePoint)
  await chargePoint.call("StopTransaction", { transactionId, meterStop: 900, timestamp: new Date().toISOString() })
  const { transaction: after } = await ask(
    "query ($id: Int!) { transaction(transactionId: $id) { state meterStop } }",
    {
      id: transactionId,
    },
  )
  expect(after).toEqual({ state: "ENDED_INFERRED", meterStop: null })
})

test("what a charge point had sent when it was deleted is over as well", async () => {
  await using chargePoint = await connected()
  await boot(chargePoint)
  const deleted = ask(
    "mutation ($identity: String!) { deleteChargePoint(input: { identity: $identity }) { __typename } }",
    {
      identity: chargePoint.identity,
    },
  )
  for (let index = 1; chargePoint.online; index++) {
    const start = { connectorId: index, idTag: "X", meterStart: 0, timestamp: new Date().toISOString() }
    chargePoint.send(JSON.stringify([2, `${index}`, "StartTransaction", start]), `${index}`)
    await Bun.sleep(0)
  }
  await deleted
  await until("nothing of it runs", async () => {
    const { fleet } = await ask<{ fleet: { activeTransactions: number } }>("{ fleet { activeTransactions } }")
    return fleet.activeTransactions === 0
  })
})

describe("the password", () => {
  test("set anew by the operator ends the session of the old one, which opens nothing any more", async () => {
    await using chargePoint = await connected({}, "the first password")
    await boot(chargePoint)
    await decide(chargePoint, { password: "the second password" })
    expect(await chargePoint.waitForClose()).toEqual({ code: 1008, reason: "credentials have changed" })
    await expect(connect(chargePoint.identity, "the first password")).rejects.toThrow("refused")
    await using again = await connect(chargePoint.identity, "the second password")
    expect(await answerTo(again, "Heartbeat")).toBe("ok")
  })

  test("changed in the charge point by ChangeConfiguration leaves the running session as it is", async () => {
    await using chargePoint = await connected({}, "the first password")
    await boot(chargePoint)
    chargePoint.onCall("ChangeConfiguration", async () => ({ status: "Accepted" }))
    await changeConfiguration(chargePoint, "AuthorizationKey", "0011223344556677889900112233445566778899")
    expect(await answerTo(chargePoint, "Heartbeat")).toBe("ok")
  })
})

test("leniency is that of the next messages", async () => {
  await using chargePoint = await connected()
  await boot(chargePoint)
  const odd = { connectorId: "1", errorCode: "NoError", status: "Available" }
  expect(await answerTo(chargePoint, "StatusNotification", odd)).toBe("ok")
  await decide(chargePoint, { leniency: "STRICT" })
  await answered(chargePoint, "TypeConstraintViolation", "StatusNotification", odd)
  await decide(chargePoint, { leniency: "TOLERANT" })
  await answered(chargePoint, "ok", "StatusNotification", odd)
})

test("a wire log switched on holds the frames of both directions from then on, with secrets masked", async () => {
  await using chargePoint = await connected()
  await boot(chargePoint)
  await decide(chargePoint, { wireLog: true })
  await until("frames are kept", async () => {
    await chargePoint.call("Heartbeat")
    return (await messagesOf(chargePoint)).length > 0
  })
  chargePoint.onCall("ChangeConfiguration", async () => ({ status: "Accepted" }))
  const secret = "00112233445566778899aabbccddeeff"
  await changeConfiguration(chargePoint, "AuthorizationKey", secret)
  await chargePoint.call("DataTransfer", { vendorId: "V", data: `{"password":"${secret}"}` })
  await chargePoint.call("Authorize", { idTag: "SEEN" })
  const kept = await until("the last answer is kept", async () => {
    const messages = await messagesOf(chargePoint)
    return (
      messages.some(({ action, messageType }) => action === "Authorize" && messageType === "CALL_RESULT") && messages
    )
  })
  const ofLast = (action: string) =>
    kept
      .filter((message) => message.action === action)
      .map(({ direction, messageType }) => `${direction} ${messageType}`)
  expect(ofLast("Authorize")).toEqual(["TO_CHARGE_POINT CALL_RESULT", "FROM_CHARGE_POINT CALL"])
  expect(ofLast("ChangeConfiguration")).toEqual(["FROM_CHARGE_POINT CALL_RESULT", "TO_CHARGE_POINT CALL"])
  expect(JSON.stringify(kept)).not.toContain(secret)
  expect(
    kept.find(({ action, direction }) => action === "Authorize" && direction === "FROM_CHARGE_POINT")?.text,
  ).toContain('"Authorize",{"idTag":"SEEN"}]')
})

interface Message {
  direction: string
  messageType: string
  action: string | null
  text: string
}

async function messagesOf({ identity }: ChargePoint): Promise<Message[]> {
  const { chargePoint } = await ask<{ chargePoint: { messages: { edges: { node: Message }[] } } }>(
    `query ($identity: String!) {
      chargePoint(identity: $identity) { messages(first: 100) { edges { node { direction messageType action text } } } }
    }`,
    { identity },
  )
  return chargePoint.messages.edges.map(({ node: message }) => message)
}

async function changeConfiguration({ identity }: ChargePoint, key: string, value: string): Promise<void> {
  const { changeConfiguration: result } = await ask<{ changeConfiguration: { __typename: string } }>(
    "mutation ($input: ChangeConfigurationInput!) { changeConfiguration(input: $input) { __typename } }",
    { input: { chargePoint: identity, key, value } },
  )
  expect(result.__typename).toBe("ChangeConfigurationConfirmation")
}
