import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { CommandError, CommandRow } from "../../src/facts/rows.ts"
import { endOverdueCommands } from "../../src/services/overdue-commands.ts"
import type { CommandResult, Store } from "../../src/services/ports.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import {
  type Answer,
  connect,
  createChargePoint,
  openNodes as openNodesOn,
  place,
  viewer,
  wish,
} from "./command-rig.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const openNodes = (count: number, url = server.url) => openNodesOn(count, url)

const stored = async (store: Store, result: CommandResult): Promise<CommandRow> => {
  const id = "command" in result ? result.command?.id : undefined
  const [command] = await store.read.commandsByIds([id ?? ""])
  if (command === undefined) throw new Error(`no command in the books: ${JSON.stringify(result)}`)
  return command
}
const errorOf = ({ error }: CommandRow): CommandError => JSON.parse(error ?? "null")

const accepted: Answer = () => ({ status: "Accepted" })

for (const [place, count] of [
  ["on this node", 1],
  ["on another node", 2],
] as const) {
  describe(`a charge point ${place}`, () => {
    test("answers a command, and the books tell its life", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      let stateAtFrame: string | undefined
      const { id, received } = await connect(last, store, async () => {
        const { rows } = await store.read.commands("default", {}, { first: 1 })
        stateAtFrame = rows[0]?.row.state
        return { status: "Accepted" }
      })
      const result = await first.commands.send(viewer, wish(id))
      expect(result).toMatchObject({ kind: "Confirmed", confirmation: { status: "Accepted" } })
      expect(stateAtFrame).toBe("Sent")
      const command = await stored(store, result)
      expect(command).toMatchObject({
        action: "Reset",
        state: "Answered",
        requestedBy: "an operator",
        nodeId: last.bus.nodeId,
        confirmation: '{"status":"Accepted"}',
        error: null,
      })
      expect(command.sentAt).toBeGreaterThanOrEqual(command.requestedAt)
      expect(command.answeredAt).toBeGreaterThanOrEqual(command.sentAt ?? Number.NaN)
      expect(received).toHaveLength(1)
    })

    test("that answers with a CALLERROR has its own code and words reported", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id } = await connect(last, store, ({ uniqueId }) => [4, uniqueId, "NotSupported", "not here", {}])
      const result = await first.commands.send(viewer, wish(id))
      expect(result).toMatchObject({ kind: "CallError", code: "NotSupported", description: "not here" })
      const command = await stored(store, result)
      expect(command.state).toBe("Failed")
      expect(errorOf(command)).toMatchObject({ code: "CallError", callErrorCode: "NotSupported" })
    })

    test("whose CALLERROR repeats what was secret in the request is shown without that", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const words = "cannot resolve ftp://busbar:s3cret@files.example/upload/"
      const { id } = await connect(last, store, ({ uniqueId }) => [4, uniqueId, "GenericError", words, {}])
      const result = await first.commands.send(viewer, wish(id))
      expect(result).toMatchObject({ kind: "CallError", description: "cannot resolve ftp://***@files.example/upload/" })
      expect(JSON.stringify(await stored(store, result))).not.toContain("s3cret")
    })

    test("whose confirmation cannot be read is reported as such", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id } = await connect(last, store, () => ({ status: "Perhaps" }))
      const result = await first.commands.send(viewer, wish(id))
      expect(result.kind).toBe("CallError")
      expect(errorOf(await stored(store, result)).code).toBe("InvalidConfirmation")
    })

    test("that does not answer in time leaves a TimedOut command, and is not asked again", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id, received } = await connect(last, store, () => undefined)
      const result = await first.commands.send(viewer, wish(id, { timeoutMs: 60 }))
      expect(result.kind).toBe("Timeout")
      const command = await stored(store, result)
      expect(command.state).toBe("TimedOut")
      expect(errorOf(command).code).toBe("Timeout")
      expect(received).toHaveLength(1)
    })

    test("that disconnects before it answers leaves an unknown outcome", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id, line } = await connect(last, store, () => {
        line.close("Silent")
        return undefined
      })
      const result = await first.commands.send(viewer, wish(id))
      expect(result.kind).toBe("Timeout")
      expect(errorOf(await stored(store, result)).code).toBe("Disconnected")
    })

    test("whose line is gone by the time the order comes is Offline at once", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id, line, received } = await connect(last, store, accepted)
      last.lines.remove(line)
      const result = await first.commands.send(viewer, wish(id))
      expect(result.kind).toBe("Offline")
      expect(await stored(store, result)).toMatchObject({ state: "Failed", sentAt: null })
      expect(received).toHaveLength(0)
    })

    test("gets one CALL for one idempotencyKey, however often it is asked", async () => {
      await using nodes = await openNodes(count)
      const { store, first, last } = nodes
      const { id, received } = await connect(last, store, accepted)
      const key = crypto.randomUUID()
      const send = () => first.commands.send(viewer, wish(id, { idempotencyKey: key }))
      const [one, same] = await Promise.all([send(), send()])
      expect(same).toEqual(one)
      const later = await send()
      const elsewhere = await last.commands.send(viewer, wish(id, { idempotencyKey: key }))
      const command = await stored(store, one)
      expect(later).toEqual({ kind: "Repeated", command })
      expect(elsewhere).toEqual({ kind: "Repeated", command })
      expect(received).toHaveLength(1)
    })
  })
}

test("one idempotencyKey asked on two nodes at once is still one CALL", async () => {
  await using nodes = await openNodes(2)
  const { store, first, last } = nodes
  const { id, received } = await connect(last, store, accepted)
  const key = crypto.randomUUID()
  const results = await Promise.all(
    [first, last].map((node) => node.commands.send(viewer, wish(id, { idempotencyKey: key }))),
  )
  expect(results.map((result) => result.kind).sort()).toEqual(["Confirmed", "Repeated"])
  expect(received).toHaveLength(1)
})

test("nobody's charge point is Offline at once, and the command is in the books", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const { id } = await createChargePoint(store)
  const result = await first.commands.send(viewer, wish(id))
  expect(result.kind).toBe("Offline")
  const command = await stored(store, result)
  expect(command).toMatchObject({ state: "Failed", sentAt: null })
  expect(errorOf(command).code).toBe("Offline")
})

test("commands go one after the other; one whose turn comes too late is never sent", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const answer = Promise.withResolvers<unknown>()
  const { id, received } = await connect(first, store, () => answer.promise)
  const before = first.commands.send(viewer, wish(id))
  await until("the first is sent", () => received.length === 1)
  const late = await first.commands.send(viewer, wish(id, { timeoutMs: 30 }))
  expect(late.kind).toBe("Timeout")
  expect(await stored(store, late)).toMatchObject({ state: "Failed", sentAt: null })
  answer.resolve({ status: "Accepted" })
  expect((await before).kind).toBe("Confirmed")
  expect(received).toHaveLength(1)
})

test.each(["RemoteStartTransaction", "RemoteStopTransaction"])(
  "%s is not sent before the charge point was accepted. OCPP 1.6 §4.2",
  async (action) => {
    await using nodes = await openNodes(1)
    const { store, first } = nodes
    const request = action === "RemoteStartTransaction" ? { idTag: "A" } : { transactionId: 1 }
    for (const chargePoint of [
      await createChargePoint(store, "Pending"),
      await createChargePoint(store, "Accepted", false),
    ]) {
      const { received } = await connect(first, store, accepted, chargePoint.id)
      const result = await first.commands.send(viewer, wish(chargePoint.id, { action, request }))
      expect(result.kind).toBe("NotAllowedNow")
      expect(received).toHaveLength(0)
      expect(await first.commands.send(viewer, wish(chargePoint.id))).toMatchObject({ kind: "Confirmed" })
    }
  },
)

test("a rejected charge point is asked nothing", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const { id } = await createChargePoint(store, "Rejected")
  const { received } = await connect(first, store, accepted, id)
  expect((await first.commands.send(viewer, wish(id))).kind).toBe("NotAllowedNow")
  expect(received).toHaveLength(0)
})

test("another organisation's charge point is out of reach", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const { id, received } = await connect(first, store, accepted)
  const result = await first.commands.send({ ...viewer, organisationId: "other" }, wish(id))
  expect(result.kind).toBe("NotAllowedNow")
  expect(received).toHaveLength(0)
})

test("what a charge point says of its configuration is kept", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const { id } = await connect(first, store, ({ action }) =>
    action === "ChangeConfiguration"
      ? { status: "RebootRequired" }
      : {
          configurationKey: [
            { key: "HeartbeatInterval", readonly: false, value: "300" },
            { key: "AuthorizationKey", readonly: false, value: "0102030405" },
          ],
          unknownKey: ["Nonsense"],
        },
  )
  const asked = await first.commands.send(viewer, wish(id, { action: "GetConfiguration", request: {} }))
  expect(asked.kind).toBe("Confirmed")
  expect((await stored(store, asked)).confirmation).not.toContain("0102030405")
  const request = { key: "MeterValueSampleInterval", value: "60" }
  await first.commands.send(viewer, wish(id, { action: "ChangeConfiguration", request }))
  const keys = await store.read.configurationOf([id])
  expect(keys.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toMatchObject([
    { key: "AuthorizationKey", value: null, known: true },
    { key: "HeartbeatInterval", value: "300", known: true, readonly: false, rebootRequired: false },
    { key: "MeterValueSampleInterval", value: "60", known: true, rebootRequired: true },
    { key: "Nonsense", value: null, known: false },
  ])
})

test("a new password reaches the charge point as it is, and the books masked", async () => {
  await using nodes = await openNodes(1)
  const { store, first } = nodes
  const { id, received } = await connect(first, store, accepted)
  const request = { key: "AuthorizationKey", value: "A1B2C3D4" }
  const result = await first.commands.send(viewer, wish(id, { action: "ChangeConfiguration", request }))
  expect(received[0]).toContain("A1B2C3D4")
  expect(JSON.stringify([result, await stored(store, result)])).not.toContain("A1B2C3D4")
})

test("while Redis is away commands are soon Unavailable, also to a charge point on this very node", async () => {
  await using own = await startRedis()
  await using nodes = await openNodes(1, own.url)
  const { store, first } = nodes
  const { id, received } = await connect(first, store, accepted)
  await own.kill()
  // Only as long as it would certainly have heard of a newer owner does the node go on by itself.
  await until("the node is in doubt", async () => (await first.commands.send(viewer, wish(id))).kind === "Unavailable")
  const sent = received.length
  expect((await first.commands.send(viewer, wish(id))).kind).toBe("Unavailable")
  expect(received).toHaveLength(sent)
  await own.restart()
  await until("the way is back", async () => (await first.commands.send(viewer, wish(id))).kind === "Confirmed")
})

test("a node that dies over a command leaves it TimedOut, with an unknown outcome, never to be sent again", async () => {
  await using nodes = await openNodes(1)
  const { store } = nodes
  const chargePoint = await createChargePoint(store)
  const command: CommandRow = {
    ...place(chargePoint.id),
    id: crypto.randomUUID(),
    action: "Reset",
    request: "{}",
    state: "Sent",
    requestedBy: "an operator",
    requestedAt: 1_000,
    sentAt: 1_000,
    deadlineAt: 31_000,
    expiresAt: null,
    answeredAt: null,
    confirmation: null,
    error: null,
    idempotencyKey: null,
    requestDigest: null,
    nodeId: "gone",
  }
  await store.change("recordCommand", { command })
  expect(await endOverdueCommands({ store, clock: { now: () => 31_000 } })).toBe(0)
  expect(await endOverdueCommands({ store, clock: { now: () => 40_000 } })).toBe(1)
  expect(await endOverdueCommands({ store, clock: { now: () => 40_000 } })).toBe(0)
  const [ended] = await store.read.commandsByIds([command.id])
  expect(ended).toMatchObject({ state: "TimedOut", answeredAt: 40_000 })
  expect(errorOf(ended!).code).toBe("Lost")
})
