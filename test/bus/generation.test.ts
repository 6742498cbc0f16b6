/** A generation ends where Redis has lost a part of the story; the next one begins knowing what was told before it. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import { RESP_TYPES } from "redis"
import { createLog } from "../../src/log.ts"
import { CursorExpired } from "../../src/services/ports.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { beginning, behindTheBack, listen, MemoryJournal, openNode, story } from "./stream-support.ts"
import { failureOf } from "./support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const flush = () => behindTheBack(server.url, (client) => client.flushAll())
beforeEach(flush)

const NEVER_MS = 3_600_000
const signal = new AbortController().signal

/** Waits until Redis and the books tell the same generation, another one than before. */
const anew = (journal: MemoryJournal, before: string | undefined) =>
  until("a new generation begins", async () => {
    const { generation } = journal
    const told = await behindTheBack(server.url, (client) => client.get("busbar:events:3:generation"))
    return generation !== before && generation === told && generation
  })

/** Everything that the present generation tells so far and goes on to tell, once `count` events of it are there. */
async function toldAnew(node: Awaited<ReturnType<typeof openNode>>, count: number): Promise<string[]> {
  const told = listen(node.stream, { after: await beginning(server.url) })
  await until("the generation tells it", () => told.items.length >= count)
  told.stop()
  return told.said()
}

/** Publishes on a node and waits until it is told and marked. */
async function published(node: Awaited<ReturnType<typeof openNode>>, journal: MemoryJournal, ...subjects: string[]) {
  const entry = journal.commit(...subjects.map((subject) => ({ subject })))
  node.stream.publish(entry)
  await until("it is marked", () => journal.isPublished)
  return node.stream.cursor
}

test("a generation begins knowing what was told before, and tells what never was", async () => {
  const journal = new MemoryJournal()
  {
    await using first = await openNode(server.url, journal)
    for (let n = 0; n < 3; n++) await published(first, journal, "x")
  }
  journal.commit({ subject: "x" }, { subject: "y" }) // by a node that died before it could publish
  await flush()
  await using next = await openNode(server.url, journal)
  await next.stream.reached(new Map([["x", 4]]), signal)
  expect(await toldAnew(next, 2)).toEqual(["x/4", "y/1"])
})

test("who waits for another node to begin a generation says so", async () => {
  const lock = "busbar:events:3:generation:lock"
  await behindTheBack(server.url, (client) => client.set(lock, "another node's"))
  const lines: string[] = []
  const log = createLog("info", { write: (line) => void lines.push(line) })
  const opening = openNode(server.url, new MemoryJournal(), { log })
  await until("it says so", () => lines.length > 0)
  await behindTheBack(server.url, (client) => client.del(lock))
  await using node = await opening
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    "another node is beginning the stream of events: this one waits for it",
    "the stream of events begins",
  ])
  expect(node.stream.cursor).not.toBe("")
})

test("what was published in a lost generation and is not marked yet is told again in the next one", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { markEveryMs: NEVER_MS })
  const told = listen(a.stream)
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  const { generation } = journal
  await flush()
  await anew(journal, generation)
  expect(await failureOf(told.ended)).toBeInstanceOf(CursorExpired)
  expect(await toldAnew(a, 1)).toEqual(["x/1"])
})

test("what is published in a generation that is over counts only where the new one tells it", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await published(a, journal, "x")
  const { generation } = journal
  await flush()
  // No node has noticed yet.
  a.stream.publish(journal.commit({ subject: "x" }))
  await using b = await openNode(server.url, journal)
  await anew(journal, generation)
  b.stream.publish(journal.commit({ subject: "x" }))
  expect(await toldAnew(b, 2)).toEqual(["x/2", "x/3"])
  await until("it is marked", () => journal.isPublished)
})

test("two nodes that begin at once begin one generation", async () => {
  const journal = new MemoryJournal()
  journal.commit({ subject: "x" })
  const nodes = await Promise.all([openNode(server.url, journal), openNode(server.url, journal)])
  await using a = nodes[0]!
  await using b = nodes[1]!
  for (const node of [a, b]) node.stream.publish(journal.commit({ subject: "x" }))
  expect(await toldAnew(a, 3)).toEqual(story("x", 3))
  expect(await toldAnew(b, 3)).toEqual(story("x", 3))
})

test("a node that dies while it begins a generation leaves nothing untold", async () => {
  const journal = new MemoryJournal()
  {
    await using first = await openNode(server.url, journal)
    await published(first, journal, "x")
  }
  journal.commit({ subject: "x" })
  journal.settings.set("stream.generation", "unborn-generation-0 0-0")
  await using next = await openNode(server.url, journal)
  next.stream.publish(journal.commit({ subject: "x" }))
  expect(await toldAnew(next, 2)).toEqual(["x/2", "x/3"])
})

test("a node that is held up while it begins a generation leaves it to the one that was quicker", async () => {
  const held = Promise.withResolvers<void>()
  class HeldJournal extends MemoryJournal {
    holds = 1
    override async toldVersions(sinceId: number) {
      const told = await super.toldVersions(sinceId)
      if (this.holds-- > 0) await held.promise
      return told
    }
  }
  const journal = new HeldJournal()
  journal.commit({ subject: "x" })
  const opening = openNode(server.url, journal)
  await until("it has read what was told", () => journal.holds === 0)
  await flush() // its lock with it
  await using quick = await openNode(server.url, journal)
  await published(quick, journal, "x")
  const { generation } = journal
  held.resolve()
  await using slow = await opening
  expect(journal.generation).toBe(generation)
  slow.stream.publish(journal.commit({ subject: "x" }))
  expect(await toldAnew(slow, 3)).toEqual(story("x", 3))
})

/** Takes what Redis holds now; gives it back as a server that is started on an older file would. */
async function backup(): Promise<() => Promise<void>> {
  const kept = await behindTheBack(server.url, async (client) => {
    const dumps = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    const keys = await client.keys("busbar:*")
    return Promise.all(keys.map(async (key) => [key, await dumps.dump(key)] as const))
  })
  return () =>
    behindTheBack(server.url, async (client) => {
      await Promise.all([client.flushAll(), ...kept.map(([key, dump]) => client.restore(key, 0, dump))])
    })
}

test("all nodes restarted on a Redis that is behind begin a new generation", async () => {
  const journal = new MemoryJournal()
  let cursors: string[] = []
  {
    await using first = await openNode(server.url, journal)
    cursors = [await published(first, journal, "x")]
    const restore = await backup()
    cursors.push(await published(first, journal, "x", "y"))
    await first.stream[Symbol.asyncDispose]()
    await restore()
  }
  const { generation } = journal
  await using next = await openNode(server.url, journal)
  expect(journal.generation).not.toBe(generation)
  for (const after of cursors)
    expect(await failureOf(listen(next.stream, { after }).ended)).toBeInstanceOf(CursorExpired)
  await next.stream.reached(new Map([["x", 2]]), signal)
  next.stream.publish(journal.commit({ subject: "x" }))
  expect(await toldAnew(next, 1)).toEqual(["x/3"])
})

test("a store that came back from an older time than Redis begins a new generation", async () => {
  const journal = new MemoryJournal()
  const older = new MemoryJournal()
  {
    await using first = await openNode(server.url, journal)
    await published(first, journal, "x")
    for (const [key, value] of journal.settings) older.settings.set(key, value)
    older.commit({ subject: "x" })
    await published(first, journal, "x")
  }
  const { generation } = journal
  await using next = await openNode(server.url, older)
  await anew(older, generation)
  next.stream.publish(older.commit({ subject: "x" }))
  await next.stream.reached(new Map([["x", 2]]), signal)
  expect((await toldAnew(next, 1)).at(-1)).toBe("x/2")
})

test("a Redis that falls back under the nodes' hands is noticed by them", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await published(a, journal, "x")
  const restore = await backup()
  const cursor = await published(a, journal, "x", "y")
  const { generation } = journal
  await restore()
  a.stream.publish(journal.commit({ subject: "z" }))
  await anew(journal, generation)
  expect(await failureOf(listen(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
  expect(await toldAnew(a, 1)).toEqual(["z/1"])
})

test("what a node has told and Redis has lost is told anew, never twice to the same follower", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { markEveryMs: NEVER_MS })
  const told = listen(a.stream)
  const restore = await backup()
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  const { generation } = journal
  await restore()
  await anew(journal, generation)
  expect(await failureOf(told.ended)).toBeInstanceOf(CursorExpired)
  expect(await toldAnew(a, 1)).toEqual(["x/1"])
})

test.each(["stream", "order", "versions"])("a generation whose %s is gone is lost", async (part) => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const cursor = await published(a, journal, "x")
  const { generation } = journal
  await behindTheBack(server.url, (client) => client.del(`busbar:events:3:${generation}:${part}`))
  a.stream.publish(journal.commit({ subject: "x" }))
  await anew(journal, generation)
  expect(await failureOf(listen(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
  expect(await toldAnew(a, 1)).toEqual(["x/2"])
})

test("the beginning of a generation is a position like any other: first all comes after it, then it is cut off", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal, { maxEvents: 10 })
  const after = a.stream.cursor
  const told = listen(a.stream, { after })
  a.stream.publish(journal.commit({ subject: "x" }))
  await until("it is told", () => told.items.length === 1)
  expect(await toldAnew(a, 1)).toEqual(["x/1"])
  for (let n = 2; n <= 250; n++) {
    a.stream.publish(journal.commit({ subject: "x" }))
    await until("it is told", () => told.items.length === n)
  }
  expect(await failureOf(listen(a.stream, { after }).ended)).toBeInstanceOf(CursorExpired)
})

test("a position that no entry ever had has expired", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  await published(a, journal, "x")
  for (const entryId of ["99999999999999-0", "1-1", "0-0"]) {
    const after = Buffer.from(`${journal.generation} ${entryId} 0`).toString("base64url")
    expect(await failureOf(listen(a.stream, { after }).ended)).toBeInstanceOf(CursorExpired)
  }
})

test("what the journal lost before it could be published ends the generation, and nothing is stuck", async () => {
  const journal = new MemoryJournal()
  await using a = await openNode(server.url, journal)
  const cursor = await published(a, journal, "x")
  const { generation } = journal
  const [lost] = [journal.commit({ subject: "x" }), journal.commit({ subject: "x" })]
  journal.entries = journal.entries.filter((entry) => entry !== lost)
  a.stream.publish(journal.commit({ subject: "x" }))
  await anew(journal, generation)
  expect(await failureOf(listen(a.stream, { after: cursor }).ended)).toBeInstanceOf(CursorExpired)
  expect(await toldAnew(a, 2)).toEqual(["x/3", "x/4"])
})
