/** Readings that change a running transaction's energy are one event, and to whoever follows transactions a change of them. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import type { Event } from "../../src/facts/events.ts"
import type { TransactionRow } from "../../src/facts/rows.ts"
import { Following } from "../../src/services/following/index.ts"
import { tellAll } from "../../src/services/following/story.ts"
import type { Interest, Reads } from "../../src/services/ports.ts"
import type { Viewer } from "../../src/services/viewer.ts"
import { start } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { behindTheBack, listen, MemoryJournal, openNode } from "./stream-support.ts"
import { failureOf, systemClock } from "./support.ts"

let server: RedisServer
let started: TransactionRow
beforeAll(async () => {
  server = await startRedis()
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start())
  started = facts.rows("transactions")[0]!
})
afterAll(() => server.stop())
beforeEach(() => behindTheBack(server.url, (client) => client.flushAll()))

const signal = new AbortController().signal

const transactions = (interest: Partial<Interest> = {}): Interest => ({
  organisationId: "default",
  type: "Transaction",
  ...interest,
})

/** A journal whose database holds these transactions, each of the charge point that is named like it. */
function journalWith(...transactionIds: number[]): MemoryJournal {
  const journal = new MemoryJournal()
  for (const transactionId of transactionIds)
    journal.transactions.set(transactionId, { ...started, transactionId, chargePointId: `cp${transactionId}` })
  return journal
}

const energy = (transactionId: number, energyWh: number) => ({ subject: `cp${transactionId}`, transactionId, energyWh })

const energyOf = ({ event }: { event: Event }): string =>
  event.type === "Transaction" ? `${event.transaction.transactionId}: ${event.transaction.energyWh}` : event.type

test("readings with energy are told to both: as readings, and as a change of the whole transaction", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const [readings, changes] = [listen(a.stream), listen(a.stream, { interest: transactions() })]
  // The database is ahead of what is told: the transaction has ended meanwhile.
  const row = journal.transactions.get(7)!
  const ended = { state: "Ended", stoppedAt: 9, stopReceivedAt: 9, meterStop: 5_000, stopReason: "Local" } as const
  journal.transactions.set(7, { ...row, ...ended, energyWh: 4_000, registerAt: 9, registerWh: 5_000 })
  const { at } = journal.commit(energy(7, 100), { subject: "cp7", transactionId: 7 })
  for (const entry of journal.entries) a.stream.publish(entry)
  await until("all is told", () => readings.items.length === 2 && changes.items.length === 1)
  const transaction = { ...row, energyWh: 100, registerAt: at, registerWh: 1_100 }
  const event = { type: "Transaction", kind: "Updated", organisationId: "default", subject: "cp7", version: 1, at }
  expect(changes.items).toEqual([{ cursor: readings.items[0]!.cursor, event: { ...event, transaction } as Event }])
  expect(readings.items[0]!.event).toMatchObject({ type: "MeterValues", version: 1, energy: { energyWh: 100 } })
})

test("each follower is told what its keys and its filter say, on every node", async () => {
  const journal = journalWith(7, 8)
  journal.transactions.set(8, { ...journal.transactions.get(8)!, idTagKey: "other" })
  await using a = await openNode(server.url, journal)
  await using b = await openNode(server.url, journal)
  const ofTag = (event: Event) => event.type === "Transaction" && event.transaction.idTagKey === "other"
  const running = (event: Event) => event.type === "Transaction" && event.transaction.state === "Active"
  const followers = [
    listen(a.stream, { interest: transactions({ chargePointIds: ["cp7"] }) }),
    listen(b.stream, { interest: transactions({ transactionId: 8 }) }),
    listen(a.stream, { interest: transactions({ wants: ofTag }) }),
    listen(b.stream, { interest: transactions({ wants: running }) }),
    listen(a.stream, { interest: transactions({ organisationId: "other" }) }),
    listen(a.stream, { interest: transactions({ chargePointIds: ["cp7"], transactionId: 8 }) }),
  ]
  const end = [a, b].map(({ stream }) => listen(stream))
  a.stream.publish(journal.commit(energy(7, 1), energy(8, 2), energy(7, 3)))
  await until("all is told", () => end.every(({ items }) => items.length === 3))
  const told = followers.map(({ items }) => items.map(energyOf))
  const everything = ["7: 1", "8: 2", "7: 3"]
  expect(told).toEqual([["7: 1", "7: 3"], ["8: 2"], ["8: 2"], everything, [], []])
})

test("a node asks for transactions that somebody follows alone, together, and once", async () => {
  const journal = journalWith(6, 7, 8)
  await using a = await openNode(server.url, journal)
  const readings = listen(a.stream)
  a.stream.publish(journal.commit(energy(6, 1)))
  await until("it is told", () => readings.items.length === 1)
  expect(journal.asked).toEqual([])
  const changes = [6, 7].map((id) => listen(a.stream, { interest: transactions({ chargePointIds: [`cp${id}`] }) }))
  for (let energyWh = 2; energyWh < 5; energyWh++)
    a.stream.publish(journal.commit(energy(6, energyWh), energy(7, energyWh), energy(8, energyWh)))
  await until("all is told", () => readings.items.length === 10)
  expect(changes.map(({ items }) => items.map(energyOf))).toEqual([
    ["6: 2", "6: 3", "6: 4"],
    ["7: 2", "7: 3", "7: 4"],
  ])
  expect(journal.asked).toEqual([[6, 7]])
})

test("after the cursor of either, both go on with what follows it", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const before = a.stream.cursor
  const [readings, changes] = [listen(a.stream), listen(a.stream, { interest: transactions() })]
  for (let energyWh = 1; energyWh <= 6; energyWh++)
    a.stream.publish(journal.commit(energy(7, energyWh), { subject: "cp7", transactionId: 7 }))
  await until("all is told", () => readings.items.length === 12 && changes.items.length === 6)
  const resumed = listen(a.stream, { after: before, interest: transactions({ transactionId: 7 }) })
  const fromReadings = listen(a.stream, { after: readings.items[5]!.cursor, interest: transactions() })
  const fromChanges = listen(a.stream, { after: changes.items[2]!.cursor })
  const others = listen(a.stream, { after: before, interest: transactions({ chargePointIds: ["cp8"] }) })
  await until("all have caught up", () =>
    [resumed, fromReadings, fromChanges, others].every(({ caughtUpAt }) => caughtUpAt !== undefined),
  )
  expect(resumed.items).toEqual(changes.items)
  expect(fromReadings.items).toEqual(changes.items.slice(3))
  expect(fromChanges.items).toEqual(readings.items.slice(5))
  expect(others.items).toEqual([])
})

test("a snapshot takes in the energy that was told after the books were read, and only that", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const readings = listen(a.stream)
  const books = { rows: [{ ...started, transactionId: 7, energyWh: 50 }], versions: new Map([["cp7", 1]]) }
  /** Events come between the reading of the books and what is done with it. */
  const presentTransactions = async () => {
    a.stream.publish(journal.commit(energy(7, 1), energy(7, 200)))
    await until("it is told", () => readings.items.length === 2)
    return books
  }
  const read = { ...journal.read, presentTransactions } as unknown as Reads
  const bus = { watchMessages: () => Promise.reject(new Error("nobody watches")) }
  const following = new Following({ stream: a.stream, bus, store: { read }, clock: systemClock })
  const viewer = { organisationId: "default" } as Viewer
  const story = tellAll(following.transactions(viewer, {}, { snapshot: true }))
  const [snapshot, end] = [await story.next(), await story.next()]
  a.stream.publish(journal.commit(energy(7, 300)))
  const change = await story.next()
  await story.return?.()
  expect([snapshot, end, change].map(({ value }) => [value.kind, value.transaction?.energyWh])).toEqual([
    ["Snapshot", 200],
    ["SnapshotEnd", undefined],
    ["Updated", 300],
  ])
})

test("while the database is away what is told waits, in its order, also for whoever comes meanwhile", async () => {
  const journal = journalWith(7, 8)
  await using a = await openNode(server.url, journal)
  const before = a.stream.cursor
  const readings = listen(a.stream)
  const first = listen(a.stream, { interest: transactions({ transactionId: 7 }) })
  journal.isAway = true
  a.stream.publish(journal.commit(energy(7, 1), energy(8, 2)))
  await until("the database was asked in vain", () => journal.asked.length > 0)
  a.stream.publish(journal.commit(energy(8, 3), energy(7, 4)))
  const second = listen(a.stream, { interest: transactions({ transactionId: 8 }) })
  expect(a.stream.cursor).toBe(before)
  journal.isAway = false
  await until("all is told", () => readings.items.length === 4)
  expect(first.items.map(energyOf)).toEqual(["7: 1", "7: 4"])
  expect(second.items.map(energyOf)).toEqual(["8: 2", "8: 3"])
  expect(new Set(readings.said()).size).toBe(4)
})

test("whoever catches up waits for a database that is away for a moment", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const after = a.stream.cursor
  const readings = listen(a.stream)
  a.stream.publish(journal.commit(energy(7, 1), energy(7, 2)))
  await until("it is told", () => readings.items.length === 2)
  journal.isAway = true
  const resumed = listen(a.stream, { after, interest: transactions() })
  await until("the database was asked in vain", () => journal.asked.length > 0)
  const impatient = new AbortController()
  const replay = a.stream.replay(transactions(), after, { signal: impatient.signal, caughtUp: () => undefined })
  const given = Array.fromAsync(replay)
  await until("it was asked in vain again", () => journal.asked.length > 2)
  impatient.abort()
  expect(await given).toEqual([])
  journal.isAway = false
  await until("the past is told", () => resumed.caughtUpAt !== undefined)
  expect(resumed.items.map(energyOf)).toEqual(["7: 1", "7: 2"])
})

test("a version is reached when the change of its transaction is told, also where it was brought from the journal", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal, { republishEveryMs: 3_600_000 })
  const changes = listen(a.stream, { interest: transactions() })
  a.stream.publish(journal.commit(energy(7, 1)))
  await until("the first is told", () => changes.items.length === 1)
  journal.commit(energy(7, 2), energy(7, 3)) // by a node that died
  await a.stream.reached(new Map([["cp7", 3]]), signal)
  await until("the rest is told", () => changes.items.length === 3)
  expect(changes.items.map(energyOf)).toEqual(["7: 1", "7: 2", "7: 3"])
})

test("a transaction that the database lacks is left out, and what comes after it is told", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const [readings, changes] = [listen(a.stream), listen(a.stream, { interest: transactions() })]
  a.stream.publish(journal.commit(energy(9, 1), energy(7, 2)))
  await until("the readings are told", () => readings.items.length === 2)
  expect(changes.items.map(energyOf)).toEqual(["7: 2"])
})

test("a new generation asks for its transactions anew", async () => {
  const journal = journalWith(7)
  await using a = await openNode(server.url, journal)
  const changes = listen(a.stream, { interest: transactions() })
  a.stream.publish(journal.commit(energy(7, 1)))
  await until("it is told", () => changes.items.length === 1)
  const { generation } = journal
  await behindTheBack(server.url, (client) => client.flushAll())
  await until("a new generation begins", () => journal.generation !== generation)
  await failureOf(changes.ended)
  const again = listen(a.stream, { interest: transactions() })
  a.stream.publish(journal.commit(energy(7, 2)))
  await until("it is told", () => again.items.some((item) => energyOf(item) === "7: 2"))
  expect(journal.asked.length).toBeGreaterThanOrEqual(2)
})
