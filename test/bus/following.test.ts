/** Who follows is found by what an event names, misses nothing between the past and the present, and costs nobody else. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import type { Event } from "../../src/facts/events.ts"
import type { Interest } from "../../src/services/ports.ts"
import { Follower } from "../../src/bus/follower.ts"
import { Followers } from "../../src/bus/followers.ts"
import { readEntry } from "../../src/bus/entry.ts"
import { record, writeHeads, writeTexts } from "../../src/facts/recorded.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { all, behindTheBack, listen, MemoryJournal, openNode, story } from "./stream-support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
beforeEach(() => behindTheBack(server.url, (client) => client.flushAll()))

const signal = new AbortController().signal

/** An entry with one event of each of these; what is not looked up is left out. */
function entryOf(...bodies: object[]) {
  const events = bodies.map((body, index) => {
    const common = { organisationId: "default", subject: "charge-point:1", version: index + 1, at: 0 }
    const event: Event = JSON.parse(JSON.stringify({ ...common, ...body }))
    return record(event)
  })
  return readEntry("g", "1-1", { heads: writeHeads(events), texts: writeTexts(events) })
}

const chargePoint = { type: "ChargePoint", chargePoint: { id: "1", identity: "CP-1" } }
const transaction = { type: "Transaction", transaction: { transactionId: 7, chargePointId: "1" } }
const meterValues = { type: "MeterValues", chargePointId: "1", transactionId: 7, connectorId: 1, readings: [] }
const command = { type: "Command", command: { id: "c", chargePointId: "1" } }

test.each<[string, Omit<Interest, "organisationId">, number]>([
  ["a charge point by its id", { type: "ChargePoint", chargePointIds: ["0", "1"] }, 1],
  ["a charge point by its name", { type: "ChargePoint", identities: ["CP-0", "CP-1"] }, 1],
  ["a charge point by both", { type: "ChargePoint", chargePointIds: ["1"], identities: ["CP-0"] }, 0],
  ["another charge point", { type: "ChargePoint", identities: ["CP-0"] }, 0],
  ["no charge point", { type: "ChargePoint", chargePointIds: [] }, 0],
  ["a charge point's transactions", { type: "Transaction", chargePointIds: ["1", "1"] }, 1],
  ["a transaction", { type: "Transaction", transactionId: 7 }, 1],
  ["a transaction's readings", { type: "MeterValues", transactionId: 7 }, 1],
  [
    "a transaction's readings at another charge point",
    { type: "MeterValues", transactionId: 7, chargePointIds: ["0"] },
    0,
  ],
  ["a command", { type: "Command", commandId: "c" }, 1],
  ["another command", { type: "Command", commandId: "d" }, 0],
  ["a charge point's commands", { type: "Command", chargePointIds: ["1"] }, 1],
  ["all of a type", { type: "Command" }, 1],
  ["what only a look can tell", { type: "Command", wants: (event) => event.version === 4 }, 1],
  ["what a look refuses", { type: "Command", wants: () => false }, 0],
])("somebody who wants %s is told just that", async (_, interest, times) => {
  const followers = new Followers()
  const [own, foreign] = [new Follower(10), new Follower(10)]
  followers.add({ organisationId: "default", ...interest }, own)
  followers.add({ organisationId: "other", ...interest }, foreign)
  followers.tell(entryOf(chargePoint, transaction, meterValues, command))
  for (const follower of [own, foreign]) follower.end()
  const told = await Array.fromAsync(own.items())
  expect(told.map(({ event }) => event.type)).toEqual(Array.from({ length: times }, () => interest.type))
  expect(await Array.fromAsync(foreign.items())).toEqual([])
})

test("an event touches nobody whom it cannot concern", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  let looks = 0
  const wants = () => {
    looks++
    return true
  }
  const elsewhere = Array.from({ length: 1_000 }, (_, n) =>
    listen(a.stream, { interest: { ...all(), chargePointIds: [`cp${n}`], wants } }),
  )
  const there = listen(a.stream, { interest: { ...all(), chargePointIds: ["x"] } })
  for (let n = 0; n < 5; n++) a.stream.publish(journal.commit({ subject: "x" }, { subject: "y" }))
  await until("the one is told", () => there.items.length === 5)
  expect(looks).toBe(0)
  expect(elsewhere.every(({ items }) => items.length === 0)).toBe(true)
})

test("whoever catches up while others publish is told everything once, in order, and then the present", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await using b = await openNode(server.url, journal)
  const after = a.stream.cursor
  const first = listen(a.stream)
  const followers = [first]
  for (let n = 0; n < 60; n++) {
    for (const node of [a, b]) node.stream.publish(journal.commit({ subject: "x" }, { subject: "y" }))
    // On the node that may be behind the one that gave the cursor.
    const late = first.items.at(-1)?.cursor
    if (n % 10 === 0) followers.push(listen(b.stream, { after }))
    if (n % 10 === 5 && late !== undefined) followers.push(listen(b.stream, { after: late }))
    await until("it is told somewhere", () => first.items.length > n)
  }
  await until("all are told all", () =>
    followers.every(({ said }) => ["x/120", "y/120"].every((last) => said().includes(last))),
  )
  for (const { said } of followers) {
    for (const subject of ["x", "y"]) {
      const versions = said().filter((text) => text.startsWith(subject))
      expect(versions).toEqual(story(subject, 120).slice(-versions.length))
    }
  }
  expect(followers.filter(({ said }) => said().length === 240).length).toBeGreaterThanOrEqual(7)
})

test("what is caught up with is the node's own position", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const after = a.stream.cursor
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }, { subject: "x" }))
  await until("it is told", () => told.items.length === 2)
  const resumed = listen(a.stream, { after })
  await until("it has caught up", () => resumed.caughtUpAt !== undefined)
  expect(resumed.caughtUpAt).toBe(a.stream.cursor)
  expect(resumed.caughtUpAt).toBe(told.items[1]!.cursor)
  expect(a.stream.isAfter(told.items[1]!.cursor, told.items[0]!.cursor)).toBe(true)
  expect(a.stream.isAfter(told.items[0]!.cursor, told.items[1]!.cursor)).toBe(false)
  expect(a.stream.isAfter(told.items[0]!.cursor, after)).toBe(true)
})

test("a version is reached when this node has told it, also where nobody published it", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { republishEveryMs: 3_600_000 })
  const told = listen(a.stream)
  const entry = journal.commit({ subject: "x" }, { subject: "y" })
  const reached = a.stream.reached(
    new Map([
      ["x", 1],
      ["z", 0],
    ]),
    signal,
  )
  a.stream.publish(entry)
  await reached
  await until("it is told", () => told.said().includes("x/1"))
  journal.commit({ subject: "x" }, { subject: "x" }) // by a node that died
  await a.stream.reached(new Map([["x", 3]]), signal)
  await until("the rest is told", () => told.items.length === 4)
  expect(told.said()).toEqual(["x/1", "y/1", "x/2", "x/3"])
  await a.stream.reached(new Map([["x", 99]]), AbortSignal.abort())
})

test("a follower is let go with its signal, whether it reads or not", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const stop = new AbortController()
  let looks = 0
  a.stream.live({ ...all(), wants: () => ++looks > 0 }, stop.signal)
  const told = listen(a.stream)
  stop.abort()
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  expect(looks).toBe(0)
})
