/** Nodes that share a database and not their Redis notice it; an emptied Redis is no reason for alarm. */
import { expect, test } from "bun:test"
import { createClient } from "redis"
import { AnotherRedis, type SameRedisOptions, watchForAnotherRedis } from "../../src/bus/same-redis.ts"
import { createLog } from "../../src/log.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { failureOf, quietLog } from "./support.ts"

/** The settings of a database, and how often one was written. */
function openBooks() {
  const settings = new Map<string, string>()
  const written = { count: 0 }
  const store: SameRedisOptions["store"] = {
    setting: async (key) => settings.get(key),
    putSetting: async (key, value) => {
      written.count++
      settings.set(key, value)
    },
  }
  return { settings, written, store }
}

async function startWatch(url: string, store: SameRedisOptions["store"], leaseMs = 300, log = quietLog) {
  const redis = await openRedis({ url, dataDir: "", log: quietLog })
  try {
    const watch = await watchForAnotherRedis({ redis, store, log, leaseMs })
    return {
      get hasStrangers() {
        return watch.hasStrangers
      },
      async [Symbol.asyncDispose]() {
        await watch[Symbol.asyncDispose]()
        await redis[Symbol.asyncDispose]()
      },
    }
  } catch (cause) {
    await redis[Symbol.asyncDispose]()
    throw cause
  }
}

test("a start on another Redis than that of the nodes at work is refused, and allowed when they are gone", async () => {
  await using one = await startRedis()
  await using other = await startRedis()
  const { store } = openBooks()
  const first = await startWatch(one.url, store)
  await using second = await startWatch(one.url, store)
  expect(await failureOf(startWatch(other.url, store))).toBeInstanceOf(AnotherRedis)
  await first[Symbol.asyncDispose]()
  expect(await failureOf(startWatch(other.url, store))).toBeInstanceOf(AnotherRedis)
  await second[Symbol.asyncDispose]()
  await using third = await startWatch(other.url, store)
  expect(third.hasStrangers).toBe(false)
})

test("a start that has to wait says once why it does", async () => {
  await using one = await startRedis()
  await using other = await startRedis()
  const { store } = openBooks()
  const before = await startWatch(one.url, store)
  await before[Symbol.asyncDispose]()
  const lines: string[] = []
  await using after = await startWatch(
    other.url,
    store,
    300,
    createLog("warn", { write: (line) => void lines.push(line) }),
  )
  expect(after.hasStrangers).toBe(false)
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([expect.stringContaining("the start waits 1 s")])
})

test("an emptied Redis is the same for all who use it: nobody is a stranger", async () => {
  await using server = await startRedis()
  const { store, settings, written } = openBooks()
  await using first = await startWatch(server.url, store)
  await using second = await startWatch(server.url, store)
  const [before] = [...settings.values()].map((beat) => beat.split(" ")[0])
  const client = await createClient({ url: server.url }).connect()
  await client.flushAll()
  client.destroy()
  await until("both beat under its new name", () => {
    expect(first.hasStrangers || second.hasStrangers).toBe(false)
    return [...settings.values()].every((beat) => beat.split(" ")[0] !== before)
  })
  const { count } = written
  await until("they go on", () => written.count > count + 3)
  expect(first.hasStrangers || second.hasStrangers).toBe(false)
})

test("who finds itself on another Redis than the others is told while that lasts", async () => {
  await using one = await startRedis()
  await using other = await startRedis()
  const { store, settings } = openBooks()
  // Its own books at first: as if both had started before either could see the other.
  const apart = openBooks()
  await using first = await startWatch(one.url, store)
  let isShared = false
  const second = await startWatch(other.url, {
    setting: (key) => (isShared ? store : apart.store).setting(key),
    putSetting: (key, value) => (isShared ? store : apart.store).putSetting(key, value),
  })
  isShared = true
  await until("one of them sees strangers", () => first.hasStrangers || second.hasStrangers)
  await second[Symbol.asyncDispose]()
  await until("the other is alone again", () => !first.hasStrangers && settings.size === 1)
})
