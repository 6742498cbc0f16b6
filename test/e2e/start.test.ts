/** A node as a program: what it says at its start, what it refuses, how it stops and comes back. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connectChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint, graphqlOver } from "../support/graphql.ts"
import { startServerProcess } from "../support/server-process.ts"

// Each test starts whole processes, some several.
setDefaultTimeout(30_000)

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "busbar-start-"))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs the program until it ends by itself. */
async function run(argv: string[], environment: Record<string, string>) {
  const main = join(import.meta.dir, "../../src/main.ts")
  const child = Bun.spawn([process.execPath, "--no-orphans", main, ...argv], {
    env: { PATH: process.env["PATH"] ?? "", DATA_DIR: folder, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [code, output, errors] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { code, output, errors }
}

describe("a node as a program", () => {
  test("the first start shows a token that opens the API; later ones do not, and what was stored is there", async () => {
    let token: string | undefined
    {
      await using server = await startServerProcess({ DATA_DIR: folder })
      token = server.firstToken
      if (token === undefined) throw new Error("no token was shown")
      const ask = graphqlOver(server.graphqlUrl, token)
      await createChargePoint(ask, { identity: "CP-1" })
      await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "CP-1" })
      expect(await chargePoint.boot()).toMatchObject({ status: "Accepted" })
      expect(await server.stop()).toBe(0)
      expect(await chargePoint.waitForClose()).toMatchObject({ code: 1001 })
    }
    await using server = await startServerProcess({ DATA_DIR: folder })
    expect(server.firstToken).toBeUndefined()
    const { chargePoint } = await graphqlOver(
      server.graphqlUrl,
      token,
    )<{ chargePoint: unknown }>('{ chargePoint(identity: "CP-1") { identity registrationStatus online } }')
    expect(chargePoint).toEqual({ identity: "CP-1", registrationStatus: "ACCEPTED", online: false })
  })

  test("a second node on the same folder is refused in plain words", async () => {
    await using _server = await startServerProcess({ DATA_DIR: folder })
    const { code, errors } = await run([], { OCPP_PORT: "0", HTTP_PORT: "0", LOG_LEVEL: "fatal" })
    expect(code).toBe(1)
    expect(errors).toContain("busbar: ")
    expect(errors).toContain(folder)
  })

  test("every problem of the configuration is told at once", async () => {
    const { code, errors } = await run([], { OCPP_PORT: "eighty", REDIS_URL: "nowhere" })
    expect(code).toBe(1)
    expect(errors).toContain("OCPP_PORT")
    expect(errors).toContain("REDIS_URL")
  })

  test("--help lists the settings and starts nothing", async () => {
    const { code, output } = await run(["--help"], {})
    expect(code).toBe(0)
    expect(output).toContain("OCPP_PORT")
  })

  test("--demo lets a fleet charge", async () => {
    await using server = await startServerProcess({ DATA_DIR: join(folder, "demo") }, ["--demo"])
    const ask = graphqlOver(server.graphqlUrl, server.firstToken ?? "")
    for (let online = 0; online === 0;) {
      const { fleet } = await ask<{ fleet: { online: number } }>("{ fleet { online } }")
      online = fleet.online
    }
    expect(await server.stop()).toBe(0)
  })
})
