import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chargePointSubject } from "../../src/facts/events.ts"
import { CursorExpired, Lagging } from "../../src/services/ports.ts"
import { openStore } from "../../src/store/index.ts"
import { chargePointRow } from "../support/charging.ts"
import { startProxy } from "../support/proxy.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { all, behindTheBack, listen, MemoryJournal, openNode, story } from "./stream-support.ts"
import { failureOf, quietLog, systemClock } from "./support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
beforeEach(() => behindTheBack(server.url, (client) => client.flushAll()))

test("what is published reaches the followers of every node, in order, each of its own organisation", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await using b = await openNode(server.url, journal)
  const here = listen(a.stream)
  const there = listen(b.stream)
  const others = listen(b.stream, { interest: all("other") })
  a.stream.publish(journal.commit({ subject: "x" }, { subject: "x" }, { subject: "y" }))
  a.stream.publish(journal.commit({ subject: "x" }, { subject: "z", organisationId: "other" }))
  await until("all is told", () => here.items.length === 4 && there.items.length === 4 && others.items.length === 1)
  expect(here.said()).toEqual(["x/1", "x/2", "y/1", "x/3"])
  expect(there.items).toEqual(here.items)
  expect(others.said()).toEqual(["z/1"])
  expect(new Set(here.items.map(({ cursor }) => cursor)).size).toBe(4)
})

test("published from two nodes in any order, a subject's story is complete, in order and told once", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await using b = await openNode(server.url, journal)
  const told = listen(a.stream)
  const entries = Array.from({ length: 40 }, () => journal.commit({ subject: "x" }, { subject: "y" }))
  for (const [index, entry] of entries.reverse().entries()) {
    const node = index % 2 === 0 ? a : b
    node.stream.publish(entry)
    if (index % 5 === 0) await new Promise(setImmediate)
  }
  await until("all is told", () => told.items.length >= 80)
  await until("all is marked as published", () => journal.isPublished)
  for (const subject of ["x", "y"])
    expect(told.said().filter((text) => text.startsWith(subject))).toEqual(story(subject, 40))
  expect(told.items.length).toBe(80)
})

test("a gap is filled from the journal before what follows it is told", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("the first is told", () => told.items.length === 1)
  for (let n = 0; n < 10; n++) journal.commit({ subject: "x" }) // by a node that died before it could publish
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("all is told", () => told.items.length === 12)
  expect(told.said()).toEqual(story("x", 12))
})

test("what a crash left unpublished is published by whoever starts next, and by whoever notices", async () => {
  const journal = new MemoryJournal()
  let before = ""
  {
    await using first = await openNode(server.url, journal)
    const told = listen(first.stream)
    first.stream.publish(journal.commit({ subject: "x" }))
    await until("the first is told", () => told.items.length === 1)
    before = first.stream.cursor
  }
  journal.commit({ subject: "x" }, { subject: "y" })
  await using watcher = await openNode(server.url, journal)
  const told = listen(watcher.stream, { after: before })
  await until("the rest is told", () => told.items.length === 2)
  expect(told.said()).toEqual(["x/2", "y/1"])
  await until("it is marked", () => journal.isPublished)

  await using patient = await openNode(server.url, journal, { republishEveryMs: 20 })
  const late = listen(patient.stream)
  const left = journal.commit({ subject: "y" })
  left.at -= 60_000 // committed a while ago by a node that is gone
  await until("somebody notices", () => late.items.length === 1)
  expect(late.said()).toEqual(["y/2"])
})

test("after a cursor the story goes on with the very next event, also within an entry, and on into the present", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const told = listen(a.stream)
  for (let n = 0; n < 300; n++) a.stream.publish(journal.commit({ subject: "x" }, { subject: "x" }))
  await until("all is told", () => told.items.length === 600)
  for (const index of [0, 1, 299, 598, 599]) {
    const resumed = listen(a.stream, { after: told.items[index]!.cursor })
    a.stream.publish(journal.commit({ subject: "x" }))
    await until("the present is reached", () => resumed.items.length >= told.items.length - index - 1)
    await until("both have heard the same", () => resumed.said().at(-1) === told.said().at(-1))
    expect(resumed.items).toEqual(told.items.slice(index + 1))
    resumed.stop()
    await resumed.ended
  }
})

test("an abort ends the iteration", async () => {
  await using a = await openNode(server.url, new MemoryJournal())
  const told = listen(a.stream)
  told.stop()
  await told.ended
  const stopped = AbortSignal.abort()
  for await (const _ of a.stream.live(all(), stopped)) throw new Error("unreachable")
  expect(told.items).toEqual([])
})

test("a cursor of another generation has expired, and so has a text that is none", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  const { cursor } = told.items[0]!
  const generation = journal.generation
  await behindTheBack(server.url, (client) => client.flushAll())
  await until("a new generation begins", () => journal.generation !== generation)
  expect(await failureOf(told.ended)).toBeInstanceOf(CursorExpired)
  expect(await failureOf(listen(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
  expect(await failureOf(listen(a.stream, { after: "nonsense" }).ended)).toBeInstanceOf(CursorExpired)
  const beyondRedis = Buffer.from(`${journal.generation} ${2n ** 64n}-0 0`).toString("base64url")
  expect(await failureOf(listen(a.stream, { after: beyondRedis }).ended)).toBeInstanceOf(CursorExpired)

  // In the new generation a subject's story goes on where it is, whoever is first to publish.
  const again = listen(a.stream)
  const entries = [journal.commit({ subject: "x" }), journal.commit({ subject: "x" })]
  for (const entry of entries.reverse()) a.stream.publish(entry)
  await until("the story goes on", () => again.said().includes("x/3"))
  expect(again.said().slice(-2)).toEqual(["x/2", "x/3"])
})

test("a position that the stream no longer keeps has expired", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { maxEvents: 10 })
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("the first is told", () => told.items.length === 1)
  const { cursor } = told.items[0]!
  for (let n = 0; n < 40; n++) {
    for (let m = 0; m < 10; m++) {
      a.stream.publish(journal.commit({ subject: "x" }))
      await Promise.resolve()
      await Promise.resolve()
    }
    await until("they are told", () => told.items.length === 1 + (n + 1) * 10)
  }
  expect(await failureOf(listen(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
})

test("the stream keeps so many events, however many come in one entry", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { maxEvents: 100 })
  const told = listen(a.stream)
  for (let n = 1; n <= 20; n++) {
    a.stream.publish(journal.commit(...Array.from({ length: 30 }, () => ({ subject: "x" }))))
    await until("they are told", () => told.items.length === n * 30)
  }
  const kept = await behindTheBack(server.url, (client) =>
    client.xRange(`busbar:events:3:${journal.generation}:stream`, "-", "+"),
  )
  expect((kept ?? []).map(({ message }) => JSON.parse(message["heads"] ?? "[]").length)).toEqual([30, 30, 30])
  const resumed = listen(a.stream, { after: told.items.at(-80)!.cursor })
  await until("the rest is told again", () => resumed.items.length === 79)
})

test("a follower too slow to read is let go; the others go on", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { maxWaiting: 5 })
  const quick = listen(a.stream)
  const signal = new AbortController().signal
  const slow = a.stream.live(all(), signal)[Symbol.asyncIterator]()
  for (let n = 0; n < 20; n++) {
    a.stream.publish(journal.commit({ subject: "x" }))
    await until("the quick one hears it", () => quick.items.length === n + 1)
  }
  expect(await failureOf(slow.next())).toBeInstanceOf(Lagging)
  expect(quick.said()).toEqual(story("x", 20))
})

test("what is committed while Redis is away is told on its return", async () => {
  await using own = await startRedis()
  const journal = new MemoryJournal()
  await using a = await openNode(own.url, journal)
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("the first is told", () => told.items.length === 1)
  await own.kill()
  for (let n = 0; n < 5; n++) a.stream.publish(journal.commit({ subject: "x" }))
  await own.restart()
  await until("the rest is told", () => told.items.length === 6)
  expect(told.said()).toEqual(story("x", 6))
})

test("the journal of the real store is told: first what lay there, then what is committed", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "busbar-stream-"))
  try {
    await using store = await openStore({ dataDir, log: quietLog, now: systemClock.now })
    const cp = chargePointRow({ createdAt: Date.now() - 1_000 })
    await store.change("createChargePoint", { chargePoint: cp })
    const change = (heartbeatIntervalS: number) =>
      store.change("updateChargePoint", {
        organisationId: cp.organisationId,
        chargePointId: cp.id,
        at: Date.now(),
        change: { heartbeatIntervalS },
      })
    const interest = { organisationId: cp.organisationId, type: "ChargePoint" } as const
    let before = ""
    {
      await using first = await openNode(server.url, store)
      await until("the first is published", async () => (await store.unpublished(10, Date.now() + 1)).length === 0)
      before = first.stream.cursor
    }
    await change(10)
    await using a = await openNode(server.url, store)
    store.onJournal((entry) => a.stream.publish(entry))
    const earlier = listen(a.stream, { interest, after: before })
    await until("what lay there is told", () => earlier.items.length === 1)
    const told = listen(a.stream, { interest })
    await change(20)
    await change(30)
    const subject = chargePointSubject(cp.id)
    await until("all is told", () => told.items.length === 2 && earlier.items.length === 3)
    expect(told.said()).toEqual([`${subject}/3`, `${subject}/4`])
    expect(earlier.said()).toEqual([`${subject}/2`, `${subject}/3`, `${subject}/4`])
    await until("all is marked", async () => (await store.unpublished(10, Date.now() + 1)).length === 0)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test("a burst makes nobody lag who reads on", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { maxWaiting: 50 })
  const told = listen(a.stream)
  for (let n = 0; n < 60; n++) {
    a.stream.publish(journal.commit(...Array.from({ length: 30 }, (_, i) => ({ subject: `x${n}-${i}` }))))
    if (n % 3 === 0) await Promise.resolve()
  }
  await until("all is told", () => told.items.length >= 1_800)
  expect(new Set(told.said()).size).toBe(1_800)
})

test("while Redis is silent publishing costs nobody anything, and what was told is told on its return, in order", async () => {
  const journal = new MemoryJournal()
  await using proxy = await startProxy(Number(new URL(server.url).port))
  await using a = await openNode(`redis://127.0.0.1:${proxy.port}`, journal)
  await using b = await openNode(server.url, journal)
  const [here, there] = [listen(a.stream), listen(b.stream)]
  proxy.pause()
  for (let n = 0; n < 12_000; n++) a.stream.publish(journal.commit({ subject: `x${n % 7}` }))
  proxy.resume()
  await until("all is told everywhere", () => here.items.length >= 12_000 && there.items.length >= 12_000)
  for (const { said } of [here, there])
    expect(said().filter((text) => text.startsWith("x3/"))).toEqual(story("x3", Math.ceil((12_000 - 3) / 7)))
  expect(here.items).toEqual(there.items)
})

test("while Redis is away for longer than the journal is kept, what is too old goes, and the rest is told on its return", async () => {
  await using own = await startRedis()
  const journal = new MemoryJournal()
  await using a = await openNode(own.url, journal, { journalRetentionMs: 60_000 })
  const before = a.stream.cursor
  await own.kill()
  const old = journal.commit({ subject: "x" })
  old.at -= 120_000
  a.stream.publish(old)
  await until("it is removed", () => journal.entries.length === 0)
  a.stream.publish(journal.commit({ subject: "x" }))
  const { generation } = journal
  await own.restart()
  await until("a new generation begins", () => journal.generation !== generation)
  await a.stream.reached(new Map([["x", 2]]), new AbortController().signal)
  await until("the rest is published", () => journal.isPublished)
  expect(await failureOf(listen(a.stream, { after: before }).ended)).toBeInstanceOf(CursorExpired)
})
