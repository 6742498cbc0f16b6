import { describe, expect, test } from "bun:test"
import type { InputOf } from "../../src/facts/catalogue.ts"
import { CHARGE_POINT_DELETED, QUEUE_LIMIT } from "../../src/facts/queue.ts"
import type { CommandRow } from "../../src/facts/rows.ts"
import { chargePointRow, minute } from "../support/charging.ts"
import { MemoryFacts, together } from "../support/facts.ts"

/** Waits until minute 60, and has one minute to be answered. */
const queued = (change: Partial<CommandRow> = {}): CommandRow => ({
  id: "c1",
  organisationId: "default",
  chargePointId: "cp1",
  action: "Reset",
  request: "{}",
  state: "Queued",
  requestedBy: "operator",
  requestedAt: minute(0),
  deadlineAt: minute(61),
  expiresAt: minute(60),
  sentAt: null,
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: null,
  ...change,
})

const queueing = (change: Partial<CommandRow> = {}): InputOf<"queueCommand"> => {
  const command = queued(change)
  return { command, request: { commandId: command.id, organisationId: command.organisationId, sealed: "sealed" } }
}

const place = (commandId = "c1") => ({ organisationId: "default", commandId, chargePointId: "cp1" })

const sending = (commandId = "c1", change: Partial<InputOf<"sendQueuedCommand">> = {}) => ({
  ...place(commandId),
  nodeId: "n1",
  epoch: 5,
  needsAcceptance: true,
  at: minute(10),
  ...change,
})

const dropping = (state: "Cancelled" | "Expired", at = minute(10), commandId = "c1") => ({
  ...place(commandId),
  state,
  at,
})

/** A charge point that was accepted, with commands waiting for it. */
async function factsWith(...commands: Partial<CommandRow>[]) {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow({ acceptedAt: minute(-10), epoch: 5 })] })
  for (const command of commands) await facts.change("queueCommand", queueing(command))
  return facts
}

const states = (facts: MemoryFacts) => facts.rows("commands").map((row) => row.state)
const told = (facts: MemoryFacts) => facts.events.map((event) => (event.type === "Command" ? event.command.state : ""))

describe("a command that waits", () => {
  test("is told, and what it will send is kept beside it", async () => {
    const facts = await factsWith({})
    expect(facts.rows("sealedRequests")).toEqual([{ commandId: "c1", organisationId: "default", sealed: "sealed" }])
    expect(told(facts)).toEqual(["Queued"])
    expect(JSON.stringify(facts.events)).not.toContain("sealed")
  })

  test("is sent once: the deadline of the answer counts from then on, and nothing is kept of what was sent", async () => {
    const facts = await factsWith({})
    expect(await facts.change("sendQueuedCommand", sending())).toMatchObject({
      isSent: true,
      command: { state: "Sent", sentAt: minute(10), deadlineAt: minute(11), nodeId: "n1" },
    })
    expect(await facts.change("sendQueuedCommand", sending("c1", { nodeId: "n2" }))).toMatchObject({
      isSent: false,
      command: { nodeId: "n1" },
    })
    expect(facts.rows("sealedRequests")).toBeEmpty()
    expect(told(facts)).toEqual(["Queued", "Sent"])
  })

  test("is sent by one of two nodes that try in the same instant", async () => {
    const facts = await factsWith({})
    const outcomes = await facts.group(together("sendQueuedCommand", sending(), sending("c1", { nodeId: "n2" })))
    expect(outcomes).toMatchObject([{ isSent: true }, { isSent: false, command: { state: "Sent", nodeId: "n1" } }])
  })

  test("expires instead of being sent when its time is over, to the millisecond", async () => {
    const facts = await factsWith({ id: "c1" }, { id: "c2" })
    expect(await facts.change("sendQueuedCommand", sending("c1", { at: minute(60) - 1 }))).toMatchObject({
      isSent: true,
    })
    expect(await facts.change("sendQueuedCommand", sending("c2", { at: minute(60) }))).toMatchObject({
      isSent: false,
      command: { state: "Expired", answeredAt: minute(60) },
    })
    expect(facts.rows("sealedRequests")).toBeEmpty()
    expect(told(facts)).toEqual(["Queued", "Queued", "Sent", "Expired"])
  })

  test("keeps its place: whoever was asked for earlier goes first, also of two in one instant", async () => {
    const facts = await factsWith({ id: "c3" }, { id: "c2" }, { id: "c4", requestedAt: minute(-1) })
    const send = (id: string) => facts.change("sendQueuedCommand", sending(id))
    expect(await send("c2")).toMatchObject({ isSent: false, command: { state: "Queued" } })
    expect(await send("c4")).toMatchObject({ isSent: true })
    expect(await send("c3")).toMatchObject({ isSent: false })
    expect(await send("c2")).toMatchObject({ isSent: true })
    expect(await send("c3")).toMatchObject({ isSent: true })
  })

  test("learns at once whether another one waits before it", async () => {
    const facts = await factsWith()
    expect(await facts.change("queueCommand", queueing())).toMatchObject({ isFirst: true })
    expect(await facts.change("queueCommand", queueing({ id: "c2" }))).toMatchObject({ isFirst: false })
  })

  test.each([
    ["Pending", { registrationStatus: "Pending" }],
    ["Rejected", { registrationStatus: "Rejected" }],
    ["never accepted by an answer to BootNotification", { acceptedAt: null }],
  ] as const)("waits on while the charge point is %s. OCPP 1.6 §4.2", async (_what, change) => {
    const facts = await factsWith()
    facts.given({ chargePoints: [chargePointRow({ acceptedAt: minute(-10), ...change })] })
    await facts.change("queueCommand", queueing())
    expect(await facts.change("sendQueuedCommand", sending())).toMatchObject({ isSent: false })
    expect(await facts.change("sendQueuedCommand", sending("c1", { needsAcceptance: false }))).toMatchObject({
      isSent: true,
    })
  })

  test("does not leave by an older socket than the newest", async () => {
    const facts = await factsWith({})
    expect(await facts.change("sendQueuedCommand", sending("c1", { epoch: 4 }))).toMatchObject({ isSent: false })
    expect(states(facts)).toEqual(["Queued"])
  })

  test("whose frame certainly never left waits again in its old place, until its old expiry", async () => {
    const facts = await factsWith({ id: "c1" }, { id: "c2" })
    const { request } = queueing()
    await facts.change("sendQueuedCommand", sending())
    const back = { ...place(), nodeId: "n1", at: minute(20), request }
    expect(await facts.change("requeueCommand", back)).toEqual({ command: queued() })
    expect(await facts.change("sendQueuedCommand", sending("c2"))).toMatchObject({ isSent: false })
    expect(await facts.change("sendQueuedCommand", sending("c1"))).toMatchObject({ isSent: true })
    expect(facts.rows("sealedRequests")).toMatchObject([{ commandId: "c2" }])
    expect(told(facts)).toEqual(["Queued", "Queued", "Sent", "Queued", "Sent"])
  })

  test("whose frame never left is not put back behind a later one that was sent meanwhile", async () => {
    const facts = await factsWith({ id: "c1" }, { id: "c2" })
    const { request } = queueing()
    await facts.change("sendQueuedCommand", sending("c1"))
    await facts.change("sendQueuedCommand", sending("c2"))
    const back = { ...place(), nodeId: "n1", at: minute(20), request }
    expect(await facts.change("requeueCommand", back)).toMatchObject({ command: { id: "c1", state: "Sent" } })
    expect(states(facts)).toEqual(["Sent", "Sent"])
  })

  test("is not put back by a node that did not send it, nor after its end or its expiry", async () => {
    const facts = await factsWith({})
    const { request } = queueing()
    await facts.change("sendQueuedCommand", sending())
    const back = { ...place(), at: minute(20), request }
    expect(await facts.change("requeueCommand", { ...back, nodeId: "n2" })).toMatchObject({
      command: { state: "Sent" },
    })
    expect(await facts.change("requeueCommand", { ...back, nodeId: "n1", at: minute(60) })).toMatchObject({
      command: { state: "Expired" },
    })
    expect(await facts.change("requeueCommand", { ...back, nodeId: "n1" })).toMatchObject({
      command: { state: "Expired" },
    })
    expect(facts.rows("sealedRequests")).toBeEmpty()
  })

  test("is taken back, or sent, and never both", async () => {
    const facts = await factsWith({ id: "c1" }, { id: "c2" })
    expect(await facts.change("dropQueuedCommand", dropping("Cancelled"))).toMatchObject({
      moved: true,
      command: { state: "Cancelled", answeredAt: minute(10) },
    })
    expect(await facts.change("sendQueuedCommand", sending("c1"))).toMatchObject({ isSent: false })
    expect(await facts.change("sendQueuedCommand", sending("c2"))).toMatchObject({ isSent: true })
    expect(await facts.change("dropQueuedCommand", dropping("Cancelled", minute(10), "c2"))).toMatchObject({
      moved: false,
      command: { state: "Sent" },
    })
    expect(facts.rows("sealedRequests")).toBeEmpty()
  })

  test("expires no earlier than it should, and once", async () => {
    const facts = await factsWith({})
    const expire = (at: number) => facts.change("dropQueuedCommand", dropping("Expired", at))
    expect(await expire(minute(60) - 1)).toMatchObject({ moved: false, command: { state: "Queued" } })
    expect(await expire(minute(60))).toMatchObject({ moved: true, command: { state: "Expired" } })
    expect(await expire(minute(61))).toMatchObject({ moved: false, command: { answeredAt: minute(60) } })
    expect(told(facts)).toEqual(["Queued", "Expired"])
  })

  test("that should have expired already cannot be taken back any more", async () => {
    const facts = await factsWith({})
    expect(await facts.change("dropQueuedCommand", dropping("Cancelled", minute(60)))).toMatchObject({
      moved: false,
      command: { state: "Expired" },
    })
  })

  test("is cancelled with its charge point, before that is told, and is never meant for one made anew", async () => {
    const facts = await factsWith({ id: "c1" }, { id: "c2" })
    await facts.change("sendQueuedCommand", sending("c1"))
    await facts.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: minute(20) })
    expect(facts.rows("commands")).toMatchObject([
      { state: "Sent" },
      { state: "Cancelled", answeredAt: minute(20), error: CHARGE_POINT_DELETED },
    ])
    expect(facts.rows("sealedRequests")).toBeEmpty()
    expect(told(facts)).toEqual(["Queued", "Queued", "Sent", "Cancelled", ""])
    facts.given({ chargePoints: [chargePointRow({ id: "cp2", acceptedAt: minute(30) })] })
    expect(await facts.change("sendQueuedCommand", sending("c2"))).toMatchObject({ isSent: false })
    const { request } = queueing()
    expect(
      await facts.change("requeueCommand", { ...place("c1"), nodeId: "n1", at: minute(20), request }),
    ).toMatchObject({ command: { state: "Cancelled" } })
  })

  test("is not taken for a charge point that is gone, or of another organisation", async () => {
    const facts = await factsWith()
    expect(await facts.change("queueCommand", queueing({ chargePointId: "cp9" }))).toEqual({ notFound: true })
    expect(await facts.change("queueCommand", queueing({ organisationId: "other" }))).toEqual({ notFound: true })
    await facts.change("queueCommand", queueing())
    const other = { organisationId: "other" }
    expect(await facts.change("sendQueuedCommand", { ...sending(), ...other })).toEqual({ notFound: true })
    expect(await facts.change("dropQueuedCommand", { ...dropping("Cancelled"), ...other })).toEqual({ notFound: true })
  })

  test("may end as Failed, and in no other way that needs a frame", async () => {
    const facts = await factsWith({})
    const ending = { ...place(), at: minute(1), confirmation: null, error: null, configurationKeys: [] }
    expect(await facts.change("endCommand", { ...ending, state: "Answered" })).toMatchObject({ moved: false })
    expect(await facts.change("endCommand", { ...ending, state: "Failed" })).toMatchObject({ moved: true })
    expect(facts.rows("sealedRequests")).toBeEmpty()
  })
})

test(`at most ${QUEUE_LIMIT} commands wait for one charge point`, async () => {
  const facts = await factsWith(...Array.from({ length: QUEUE_LIMIT }, (_, n) => ({ id: `c${n}` })))
  const more = queueing({ id: "more" })
  expect(await facts.change("queueCommand", more)).toEqual({ queueFull: true })
  await facts.change("dropQueuedCommand", dropping("Cancelled", minute(1), "c7"))
  expect(await facts.change("queueCommand", more)).toMatchObject({ repeated: false })
})

test("a client that repeats itself gets the waiting command back, also within one commit group", async () => {
  const facts = await factsWith()
  const one = queueing({ id: "c1", idempotencyKey: "k" })
  const again = queueing({ id: "c2", idempotencyKey: "k" })
  expect(await facts.group(together("queueCommand", one, again))).toMatchObject([
    { repeated: false, command: { id: "c1" } },
    { repeated: true, command: { id: "c1" } },
  ])
  expect(states(facts)).toEqual(["Queued"])
})
