/** Reservations from the operator to the charge point and to their end, with a charge point that is not ours. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Payload, ScriptedChargePoint } from "../../bench/conformance/stage.ts"
import { type Ask, createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { bootedChargePoint } from "../support/scripted.ts"
import { startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

let node: TestNode
let ask: Ask
let count = 0

beforeAll(async () => {
  node = await startTestNode()
  ask = graphqlOver(node.graphqlUrl, node.token)
  await createIdTag(ask, { idTag: "Alice", parentIdTag: "Family" })
})

afterAll(() => node[Symbol.asyncDispose]())

const booted = () => bootedChargePoint(node, `RESERVED-${++count}`)
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

const reserving = (identity: string, input: Payload, asking = ask) =>
  asking<Payload>(
    `mutation ($input: ReserveNowInput!) { result: reserveNow(input: $input) {
      __typename ... on ReserveNowConfirmation { status reservation { state } } ... on ChargePointOffline { message }
    } }`,
    { input: { chargePoint: identity, connectorId: 1, idTag: "Alice", expiryDate: inSeconds(600), ...input } },
  )

/** One ReserveNow that the charge point answers so; what it was asked. */
async function reserve(chargePoint: ScriptedChargePoint, input: Payload = {}, status = "Accepted"): Promise<Payload> {
  const { request, result } = await chargePoint.answering("ReserveNow", { status }, () =>
    reserving(chargePoint.identity, input),
  )
  expect(result["result"]).toEqual({
    __typename: "ReserveNowConfirmation",
    status: status.toUpperCase(),
    reservation: { state: status === "Accepted" ? "ACTIVE" : "REFUSED" },
  })
  return request
}

const RESERVATION = "reservationId connectorId state endReason transaction { idTag }"

const reservationsOf = async (identity: string): Promise<Payload[]> => {
  const { chargePoint } = await ask<Payload>(
    `query ($identity: String!) { chargePoint(identity: $identity) { reservations { edges { node { ${RESERVATION} } } } } }`,
    { identity },
  )
  const { reservations } = chargePoint as { reservations: { edges: { node: Payload }[] } }
  return reservations.edges.map((edge) => edge.node)
}

const stateIs = (identity: string, state: string) =>
  until(`the reservation is ${state}`, async () => (await reservationsOf(identity))[0]?.["state"] === state)

test("exactly the fields given reach the charge point; the number is Busbar's, the group the idTag's own where asked for", async () => {
  await using chargePoint = await booted()
  const expiryDate = inSeconds(600)
  const first = await reserve(chargePoint, { expiryDate })
  expect(first).toEqual({ connectorId: 1, idTag: "Alice", expiryDate, reservationId: expect.any(Number) })
  const second = await reserve(chargePoint, { connectorId: 0, withParentIdTag: true, reservationId: 4711 })
  expect(second).toMatchObject({ connectorId: 0, parentIdTag: "Family", reservationId: 4711 })
})

test("a reservation shows on its connector and is used by the transaction that names it", async () => {
  await using chargePoint = await booted()
  const { identity } = chargePoint
  await chargePoint.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" })
  const { reservationId } = await reserve(chargePoint)
  const { chargePoint: shown } = await ask<Payload>(
    "query ($identity: String!) { chargePoint(identity: $identity) { connectors { connectorId reservation { reservationId state } } } }",
    { identity },
  )
  expect(shown).toEqual({ connectors: [{ connectorId: 1, reservation: { reservationId, state: "ACTIVE" } }] })
  await chargePoint.call("StartTransaction", {
    connectorId: 1,
    idTag: "Alice",
    meterStart: 0,
    reservationId,
    timestamp: new Date().toISOString(),
  })
  expect(await reservationsOf(identity)).toMatchObject([{ state: "USED", transaction: { idTag: "Alice" } }])
})

test("refused, cancelled by its number, cancelled by a number that nobody knows", async () => {
  await using chargePoint = await booted()
  const { identity } = chargePoint
  await reserve(chargePoint, {}, "Occupied")
  expect(await reservationsOf(identity)).toMatchObject([{ state: "REFUSED", endReason: "Occupied" }])
  const { reservationId } = await reserve(chargePoint)
  const cancel = (number: unknown, status: string) =>
    chargePoint.answering("CancelReservation", { status }, () =>
      ask<Payload>(
        `mutation ($input: CancelReservationInput!) { result: cancelReservation(input: $input) {
          ... on CancelReservationConfirmation { status }
        } }`,
        { input: { chargePoint: identity, reservationId: number } },
      ),
    )
  const foreign = await cancel(-1, "Rejected")
  expect(foreign).toMatchObject({ request: { reservationId: -1 }, result: { result: { status: "REJECTED" } } })
  expect((await reservationsOf(identity))[0]).toMatchObject({ state: "ACTIVE" })
  await cancel(reservationId, "Accepted")
  expect((await reservationsOf(identity))[0]).toMatchObject({ state: "CANCELLED" })
})

test("one for a charge point that is away is refused, and found by filter", async () => {
  const identity = `RESERVED-${++count}`
  await using chargePoint = await bootedChargePoint(node, identity)
  await chargePoint[Symbol.asyncDispose]()
  await until("it is offline", async () => {
    const { result } = await reserving(identity, {})
    return (result as Payload)["__typename"] === "ChargePointOffline"
  })
  const { reservations } = await ask<Payload>(
    `query ($filter: ReservationFilter) { reservations(filter: $filter) { edges { node { ${RESERVATION} } } } }`,
    { filter: { chargePoints: [identity], state: ["REFUSED"], idTag: "ALICE" } },
  )
  expect((reservations as { edges: { node: Payload }[] }).edges[0]?.node).toMatchObject({ endReason: "Offline" })
})

test("one that waits for its charge point waits no longer than it would last", async () => {
  const identity = `RESERVED-${++count}`
  await createChargePoint(ask, { identity })
  const expiryDate = inSeconds(600)
  const waiting = async (delivery: Payload) => {
    const { result } = await ask<{ result: { command: { expiresAt: string } } }>(
      `mutation ($input: ReserveNowInput!) { result: reserveNow(input: $input) {
        ... on CommandQueued { command { expiresAt } }
      } }`,
      { input: { chargePoint: identity, connectorId: 1, idTag: "Alice", expiryDate, delivery } },
    )
    return result.command.expiresAt
  }
  expect(await waiting({ whenOffline: "QUEUE" })).toBe(expiryDate)
  expect(await waiting({ whenOffline: "QUEUE", expiresAt: inSeconds(1200) })).toBe(expiryDate)
  const expiresAt = inSeconds(60)
  expect(await waiting({ whenOffline: "QUEUE", expiresAt })).toBe(expiresAt)
})

test("a wish that cannot be sent as it is leaves nothing reserved", async () => {
  await using chargePoint = await booted()
  const { identity } = chargePoint
  expect((await reserving(identity, { idTag: "longer than twenty characters" }))["result"]).toMatchObject({
    __typename: "InvalidInput",
  })
  expect(await reservationsOf(identity)).toEqual([])
  const delivery = { whenOffline: "QUEUE", expiresAt: inSeconds(-1) }
  expect((await reserving(identity, { delivery }))["result"]).toMatchObject({ __typename: "InvalidInput" })
  expect(await reservationsOf(identity)).toMatchObject([{ state: "REFUSED" }])
  await chargePoint.settle()
})

test("its time over it expires, and no CALL leaves for it", async () => {
  await using chargePoint = await booted()
  await reserve(chargePoint, { expiryDate: inSeconds(1) })
  await stateIs(chargePoint.identity, "EXPIRED")
  await chargePoint.settle()
})

test("due while everything was down: it expires at the next start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "busbar-reservations-"))
  const environment = { DATA_DIR: folder, ADMIN_TOKEN: "the-token-of-every-test-node" }
  try {
    {
      await using server = await startServerProcess(environment)
      const there = { ...node, ocppUrl: server.ocppUrl, graphqlUrl: server.graphqlUrl }
      await using chargePoint = await bootedChargePoint(there, "AWAY-1")
      const expiryDate = inSeconds(2)
      await chargePoint.answering("ReserveNow", { status: "Accepted" }, () =>
        reserving("AWAY-1", { expiryDate }, graphqlOver(server.graphqlUrl, node.token)),
      )
      await server.kill()
      await until("its time is over", () => Date.now() > Date.parse(expiryDate))
    }
    await using server = await startServerProcess(environment)
    const asking = graphqlOver(server.graphqlUrl, node.token)
    await until("it has expired", async () => {
      const { reservations } = await asking<{ reservations: { edges: { node: { state: string } }[] } }>(
        "{ reservations { edges { node { state } } } }",
      )
      return reservations.edges[0]?.node.state === "EXPIRED"
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
