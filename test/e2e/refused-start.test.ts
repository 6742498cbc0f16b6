/** A node that cannot start says why in words an operator can act on, and ends with code 1. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Ground, openGround } from "../support/cluster.ts"
import { freePort } from "../support/guarded-server.ts"
import { startTestNode } from "../support/node.ts"
import { startServerProcess } from "../support/server-process.ts"

setDefaultTimeout(60_000)

let folder: string
let ground: Ground
/** Begun first and looked at last: a start waits some seconds for servers that may still be starting. */
let unreachable: ReturnType<typeof startsWithoutServers>
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "busbar-refused-"))
  unreachable = startsWithoutServers()
  ground = await openGround()
})

afterAll(async () => {
  await ground[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const ownFolder = (): string => join(folder, String(++count))

/** What the program says when its start is refused; fails where it runs, or says more than that. */
async function lastWordsOf(environment: Record<string, string>, program = "src/main.ts"): Promise<string> {
  const child = Bun.spawn([process.execPath, "--no-orphans", join(import.meta.dir, "../..", program)], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOST: "127.0.0.1",
      OCPP_PORT: "0",
      HTTP_PORT: "0",
      LOG_LEVEL: "silent",
      ...environment,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [code, output, errors] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  expect({ code, output }).toEqual({ code: 1, output: "" })
  expect(errors.trim()).toMatch(/^busbar: /)
  expect(errors).not.toMatch(/\n\s+at /) // the story of the program is not the operator's
  return errors
}

/** What the same start says within this process. */
async function refusalOf(environment: Record<string, string>): Promise<string> {
  const started = await startTestNode({ LOG_LEVEL: "silent", ...environment }).catch((cause: Error) => cause.message)
  if (typeof started === "string") return started
  await started[Symbol.asyncDispose]()
  throw new Error("the node has started")
}

async function startsWithoutServers() {
  const port = await freePort()
  const [database, redis] = await Promise.all([
    refusalOf({ SECRET_KEY: "a key of this node", DATABASE_URL: `postgres://me:secret-word@127.0.0.1:${port}/b` }),
    refusalOf({ REDIS_URL: `redis://:secret-word@127.0.0.1:${port}` }),
  ])
  return { port, database, redis }
}

describe("a start is refused in plain words where", () => {
  test("a port is in use, and the token it would have shown is not used up", async () => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } })
    const DATA_DIR = ownFolder()
    const words = (name: string) => `${name} ${taken.port} on HOST 127.0.0.1 is in use by another program`
    expect(await lastWordsOf({ DATA_DIR, HTTP_PORT: String(taken.port) })).toContain(words("HTTP_PORT"))
    await using server = await startServerProcess({ DATA_DIR })
    expect(server.firstToken).toBeDefined()
    expect(await refusalOf({ OCPP_PORT: String(taken.port) })).toBe(words("OCPP_PORT"))
  })

  test("HOST is no address of this machine", async () => {
    expect(await refusalOf({ HOST: "192.0.2.1" })).toContain("HOST 192.0.2.1 cannot be opened")
  })

  test("PostgreSQL does not let us in", async () => {
    const unknown = new URL(ground.environment["DATABASE_URL"] ?? "")
    unknown.pathname = "/nowhere"
    const refusal = await refusalOf({ SECRET_KEY: "a key that all nodes share", DATABASE_URL: unknown.href })
    expect(refusal).toContain(`PostgreSQL at ${unknown.host}/nowhere (DATABASE_URL) cannot be used`)
    expect(refusal).toContain('database "nowhere" does not exist')
  })

  test("there is no redis-server, or a broken one", async () => {
    const bin = ownFolder()
    await mkdir(bin)
    expect(await lastWordsOf({ DATA_DIR: ownFolder(), PATH: bin })).toContain("apt-get install -y redis-server")
    await writeFile(join(bin, "redis-server"), "#!/bin/sh\nexit 3\n")
    await chmod(join(bin, "redis-server"), 0o755)
    expect(await lastWordsOf({ DATA_DIR: ownFolder(), PATH: `${bin}:${process.env["PATH"]}` })).toContain(
      "redis-server does not start",
    )
  })

  test("the data folder cannot be written", async () => {
    const file = ownFolder()
    await writeFile(file, "")
    const DATA_DIR = join(file, "data")
    expect(await refusalOf({ DATA_DIR })).toContain(`DATA_DIR ${DATA_DIR} cannot be written`)
  })

  test("another node runs on the data folder, by whatever name", async () => {
    const DATA_DIR = ownFolder()
    await using _first = await startServerProcess({ DATA_DIR })
    const other = ownFolder()
    await symlink(DATA_DIR, other)
    for (const name of [DATA_DIR, other]) {
      const refusal = await refusalOf({ DATA_DIR: name })
      expect(refusal).toContain("open in another process")
      expect(refusal).toContain("DATABASE_URL")
    }
    expect(await lastWordsOf({ DATA_DIR }, "workers/main.ts")).toContain("need the same DATABASE_URL and REDIS_URL")
  })

  test("SQLite nodes meet on one Redis", async () => {
    const { REDIS_URL = "" } = ground.environment
    await using _first = await startTestNode({ REDIS_URL })
    const refusal = await refusalOf({ REDIS_URL })
    expect(refusal).toContain("works on another database")
    expect(refusal).toContain("SQLite serves one node alone")
  })

  test("nodes on one PostgreSQL do not share their Redis", async () => {
    await using shared = await openGround()
    await using another = await openGround()
    const environment = { ...shared.environment, NODE_LEASE: "1" }
    await using first = await startTestNode(environment)
    const words = "another node works on this database with another Redis"
    expect(await refusalOf({ ...environment, REDIS_URL: another.environment["REDIS_URL"] ?? "" })).toContain(words)
    // One with a Redis of its own is alone all the same.
    expect(await refusalOf({ ...environment, REDIS_URL: "", DATA_DIR: ownFolder() })).toContain(words)
    // What was stopped is no stranger for long.
    await first[Symbol.asyncDispose]()
    await using _second = await startTestNode({ ...environment, REDIS_URL: another.environment["REDIS_URL"] ?? "" })
  })

  test("SECRET_KEY is not the one the passwords are kept with", async () => {
    await using shared = await openGround()
    await using _first = await startTestNode(shared.environment)
    expect(await refusalOf({ ...shared.environment, SECRET_KEY: "quite another secret key" })).toContain(
      "SECRET_KEY is not the key that the passwords in this database are kept with",
    )
  })

  test("the key beside an SQLite database is lost", async () => {
    const DATA_DIR = ownFolder()
    await (await startTestNode({ DATA_DIR }))[Symbol.asyncDispose]()
    await rm(join(DATA_DIR, "secret.key"))
    expect(await refusalOf({ DATA_DIR })).toContain(`${join(DATA_DIR, "secret.key")} is not the key`)
  })

  test("PostgreSQL and Redis cannot be reached", async () => {
    const { port, database, redis } = await unreachable
    expect(database).toContain(`PostgreSQL at 127.0.0.1:${port}/b (DATABASE_URL) cannot be used`)
    expect(redis).toContain(`Redis at redis://127.0.0.1:${port} cannot be used`)
    for (const refusal of [database, redis]) expect(refusal).not.toContain("secret-word")
  })
})
