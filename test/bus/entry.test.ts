/** How events lie in the stream, and how a node comes by what it tells. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import { fieldsOf, readEntry } from "../../src/bus/entry.ts"
import { OwnEntries } from "../../src/bus/own.ts"
import { chargePointSubject, type Event } from "../../src/facts/events.ts"
import { record } from "../../src/facts/recorded.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { behindTheBack, listen, MemoryJournal, openNode, story } from "./stream-support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
beforeEach(() => behindTheBack(server.url, (client) => client.flushAll()))

const readings = (count: number): Event[] =>
  Array.from({ length: count }, (_, index) => ({
    type: "MeterValues",
    chargePointId: `Ladepunkt ${index} in Köln, 充电`,
    connectorId: 1,
    transactionId: index,
    readings: [{ at: index, digest: "0123456789abcdef" }],
    organisationId: "default",
    subject: chargePointSubject(`Ladepunkt ${index} in Köln, 充电`),
    version: index + 1,
    at: index,
  }))

test.each([1, 500])("an entry of %d events is read as it was written", (count) => {
  const events = readings(count)
  const fields = fieldsOf(events.map(record))
  expect("packed" in fields).toBe(count > 1)
  const entry = readEntry("g", "1-1", fields)
  expect(entry.events.map(({ event }) => event)).toEqual(events)
  expect(entry.told.map(({ recorded }) => recorded.version)).toEqual(events.map(({ version }) => version))
  expect(entry.lastIndex).toBe(count - 1)
})

test("what is packed takes a fraction of the room", () => {
  const events = readings(500).map(record)
  const length = events.reduce((sum, { text }) => sum + text.length, 0)
  expect(Object.values(fieldsOf(events)).join("").length * 3).toBeLessThan(length)
})

test("a node's own events are kept until they are read, and only the newest of them", () => {
  const [own, others] = [new OwnEntries(), new OwnEntries()]
  const events = readings(1).map(record)
  const first = own.keep(events)
  expect(others.take(first)).toBeUndefined()
  expect(own.take(first)).toBe(events)
  expect(own.take(first)).toBeUndefined()
  const names = Array.from({ length: 100 }, () => own.keep(events))
  expect(names.filter((name) => own.take(name) !== undefined)).toEqual(names.slice(-32))
})

test("every node tells the same of large entries, its own and others', as they come and later", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await using b = await openNode(server.url, journal)
  const after = a.stream.cursor
  const [here, there] = [listen(a.stream), listen(b.stream)]
  for (let n = 0; n < 6; n++) {
    const node = n % 2 === 0 ? a : b
    node.stream.publish(journal.commit(...Array.from({ length: 200 }, () => ({ subject: "x" }))))
    await until("it is told", () => here.items.length === 200 * (n + 1))
  }
  await until("it is told there too", () => there.items.length === 1_200)
  const later = listen(b.stream, { after })
  await until("it is told later too", () => later.items.length === 1_200)
  expect(here.said()).toEqual(story("x", 1_200))
  expect(there.items).toEqual(here.items)
  expect(later.items).toEqual(here.items)
})

test("what was published and is not kept by the node any more is fetched", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const changes = listen(a.stream, { interest: { organisationId: "default", type: "Transaction" } })
  const told = listen(a.stream)
  journal.isAway = true // so that the reader stands still
  a.stream.publish(journal.commit({ subject: "x", transactionId: 1, energyWh: 1 }))
  await until("the reader stands still", () => journal.asked.length > 0)
  for (let n = 0; n < 60; n++) {
    const entry = journal.commit({ subject: "x" })
    a.stream.publish(entry)
    await until("it is published", () => entry.published)
  }
  journal.isAway = false
  await until("all is told", () => told.items.length === 61)
  expect(told.said()).toEqual(story("x", 61))
  expect(changes.items).toEqual([])
})

test("what an earlier version has left in Redis is removed", async () => {
  const former = "busbar:events:2:"
  await behindTheBack(server.url, async (client) => {
    await client.set(`${former}generation`, "g")
    await client.xAdd(`${former}g:stream`, "*", { began: "g" })
    await client.hSet(`${former}g:versions`, { began: "1" })
  })
  await using a = await openNode(server.url, new MemoryJournal())
  expect(a.stream.cursor).not.toBe("")
  expect(await behindTheBack(server.url, (client) => client.keys(`${former}*`))).toEqual([])
})
