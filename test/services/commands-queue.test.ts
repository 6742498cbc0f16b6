import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Database } from "bun:sqlite"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { CommandRow } from "../../src/facts/rows.ts"
import type { CommandWish } from "../../src/services/commands.ts"
import type { CommandResult } from "../../src/services/ports.ts"
import { QueueDelivery } from "../../src/services/queue-delivery.ts"
import { expireCommands } from "../../src/services/queue-expiry.ts"
import { QueuePrompts } from "../../src/services/queue-prompts.ts"
import { CommandNotFound } from "../../src/services/refusals.ts"
import { workQueuedCommands } from "../../workers/commands.ts"
import { failureOf, quietLog, systemClock } from "../bus/support.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { type Answer, connect, createChargePoint, type Nodes, openNodes, place, viewer, wish } from "./command-rig.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const accepted: Answer = () => ({ status: "Accepted" })

const waiting = (chargePointId: string, change: Partial<CommandWish> = {}): CommandWish =>
  wish(chargePointId, { delivery: { whenOffline: "Queue" }, ...change })

/** Keys that can be told apart on the wire. */
const setting = (chargePointId: string, key: string, change: Partial<CommandWish> = {}): CommandWish =>
  waiting(chargePointId, { action: "ChangeConfiguration", request: { key, value: "1" }, ...change })

const keysOf = (received: readonly string[]): string[] => received.map((text) => JSON.parse(text)[3].key)

const commandOf = (result: CommandResult): CommandRow => {
  if (!("command" in result)) throw new Error(`no command: ${JSON.stringify(result)}`)
  return result.command
}

const rowOf = async ({ store }: Nodes, { id }: Pick<CommandRow, "id">): Promise<CommandRow> => {
  const [row] = await store.read.commandsByIds([id])
  if (row === undefined) throw new Error("it is gone from the books")
  return row
}

const statesOf = async ({ store }: Nodes, chargePointId: string): Promise<string[]> => {
  const { rows } = await store.read.commands("default", { chargePointIds: [chargePointId] }, { last: 200 })
  return rows.map(({ row }) => row.state).reverse()
}

/** What a worker does of it, without its jobs. */
const deliveryOf = (nodes: Nodes, node = nodes.first) =>
  new QueueDelivery({ store: nodes.store, bus: node.bus, clock: systemClock })

for (const [where, count] of [
  ["on this node", 1],
  ["on another node", 2],
] as const) {
  describe(`a charge point ${where}`, () => {
    test("is sent what waited for it, oldest first, one after the other, with the time to answer from then on", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id } = await createChargePoint(store)
      const results: CommandResult[] = []
      for (const key of ["a", "b", "c"]) results.push(await first.commands.send(viewer, setting(id, key)))
      expect(results.map(({ kind }) => kind)).toEqual(["Queued", "Queued", "Queued"])
      let open = 0
      const { received } = await connect(
        last,
        store,
        async () => {
          expect(++open).toBe(1)
          await Bun.sleep(0)
          open--
          return { status: "Accepted" }
        },
        id,
      )
      await deliveryOf(nodes).workOff(id)
      expect(keysOf(received)).toEqual(["a", "b", "c"])
      for (const result of results) {
        const row = await rowOf(nodes, commandOf(result))
        expect(row).toMatchObject({ state: "Answered", nodeId: last.bus.nodeId })
        expect(row.deadlineAt).toBe((row.sentAt ?? Number.NaN) + 5_000)
      }
    })

    test("that is there answers a QUEUE command at once, if nothing waits before it", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id, received } = await connect(last, store, accepted)
      const result = await first.commands.send(viewer, waiting(id))
      expect(result).toMatchObject({ kind: "Confirmed", confirmation: { status: "Accepted" } })
      expect(received).toHaveLength(1)
    })

    test("whose line is gone by the time the order comes leaves the command waiting", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id, line } = await connect(last, store, accepted)
      last.lines.remove(line)
      expect(await first.commands.send(viewer, waiting(id))).toMatchObject({ kind: "Queued" })
      expect(await statesOf(nodes, id)).toEqual(["Queued"])
    })

    test("whose line ends just before the frame leaves gets it on its next one, once", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id, line, received } = await connect(last, store, accepted)
      const call = line.call
      Object.assign(line, {
        call: ((action, request, options) =>
          call(action, request, {
            ...options,
            // After the books say Sent, before the frame.
            beforeSend: async (uniqueId) => {
              await options.beforeSend?.(uniqueId)
              line.close("Silent")
            },
          })) satisfies typeof call,
      })
      expect(await first.commands.send(viewer, setting(id, "a"))).toMatchObject({ kind: "Queued" })
      expect(received).toBeEmpty()
      expect(await statesOf(nodes, id)).toEqual(["Queued"])
      last.lines.remove(line)
      const again = await connect(last, store, accepted, id)
      await deliveryOf(nodes).workOff(id)
      expect(keysOf(again.received)).toEqual(["a"])
      expect(await statesOf(nodes, id)).toEqual(["Answered"])
    })

    test("that refuses one, or never answers it, is sent the next", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id } = await createChargePoint(store)
      for (const key of ["refused", "unanswered", "good"]) {
        await first.commands.send(viewer, setting(id, key, { timeoutMs: 100 }))
      }
      const { received } = await connect(
        last,
        store,
        ({ uniqueId, request }) => {
          if (request["key"] === "refused") return [4, uniqueId, "NotSupported", "no", {}]
          return request["key"] === "unanswered" ? undefined : { status: "Accepted" }
        },
        id,
      )
      await deliveryOf(nodes).workOff(id)
      expect(keysOf(received)).toEqual(["refused", "unanswered", "good"])
      expect(await statesOf(nodes, id)).toEqual(["Failed", "TimedOut", "Answered"])
    })

    test("that goes away in the middle keeps the rest waiting", async () => {
      await using nodes = await openNodes(count, server.url)
      const { store, first, last } = nodes
      const { id } = await createChargePoint(store)
      for (const key of ["a", "b", "c"]) await first.commands.send(viewer, setting(id, key))
      const here = await connect(
        last,
        store,
        ({ request }) => {
          if (request["key"] === "b") {
            here.line.close("Silent")
            last.lines.remove(here.line)
          }
          return { status: "Accepted" }
        },
        id,
      )
      await deliveryOf(nodes).workOff(id)
      expect(await statesOf(nodes, id)).toEqual(["Answered", "TimedOut", "Queued"])
    })
  })
}

test("two workers on two nodes neither double nor reorder, whatever they looked up", async () => {
  await using nodes = await openNodes(2, server.url)
  const { store, first, last } = nodes
  const { id } = await createChargePoint(store)
  const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
  for (const key of keys) await first.commands.send(viewer, setting(id, key))
  const stale = (await store.read.nextQueuedCommand(id))!
  const { received } = await connect(last, store, accepted, id)
  await Promise.all([deliveryOf(nodes, first).workOff(id), deliveryOf(nodes, last).workOff(id)])
  await until("the last is answered", async () => (await statesOf(nodes, id)).at(-1) === "Answered")
  // One that stood still since its look-up goes on where it stood.
  expect(await deliveryOf(nodes, first).order(stale.command, stale.sealed, true)).toMatchObject({
    kind: "Repeated",
    command: { state: "Answered" },
  })
  expect(keysOf(received)).toEqual(keys)
})

test("a node that dies over a command holds up the next ones only until its charge point is held elsewhere", async () => {
  await using nodes = await openNodes(2, server.url)
  const { store, first, last } = nodes
  const { id } = await createChargePoint(store)
  for (const key of ["a", "b"]) await first.commands.send(viewer, setting(id, key, { timeoutMs: 60_000 }))
  const there = await connect(last, store, () => undefined, id)
  const delivery = deliveryOf(nodes)
  const delivered = delivery.workOff(id)
  await until("the first is sent", () => there.received.length === 1)
  await last.crash()
  const here = await connect(first, store, accepted, id)
  await delivery.workOff(id)
  await delivered
  expect(keysOf(here.received)).toEqual(["b"])
  expect(await statesOf(nodes, id)).toEqual(["Sent", "Answered"])
})

test("a command that waits behind others is not waited for, and is sent after them", async () => {
  await using nodes = await openNodes(1, server.url)
  const { store, first } = nodes
  const { id } = await createChargePoint(store)
  await first.commands.send(viewer, setting(id, "a"))
  const { received } = await connect(first, store, accepted, id)
  expect(await first.commands.send(viewer, setting(id, "b"))).toMatchObject({ kind: "Queued" })
  expect(received).toBeEmpty()
  await deliveryOf(nodes).workOff(id)
  expect(keysOf(received)).toEqual(["a", "b"])
})

test("what may not be asked before acceptance waits for it, and everything that waits does. OCPP 1.6 §4.2", async () => {
  await using nodes = await openNodes(1, server.url)
  const { store, first } = nodes
  const { id } = await createChargePoint(store, "Pending")
  const { received } = await connect(first, store, accepted, id)
  const remote = { action: "RemoteStartTransaction", request: { idTag: "A" } }
  expect(await first.commands.send(viewer, waiting(id, remote))).toMatchObject({ kind: "Queued" })
  await deliveryOf(nodes).workOff(id)
  expect(received).toBeEmpty()
  const { epoch } = (await store.read.chargePointsByIds([id]))[0]!
  await store.change("updateChargePoint", { ...place(id), at: Date.now(), change: { registrationStatus: "Accepted" } })
  const request = { chargePointVendor: "V", chargePointModel: "M" }
  await store.change("reportBoot", { ...place(id), epoch, receivedAt: Date.now(), request })
  await deliveryOf(nodes).workOff(id)
  expect(received).toHaveLength(1)
})

test("a rejected charge point has no queue: that is the operator's own word, not an absence", async () => {
  await using nodes = await openNodes(1, server.url)
  const { id } = await createChargePoint(nodes.store, "Rejected")
  expect(await nodes.first.commands.send(viewer, waiting(id))).toMatchObject({ kind: "NotAllowedNow" })
  expect(await statesOf(nodes, id)).toEqual([])
})

test("more than fits is refused", async () => {
  await using nodes = await openNodes(1, server.url)
  const { store, first } = nodes
  const { id } = await createChargePoint(store)
  const results = await Promise.all(Array.from({ length: 101 }, () => first.commands.send(viewer, waiting(id))))
  expect(results.filter(({ kind }) => kind === "Queued")).toHaveLength(100)
  expect(results.filter(({ kind }) => kind === "NotAllowedNow")).toHaveLength(1)
})

describe("an expiry", () => {
  const DAY_MS = 86_400_000

  test.each<[string, CommandWish["delivery"], RegExp]>([
    ["in the past", { whenOffline: "Queue", expiresAt: Date.now() - 1 }, /future/],
    ["more than 30 days ahead", { whenOffline: "Queue", expiresAt: Date.now() + 31 * DAY_MS }, /30 days/],
    ["for what is not queued", { whenOffline: "Fail", expiresAt: Date.now() + DAY_MS }, /QUEUE/],
  ])("%s is refused", async (_what, delivery, reason) => {
    await using nodes = await openNodes(1, server.url)
    const { id } = await createChargePoint(nodes.store)
    const result = await nodes.first.commands.send(viewer, wish(id, { delivery }))
    expect(result).toEqual({ kind: "InvalidInput", path: "delivery.expiresAt", reason: expect.stringMatching(reason) })
    expect(await statesOf(nodes, id)).toEqual([])
  })

  test("that nobody names is the node's default", async () => {
    await using nodes = await openNodes(1, server.url)
    const { id } = await createChargePoint(nodes.store)
    const { expiresAt, requestedAt } = commandOf(await nodes.first.commands.send(viewer, waiting(id)))
    expect(expiresAt).toBe(requestedAt + 60_000)
  })

  test("ends what waits, and it is never sent", async () => {
    await using nodes = await openNodes(1, server.url)
    const { store, first } = nodes
    const { id } = await createChargePoint(store)
    // As soon as a busy machine can have taken it in.
    const expiresAt = Date.now() + 500
    const command = commandOf(
      await first.commands.send(viewer, waiting(id, { delivery: { whenOffline: "Queue", expiresAt } })),
    )
    await first.commands.send(viewer, setting(id, "later"))
    await until("its time is over", () => Date.now() >= expiresAt)
    // Nobody has ended it, and its turn comes.
    const { received } = await connect(first, store, accepted, id)
    await deliveryOf(nodes).workOff(id)
    expect(keysOf(received)).toEqual(["later"])
    expect(await rowOf(nodes, command)).toMatchObject({ state: "Expired", sentAt: null })
  })

  test("that nobody saw pass is found by the sweep", async () => {
    await using nodes = await openNodes(1, server.url)
    const { store, first } = nodes
    const { id } = await createChargePoint(store)
    const command = commandOf(await first.commands.send(viewer, waiting(id)))
    const now = { ms: command.expiresAt! - 1 }
    const options = { store, clock: { now: () => now.ms } }
    expect(await expireCommands(options)).toBe(0)
    now.ms++
    expect(await expireCommands(options)).toBe(1)
    expect(await expireCommands(options)).toBe(0)
    expect(await rowOf(nodes, command)).toMatchObject({ state: "Expired", answeredAt: command.expiresAt })
  })
})

describe("a command that is taken back", () => {
  test("is never sent", async () => {
    await using nodes = await openNodes(1, server.url)
    const { store, first } = nodes
    const { id } = await createChargePoint(store)
    const taken = commandOf(await first.commands.send(viewer, setting(id, "a")))
    await first.commands.send(viewer, setting(id, "b"))
    expect(await first.commands.cancel(viewer, taken.id)).toMatchObject({
      moved: true,
      command: { state: "Cancelled" },
    })
    const { received } = await connect(first, store, accepted, id)
    await deliveryOf(nodes).workOff(id)
    expect(keysOf(received)).toEqual(["b"])
  })

  test("is that of the asker's organisation, or none", async () => {
    await using nodes = await openNodes(1, server.url)
    const { id } = await createChargePoint(nodes.store)
    const { id: commandId } = commandOf(await nodes.first.commands.send(viewer, waiting(id)))
    const { cancel } = nodes.first.commands
    const call = (organisationId: string, which: string) => cancel.call(nodes.first.commands, { organisationId }, which)
    expect(await failureOf(call("other", commandId))).toBeInstanceOf(CommandNotFound)
    expect(await failureOf(call("default", "nothing"))).toBeInstanceOf(CommandNotFound)
  })

  test("was not sent, and one that was sent is not taken back: in any race exactly one of both", async () => {
    await using nodes = await openNodes(2, server.url)
    const { store, first, last } = nodes
    const outcomes: string[] = []
    // The one that wins makes way for the other in the next round: so the two meet again and again.
    // How many turns the other needs depends on the machine: at least until each of them has won.
    const wins = () => new Set(outcomes).size
    for (let turns = 0; outcomes.length < 80 || wins() < 2; turns += outcomes.at(-1) === "Cancelled" ? 1 : -1) {
      const { id } = await createChargePoint(store)
      const command = commandOf(await first.commands.send(viewer, waiting(id)))
      const { received } = await connect(last, store, accepted, id)
      const delivered = deliveryOf(nodes).workOff(id)
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      const { moved } = await first.commands.cancel(viewer, command.id)
      await delivered
      const { state } = await rowOf(nodes, command)
      expect({ moved, frames: received.length, state }).toEqual(
        moved ? { moved, frames: 0, state: "Cancelled" } : { moved, frames: 1, state: "Answered" },
      )
      outcomes.push(state)
    }
  })
})

describe("an idempotencyKey", () => {
  test("gives the waiting command again", async () => {
    await using nodes = await openNodes(2, server.url)
    const { store, first, last } = nodes
    const { id } = await createChargePoint(store)
    const send = ({ commands }: Nodes["first"]) => commands.send(viewer, waiting(id, { idempotencyKey: "again" }))
    const results = await Promise.all([send(first), send(first), send(last)])
    expect(new Set(results.map((result) => commandOf(result).id)).size).toBe(1)
    expect(await send(first)).toMatchObject({ kind: "Repeated", command: { state: "Queued" } })
    expect(await statesOf(nodes, id)).toEqual(["Queued"])
  })

  test("still does when the expiry that it names has passed", async () => {
    await using nodes = await openNodes(1, server.url)
    const { id } = await createChargePoint(nodes.store)
    const expiresAt = Date.now() + 20
    const delivery = { whenOffline: "Queue", expiresAt } as const
    const send = () => nodes.first.commands.send(viewer, waiting(id, { idempotencyKey: "late", delivery }))
    await send()
    await until("its time is over", () => Date.now() >= expiresAt)
    expect(await send()).toMatchObject({ kind: "Repeated" })
  })

  test("must not silently mean another wish, not even another secret", async () => {
    await using nodes = await openNodes(1, server.url)
    const { store, first } = nodes
    const { id } = await createChargePoint(store)
    const { id: another } = await createChargePoint(store)
    const password = (value: string, to = id) =>
      waiting(to, {
        action: "ChangeConfiguration",
        request: { key: "AuthorizationKey", value },
        idempotencyKey: "one wish",
      })
    const [one, atOnce] = await Promise.all([
      first.commands.send(viewer, password("A1A1A1A1A1A1A1A1")),
      first.commands.send(viewer, password("B2B2B2B2B2B2B2B2")),
    ])
    expect(one).toMatchObject({ kind: "Queued" })
    const refused = { kind: "InvalidInput", path: "idempotencyKey" }
    expect(atOnce).toMatchObject(refused)
    expect(await first.commands.send(viewer, password("A1A1A1A1A1A1A1A1"))).toMatchObject({ kind: "Repeated" })
    expect(await first.commands.send(viewer, password("B2B2B2B2B2B2B2B2"))).toMatchObject(refused)
    expect(await first.commands.send(viewer, password("A1A1A1A1A1A1A1A1", another))).toMatchObject(refused)
    const reset = waiting(id, { idempotencyKey: "one wish" })
    expect(await first.commands.send(viewer, reset)).toMatchObject(refused)
  })
})

test("what waits is sent as it was asked for, and lies nowhere in clear meanwhile", async () => {
  await using nodes = await openNodes(2, server.url)
  const { store, first, last, dataDir } = nodes
  const { id } = await createChargePoint(store)
  const secret = "5ECRE75ECRE75ECRE75ECRE7"
  const told: string[] = []
  store.onJournal(({ events }) => told.push(JSON.stringify(events)))
  const request = { key: "AuthorizationKey", value: secret }
  const command = commandOf(await first.commands.send(viewer, waiting(id, { action: "ChangeConfiguration", request })))
  const { sealed } = (await store.read.nextQueuedCommand(id))!
  expect(sealed.length).toBeGreaterThan(20)
  const onDisk = () =>
    readdirSync(dataDir)
      .map((name) => readFileSync(join(dataDir, name)).toString("latin1"))
      .join()
  expect(onDisk()).toContain(command.id)
  expect(onDisk() + told.join() + sealed + JSON.stringify(command)).not.toContain(secret)
  const { received } = await connect(last, store, accepted, id)
  await deliveryOf(nodes).workOff(id)
  expect(received[0]).toContain(secret)
  expect(onDisk() + told.join()).not.toContain(secret)
  using db = new Database(join(dataDir, "busbar.sqlite"), { readonly: true })
  expect(db.query("SELECT * FROM sealed_requests").all()).toBeEmpty()
})

test("what was sealed for another command, or with another key, ends the command as Failed", async () => {
  await using nodes = await openNodes(1, server.url)
  const { store, first } = nodes
  const { id } = await createChargePoint(store)
  await first.commands.send(viewer, setting(id, "a"))
  const other = (await store.read.nextQueuedCommand(id))!
  const { id: another } = await createChargePoint(store)
  const command = commandOf(await first.commands.send(viewer, setting(another, "b")))
  const { received } = await connect(first, store, accepted, another)
  await deliveryOf(nodes).order(command, other.sealed, true)
  expect(received).toBeEmpty()
  expect(await rowOf(nodes, command)).toMatchObject({ state: "Failed", error: expect.stringContaining("Unavailable") })
})

describe("the worker", () => {
  const work = ({ store }: Nodes, { jobs, queueJobs, bus }: Nodes["first"], everyMs = 3_600_000) =>
    workQueuedCommands({ jobs, queueJobs, store, bus, clock: systemClock, log: quietLog, everyMs })

  test("is told of a charge point that comes, and only where something waits for it", async () => {
    await using own = await startRedis()
    await using nodes = await openNodes(2, own.url)
    const { store, first, last } = nodes
    const prompted: string[][] = []
    const jobs = { prompt: async (ids: readonly string[]) => void prompted.push([...ids]) }
    await using prompts = new QueuePrompts({ store, jobs, log: quietLog })
    store.onJournal((entry) => prompts.note(entry))
    const { id } = await createChargePoint(store)
    const { id: pending } = await createChargePoint(store, "Pending")
    for (const to of [id, pending]) await first.commands.send(viewer, setting(to, "a"))
    for (let n = 0; n < 5; n++) await connect(last, store, accepted)
    for (const to of [id, pending]) await connect(last, store, accepted, to)
    await until("it is told", () => prompted.length > 0)
    expect(prompted).toEqual([[id]])
  })

  test("sends when it is prompted, and expires on time", async () => {
    await using own = await startRedis()
    await using nodes = await openNodes(2, own.url)
    const { store, first, last } = nodes
    await using _worker = await work(nodes, first)
    const { id } = await createChargePoint(store)
    const { id: absent } = await createChargePoint(store)
    const delivery = { whenOffline: "Queue", expiresAt: Date.now() + 300 } as const
    const expiring = commandOf(await last.commands.send(viewer, waiting(absent, { delivery })))
    await last.commands.send(viewer, setting(id, "a"))
    const { received } = await connect(last, store, accepted, id)
    await last.queueJobs.prompt([id])
    await until("it is sent", async () => (await statesOf(nodes, id))[0] === "Answered")
    expect(keysOf(received)).toEqual(["a"])
    await until("it expires", async () => (await rowOf(nodes, expiring)).state === "Expired")
  })

  test("finds both by its sweep where Redis was emptied meanwhile", async () => {
    await using own = await startRedis()
    await using nodes = await openNodes(2, own.url)
    const { store, first, last } = nodes
    await using _worker = await work(nodes, first, 50)
    const { id } = await createChargePoint(store)
    const { id: absent } = await createChargePoint(store)
    const delivery = { whenOffline: "Queue", expiresAt: Date.now() + 1_000 } as const
    const expiring = commandOf(await last.commands.send(viewer, waiting(absent, { delivery })))
    await last.commands.send(viewer, setting(id, "a"))
    const redis = await last.redis.connect("test")
    await redis.flushAll()
    redis.destroy()
    const { received } = await connect(last, store, accepted, id)
    await until("it is sent", async () => (await statesOf(nodes, id))[0] === "Answered")
    expect(keysOf(received)).toEqual(["a"])
    await until("it expires", async () => (await rowOf(nodes, expiring)).state === "Expired")
  })
})
