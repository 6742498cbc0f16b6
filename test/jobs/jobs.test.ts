import { afterAll, beforeAll, expect, test } from "bun:test"
import * as v from "valibot"
import { type Jobs, JobsUnavailable, openJobs } from "../../src/jobs/jobs.ts"
import type { JobKind } from "../../src/jobs/kinds.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { failureOf, quietLog } from "../bus/support.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const payload = v.strictObject({ commandId: v.string() })
/** A kind, and so a queue, of a test's own. */
const newKind = (): JobKind<{ commandId: string }> => ({ name: `test-${crypto.randomUUID()}`, payload })

async function openNode(url = server.url): Promise<{ jobs: Jobs } & AsyncDisposable> {
  const redis = await openRedis({ url, dataDir: "", log: quietLog })
  const jobs = openJobs({ redis, log: quietLog })
  return {
    jobs,
    async [Symbol.asyncDispose]() {
      await jobs[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}

test("a job is done by whichever node works, once for its id", async () => {
  await using giver = await openNode()
  await using worker = await openNode()
  const kind = newKind()
  await giver.jobs.add(kind, { commandId: "a" }, { id: "a" })
  await giver.jobs.add(kind, { commandId: "a" }, { id: "a" })
  await giver.jobs.add(kind, { commandId: "b" })
  const done: string[] = []
  await worker.jobs.work(kind, async ({ commandId }) => {
    done.push(commandId)
  })
  await until("both are done", () => done.includes("b"))
  expect(done).toEqual(["a", "b"])
})

test("a job that fails, or carries something else, does not stop the worker", async () => {
  await using node = await openNode()
  const kind = newKind()
  const done: string[] = []
  await node.jobs.work(kind, async ({ commandId }) => {
    done.push(commandId)
    if (commandId === "bad") throw new Error("it fails")
  })
  await node.jobs.add({ ...kind, payload: v.any() }, { commandId: 7 })
  await node.jobs.add(kind, { commandId: "bad" })
  await node.jobs.add(kind, { commandId: "good" })
  await until("the good one is done", () => done.includes("good"))
  expect(done).toEqual(["bad", "good"])
})

test("closing waits for the job that is running", async () => {
  const node = await openNode()
  const kind = newKind()
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const story: string[] = []
  await node.jobs.work(kind, async () => {
    begun.resolve()
    await end.promise
    story.push("job ended")
  })
  await node.jobs.add(kind, { commandId: "a" })
  await begun.promise
  const closed = node[Symbol.asyncDispose]().then(() => story.push("closed"))
  end.resolve()
  await closed
  expect(story).toEqual(["job ended", "closed"])
})

test("what is to be done every so often is done again and again, by one node at a time", async () => {
  await using one = await openNode()
  await using other = await openNode()
  const kind = newKind()
  let running = 0
  let most = 0
  let runs = 0
  for (const { jobs } of [one, other]) {
    await jobs.work(kind, async () => {
      running++
      most = Math.max(most, running)
      await new Promise(setImmediate)
      running--
      runs++
    })
    await jobs.every(kind, { commandId: "sweep" }, 30)
  }
  await until("it ran often", () => runs >= 5)
  expect(most).toBe(1)
})

test("a job outlives a restart of Redis, and meanwhile none is taken that could be lost", async () => {
  await using own = await startRedis()
  await using node = await openNode(own.url)
  const kind = newKind()
  const done: string[] = []
  await node.jobs.work(kind, async ({ commandId }) => {
    done.push(commandId)
  })
  await node.jobs.add(kind, { commandId: "later" }, { delayMs: 300 })
  await own.kill()
  expect(await failureOf(node.jobs.add(kind, { commandId: "lost" }))).toBeInstanceOf(JobsUnavailable)
  await own.restart()
  await until("the next is taken", () =>
    node.jobs.add(kind, { commandId: "next" }).then(
      () => true,
      () => false,
    ),
  )
  await until("both are done", () => done.includes("next") && done.includes("later"))
  expect(done.filter((id) => id === "later")).toEqual(["later"])
  expect(done).not.toContain("lost")
})

test("of jobs that may run beside each other none waits for another, and closing waits for all", async () => {
  await using giver = await openNode()
  await using node = await openNode()
  const kind = newKind()
  const together = Promise.withResolvers<void>()
  let running = 0
  let done = 0
  const worker = await node.jobs.work(
    kind,
    async () => {
      if (++running === 5) together.resolve()
      await together.promise
      await Bun.sleep(1)
      done++
    },
    { atOnce: 5 },
  )
  for (let n = 0; n < 5; n++) await giver.jobs.add(kind, { commandId: String(n) })
  await together.promise
  await worker[Symbol.asyncDispose]()
  expect(done).toBe(5)
})

test("what runs every so often goes on after somebody emptied Redis", async () => {
  await using own = await startRedis()
  await using node = await openNode(own.url)
  const kind = newKind()
  let runs = 0
  await node.jobs.work(kind, async () => {
    runs++
  })
  await node.jobs.every(kind, { commandId: "a" }, 20)
  await until("it runs", () => runs > 1)
  const redis = await openRedis({ url: own.url, dataDir: "", log: quietLog })
  const client = await redis.connect("test")
  await client.flushAll()
  await redis[Symbol.asyncDispose]()
  const before = runs
  await until("it runs again", () => runs > before + 3)
}, 20_000)
