/** A stop is a plan: what is under way is finished, everybody is told, nothing is left behind, and it ends. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { openGround } from "../support/cluster.ts"
import { createChargePoint, createIdTag } from "../support/graphql.ts"
import { follow, type Operator, operatorAt } from "../support/operator.ts"
import { type ServerProcess, startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

const TOKEN = "the-token-of-every-test-node"

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "busbar-stop-"))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const ownFolder = (): string => join(folder, String(++count))

const operatorOf = (server: ServerProcess): Operator => operatorAt(server.graphqlUrl, TOKEN)

async function booted(server: ServerProcess, identity: string): Promise<ChargePoint> {
  const operator = operatorOf(server)
  await createChargePoint(operator.ask, { identity })
  const chargePoint = await connectChargePoint({ url: server.ocppUrl, identity })
  await chargePoint.boot()
  return chargePoint
}

/** The processes whose parent this is. */
function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean)
}

const isRunning = (pid: string): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

describe("SIGTERM", () => {
  test("with commands, a CALL and subscriptions under way: each comes to its end, within bounds", async () => {
    const environment = { DATA_DIR: ownFolder(), ADMIN_TOKEN: TOKEN, CALL_TIMEOUT: "600" }
    let transactionId: number
    {
      await using server = await startServerProcess(environment)
      const operator = operatorOf(server)
      const children = childrenOf(server.pid)
      expect(children).toHaveLength(1)
      await createIdTag(operator.ask, { idTag: "STOP" })
      await using commanded = await booted(server, "COMMANDED")
      await using charging = await booted(server, "CHARGING")
      await using mute = await booted(server, "MUTE")
      await using changes = await follow(operator, "chargePointChanged { kind }")
      const told = operator.clearCache("COMMANDED")
      const call = await commanded.waitForCall("ClearCache")
      const toldOfMute = operator.clearCache("MUTE")
      await mute.waitForCall("ClearCache")
      const started = charging.call("StartTransaction", {
        connectorId: 1,
        idTag: "STOP",
        meterStart: 0,
        timestamp: new Date(Date.UTC(2026, 1, 1)).toISOString(),
      })
      server.signal("SIGTERM")
      server.signal("SIGTERM") // of a group, and forwarded: one wish
      expect((await started).idTagInfo.status).toBe("Accepted")
      transactionId = (await started).transactionId
      expect(await charging.waitForClose()).toMatchObject({ code: 1001 })
      await changes.ended
      call.answer({ status: "Accepted" })
      expect(await told).toMatchObject({ __typename: "ClearCacheConfirmation", command: { state: "ANSWERED" } })
      expect(await commanded.waitForClose()).toMatchObject({ code: 1001 })
      // The one that never answers is waited for, but not for the ten minutes it may take.
      expect(await toldOfMute).toMatchObject({ __typename: "CallTimeout" })
      expect(await mute.waitForClose()).toMatchObject({ code: 1001 })
      expect(await server.exited).toBe(0)
      expect(children.filter(isRunning)).toEqual([])
    }
    await using again = await startServerProcess(environment)
    const operator = operatorOf(again)
    expect(await operator.commandStates("COMMANDED")).toEqual(["ANSWERED"])
    expect(await operator.commandStates("MUTE")).toEqual(["TIMED_OUT"])
    expect(await operator.transaction(transactionId)).toMatchObject({ state: "ACTIVE" })
    for (const identity of ["COMMANDED", "CHARGING", "MUTE"]) expect(await operator.isOnline(identity)).toBe(false)
  })

  test("while the Redis that nodes share is away", async () => {
    await using ground = await openGround()
    await using server = await startServerProcess({ ...ground.environment, LOG_LEVEL: "silent" })
    await using chargePoint = await booted(server, "ALONE")
    await ground.redis.kill()
    await until("the node says so", async () => !(await fetch(server.graphqlUrl.replace("/graphql", "/readyz"))).ok)
    const stopped = server.stop()
    expect(await chargePoint.waitForClose(15_000)).toMatchObject({ code: 1001 })
    expect(await stopped).toBe(0)
  })
})
