/** A command whose node dies after it was sent has an unknown outcome: it ends TIMED_OUT and is never sent again. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connectChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint } from "../support/graphql.ts"
import { follow, operatorAt } from "../support/operator.ts"
import { startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

const TOKEN = "the-token-of-every-test-node"

test("a command found SENT after kill -9 ends TIMED_OUT; its retry is the same command, and no second CALL", async () => {
  const folder = await mkdtemp(join(tmpdir(), "busbar-crash-"))
  const environment = { DATA_DIR: folder, ADMIN_TOKEN: TOKEN, LOG_LEVEL: "error" }
  const idempotencyKey = "once"
  let calls = 0
  let cursor = ""
  try {
    {
      await using server = await startServerProcess(environment)
      const operator = operatorAt(server.graphqlUrl, TOKEN)
      await createChargePoint(operator.ask, { identity: "CRASH" })
      const chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "CRASH" })
      await chargePoint.boot()
      await using sent = await follow<{ cursor: string }>(operator, "commandChanged { cursor }")
      const told = operator.clearCache("CRASH", { timeoutMs: 2_000, idempotencyKey }).catch(() => undefined)
      await chargePoint.waitForCall("ClearCache")
      await until("that it is sent is told", () => sent.items.length === 1)
      cursor = sent.items[0]?.cursor ?? ""
      await server.kill()
      await told
    }
    await using server = await startServerProcess(environment)
    const operator = operatorAt(server.graphqlUrl, TOKEN)
    await using changes = await follow<{ command: { state: string } }>(
      operator,
      `commandChanged(after: "${cursor}") { command { state } }`,
    )
    await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "CRASH" })
    chargePoint.onCall("ClearCache", () => {
      calls++
      return { status: "Accepted" }
    })
    await chargePoint.boot()
    await until("the sweep has ended it", async () => (await operator.commandStates("CRASH"))[0] === "TIMED_OUT")
    await until("that is told", () => changes.items.length > 0)
    expect(changes.items.map(({ command }) => command.state)).toEqual(["TIMED_OUT"])
    expect(await operator.clearCache("CRASH", { idempotencyKey })).toMatchObject({ __typename: "CallTimeout" })
    expect(calls).toBe(0)
    // The way is free for another one.
    expect(await operator.clearCache("CRASH")).toMatchObject({ status: "ACCEPTED" })
    expect(await operator.commandStates("CRASH")).toEqual(["ANSWERED", "TIMED_OUT"])
    expect(calls).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
