import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createClient } from "redis"
import { openEventStream, type EventStreamOptions, type StreamStore } from "../../src/bus/stream.ts"
import { chargePointSubject, type Event, type JournalEntry } from "../../src/facts/events.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { CursorExpired, Lagging, type EventStream, type StreamEvent } from "../../src/services/ports.ts"
import { openStore } from "../../src/store/index.ts"
import { chargePointRow } from "../support/charging.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { failureOf, quietLog, systemClock } from "./support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const flush = async (url = server.url) => {
  const client = await createClient({ url }).connect()
  await client.flushAll()
  client.destroy()
}
beforeEach(() => flush())

/** The part of a database that the stream leans on, shared by the nodes of a test. */
class MemoryJournal implements StreamStore {
  readonly entries: (JournalEntry & { published: boolean })[] = []
  readonly settings = new Map<string, string>()

  /** Commits events: their versions follow those of their subjects. */
  commit(...bodies: { subject: string; organisationId?: string }[]): JournalEntry {
    const events: Event[] = []
    for (const { subject, organisationId = "default" } of bodies) {
      const told = [...this.entries.flatMap((entry) => entry.events), ...events]
      const version = told.filter((event) => event.subject === subject).length + 1
      events.push({
        type: "MeterValues",
        chargePointId: subject,
        connectorId: 1,
        transactionId: null,
        readings: [],
        organisationId,
        subject,
        version,
        at: Date.now(),
      })
    }
    const entry = { id: this.entries.length + 1, events, published: false }
    this.entries.push(entry)
    return entry
  }

  async journalOf(subject: string, from: number, to: number) {
    const all = this.entries.flatMap((entry) => entry.events).filter((event) => event.subject === subject)
    return all.filter(({ version }) => version >= from && version <= to)
  }

  async unpublished(limit: number, olderThan: number) {
    return this.entries.filter((entry) => !entry.published && (entry.events[0]?.at ?? 0) <= olderThan).slice(0, limit)
  }

  async markPublished(ids: readonly number[]) {
    for (const entry of this.entries) if (ids.includes(entry.id)) entry.published = true
  }

  async setting(key: string) {
    return this.settings.get(key)
  }

  async putSetting(key: string, value: string) {
    this.settings.set(key, value)
  }
}

async function openNode(store: StreamStore, options: Partial<EventStreamOptions> & { url?: string } = {}) {
  const redis = await openRedis({ url: options.url ?? server.url, dataDir: "", log: quietLog })
  const stream = await openEventStream({ redis, store, clock: systemClock, log: quietLog, ...options })
  return {
    stream,
    async [Symbol.asyncDispose]() {
      await stream[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}

/** Follows in the background; what came so far, and how it ended. */
function collect(
  stream: EventStream,
  { after, organisationId = "default" }: { after?: string; organisationId?: string } = {},
) {
  const stop = new AbortController()
  const items: StreamEvent[] = []
  const story = stream.follow(organisationId, () => true, {
    signal: stop.signal,
    ...(after === undefined ? {} : { after }),
  })
  const ended = (async () => {
    for await (const item of story) items.push(item)
  })()
  ended.catch(() => undefined)
  const said = () => items.map(({ event }) => `${event.subject}/${event.version}`)
  return { items, said, ended, stop: () => stop.abort() }
}

const story = (subject: string, count: number, from = 1) =>
  Array.from({ length: count }, (_, n) => `${subject}/${from + n}`)

test("what is published reaches the followers of every node, in order, each of its own organisation", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal)
  await using b = await openNode(journal)
  const here = collect(a.stream)
  const there = collect(b.stream)
  const others = collect(b.stream, { organisationId: "other" })
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
  await using a = await openNode(journal)
  await using b = await openNode(journal)
  const told = collect(a.stream)
  const entries = Array.from({ length: 40 }, () => journal.commit({ subject: "x" }, { subject: "y" }))
  for (const [index, entry] of entries.reverse().entries()) {
    const node = index % 2 === 0 ? a : b
    node.stream.publish(entry)
    if (index % 5 === 0) await new Promise(setImmediate)
  }
  await until("all is told", () => told.items.length >= 80)
  await until("all is marked as published", () => journal.entries.every((entry) => entry.published))
  for (const subject of ["x", "y"])
    expect(told.said().filter((text) => text.startsWith(subject))).toEqual(story(subject, 40))
  expect(told.items.length).toBe(80)
})

test("a gap is filled from the journal before what follows it is told", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal)
  const told = collect(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("the first is told", () => told.items.length === 1)
  for (let n = 0; n < 10; n++) journal.commit({ subject: "x" }) // by a node that died before it could publish
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("all is told", () => told.items.length === 12)
  expect(told.said()).toEqual(story("x", 12))
})

test("what a crash left unpublished is published by whoever starts next, and by whoever notices", async () => {
  const journal = new MemoryJournal()
  {
    await using first = await openNode(journal)
    const told = collect(first.stream)
    first.stream.publish(journal.commit({ subject: "x" }))
    await until("the first is told", () => told.items.length === 1)
  }
  journal.commit({ subject: "x" }, { subject: "y" })
  await using watcher = await openNode(journal)
  const told = collect(watcher.stream, { after: await cursorOfFirst() })
  await until("the rest is told", () => told.items.length === 2)
  expect(told.said()).toEqual(["x/2", "y/1"])
  expect(journal.entries.every((entry) => entry.published)).toBe(true)

  await using patient = await openNode(journal, { republishEveryMs: 20 })
  const late = collect(patient.stream)
  const left = journal.commit({ subject: "y" })
  for (const event of left.events) event.at -= 60_000 // committed a while ago by a node that is gone
  await until("somebody notices", () => late.items.length === 1)
  expect(late.said()).toEqual(["y/2"])
})

/** The cursor of the first entry that Redis holds. */
async function cursorOfFirst(): Promise<string> {
  const client = await createClient({ url: server.url }).connect()
  const generation = await client.get("busbar:events:generation")
  const [entry] = (await client.xRange(`busbar:events:${generation}:stream`, "-", "+", { COUNT: 1 })) ?? []
  client.destroy()
  return Buffer.from(`${generation} ${entry?.id} 0`).toString("base64url")
}

test("after a cursor the story goes on with the very next event, also within an entry, and on into the present", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal)
  const told = collect(a.stream)
  for (let n = 0; n < 300; n++) a.stream.publish(journal.commit({ subject: "x" }, { subject: "x" }))
  await until("all is told", () => told.items.length === 600)
  for (const index of [0, 1, 299, 598, 599]) {
    const resumed = collect(a.stream, { after: told.items[index]!.cursor })
    a.stream.publish(journal.commit({ subject: "x" }))
    await until("the present is reached", () => resumed.items.length >= told.items.length - index - 1)
    await until("both have heard the same", () => resumed.said().at(-1) === told.said().at(-1))
    expect(resumed.items).toEqual(told.items.slice(index + 1))
    resumed.stop()
    await resumed.ended
  }
})

test("an abort ends the iteration", async () => {
  await using a = await openNode(new MemoryJournal())
  const told = collect(a.stream)
  told.stop()
  await told.ended
  const stopped = AbortSignal.abort()
  for await (const _ of a.stream.follow("default", () => true, { signal: stopped })) throw new Error("unreachable")
  expect(told.items).toEqual([])
})

test("a cursor of another generation has expired, and so has a text that is none", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal)
  const told = collect(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  const { cursor } = told.items[0]!
  const generation = journal.settings.get("stream.generation")
  await flush()
  await until("a new generation begins", () => journal.settings.get("stream.generation") !== generation)
  expect(await failureOf(told.ended)).toBeInstanceOf(CursorExpired)
  expect(await failureOf(collect(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
  expect(await failureOf(collect(a.stream, { after: "nonsense" }).ended)).toBeInstanceOf(CursorExpired)

  // In the new generation a subject's story goes on where it is, whoever is first to publish.
  const again = collect(a.stream)
  const entries = [journal.commit({ subject: "x" }), journal.commit({ subject: "x" })]
  for (const entry of entries.reverse()) a.stream.publish(entry)
  await until("the story goes on", () => again.said().includes("x/3"))
  expect(again.said().slice(-2)).toEqual(["x/2", "x/3"])
})

test("a position that the stream no longer keeps has expired", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal, { maxEntries: 10 })
  const told = collect(a.stream)
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
  expect(await failureOf(collect(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
})

test("a follower too slow to read is let go; the others go on", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(journal, { maxWaiting: 5 })
  const quick = collect(a.stream)
  const signal = new AbortController().signal
  const slow = a.stream.follow("default", () => true, { signal })[Symbol.asyncIterator]()
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
  await using a = await openNode(journal, { url: own.url })
  const told = collect(a.stream)
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
    await change(10)
    await until("the journal may be read", async () => (await store.unpublished(10, Date.now())).length === 2)
    await using a = await openNode(store)
    store.onJournal((entry) => a.stream.publish(entry))
    const earlier = collect(a.stream, { after: await cursorOfFirst() })
    const told = collect(a.stream)
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
  await using a = await openNode(journal, { maxWaiting: 50 })
  const told = collect(a.stream)
  for (let n = 0; n < 60; n++) {
    a.stream.publish(journal.commit(...Array.from({ length: 30 }, (_, i) => ({ subject: `x${n}-${i}` }))))
    if (n % 3 === 0) await Promise.resolve()
  }
  await until("all is told", () => told.items.length >= 1_800)
  expect(new Set(told.said()).size).toBe(1_800)
})
