import { afterEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RedisInUse, RedisMissing, RedisTooOld, RedisUnreachable } from "../../src/redis/errors.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { failureOf, quietLog } from "../bus/support.ts"
import { until } from "../support/until.ts"

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(...below: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "busbar-redis-"))
  folders.push(folder)
  mkdirSync(join(folder, ...below), { recursive: true })
  return join(folder, ...below)
}

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test("without a URL a node runs a server of its own, and ends it with itself", async () => {
  const redis = await openRedis({ dataDir: newFolder(), log: quietLog })
  const client = await redis.connect("test")
  await client.set("a", "1")
  expect(await client.get("a")).toBe("1")
  expect(await client.configGet("appendonly")).toEqual({ appendonly: "yes" })
  expect(await client.configGet("maxmemory-policy")).toEqual({ "maxmemory-policy": "noeviction" })
  expect(await client.configGet("hz")).toEqual({ hz: "25" })
  const pid = redis.serverPid() ?? 0
  expect(isRunning(pid)).toBe(true)
  await redis[Symbol.asyncDispose]()
  expect(isRunning(pid)).toBe(false)
})

test("what was written is there again at the next start on the same folder", async () => {
  const dataDir = newFolder()
  {
    await using first = await openRedis({ dataDir, log: quietLog })
    await (await first.connect("test")).set("a", "kept")
  }
  await using second = await openRedis({ dataDir, log: quietLog })
  expect(await (await second.connect("test")).get("a")).toBe("kept")
})

test("a second node on the same folder is refused", async () => {
  const dataDir = newFolder()
  await using first = await openRedis({ dataDir, log: quietLog })
  expect(await failureOf(openRedis({ dataDir, log: quietLog }))).toBeInstanceOf(RedisInUse)
  expect(await (await first.connect("test")).ping()).toBe("PONG")
})

test("a server that dies is started again with its data, and clients find back", async () => {
  await using redis = await openRedis({ dataDir: newFolder(), log: quietLog })
  const client = await redis.connect("test")
  const failFast = await redis.connect("test-fast", { failFast: true })
  await client.set("a", "kept")
  const before = redis.serverPid() ?? 0
  process.kill(before, "SIGKILL")
  await until("the loss is noticed", () => !failFast.isReady)
  expect(await failureOf(failFast.get("a"))).toBeInstanceOf(Error)
  await until("both clients are back", () => client.isReady && failFast.isReady)
  expect(redis.serverPid()).not.toBe(before)
  expect(await client.get("a")).toBe("kept")
  expect(await failFast.get("a")).toBe("kept")
})

test("a folder whose name is too long for a socket is served all the same", async () => {
  const dataDir = newFolder("a".repeat(60), "b".repeat(60))
  await using redis = await openRedis({ dataDir, log: quietLog })
  expect(await (await redis.connect("test")).ping()).toBe("PONG")
  expect(await failureOf(openRedis({ dataDir, log: quietLog }))).toBeInstanceOf(RedisInUse)
})

test("without a server program the operator is told what to install", async () => {
  const path = process.env["PATH"]
  process.env["PATH"] = newFolder()
  try {
    const failure = await failureOf(openRedis({ dataDir: newFolder(), log: quietLog }))
    expect(failure).toBeInstanceOf(RedisMissing)
    expect(String(failure)).toContain("apt-get install -y redis-server")
  } finally {
    process.env["PATH"] = path
  }
})

test("a server older than 6.2 is refused", async () => {
  using server = fakeServer("6.0.16")
  const failure = await failureOf(openRedis({ url: server.url, dataDir: "", log: quietLog }))
  expect(failure).toBeInstanceOf(RedisTooOld)
  expect(String(failure)).toContain("6.0.16")
})

test("a server that cannot be reached is named without its password", async () => {
  using server = fakeServer("none")
  const url = server.url.replace("redis://", "redis://user:hidden@")
  const failure = await failureOf(openRedis({ url, dataDir: "", log: quietLog }))
  expect(failure).toBeInstanceOf(RedisUnreachable)
  expect(String(failure)).not.toContain("hidden")
})

/** Speaks just enough of Redis to be asked for its version; "none": refuses everybody. */
function fakeServer(version: string) {
  const info = `# Server\r\nredis_version:${version}\r\n`
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        for (const command of bytes
          .toString()
          .toUpperCase()
          .matchAll(/\*\d+\r\n\$\d+\r\n([A-Z]+)\r\n/g)) {
          if (version === "none") socket.write("-WRONGPASS invalid username-password pair\r\n")
          else if (command[1] === "INFO") socket.write(`$${info.length}\r\n${info}\r\n`)
          else if (command[1] === "HELLO") socket.write("%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n")
          else socket.write("+OK\r\n")
        }
      },
    },
  })
  return { url: `redis://127.0.0.1:${server.port}`, [Symbol.dispose]: () => server.stop(true) }
}
