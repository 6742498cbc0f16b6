import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { createClient } from "redis"
import { AnotherStore } from "../../src/bus/bus.ts"
import { LEASE_PREFIX, ownerKey } from "../../src/bus/keys.ts"
import type { CommandRow, MessageRow } from "../../src/facts/rows.ts"
import { BusUnavailable, type CommandOrder, type CommandResult, type DirectOrder } from "../../src/services/ports.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { claim } from "../support/ownership.ts"
import { startProxy } from "../support/proxy.ts"
import { until } from "../support/until.ts"
import { failureOf, openNode } from "./support.ts"

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const flush = async () => {
  const client = await createClient({ url: server.url }).connect()
  await client.flushAll()
  client.destroy()
}
beforeEach(flush)

const order = (change: Partial<DirectOrder> = {}): DirectOrder => ({
  commandId: crypto.randomUUID(),
  organisationId: "default",
  chargePointId: "cp-1",
  action: "Reset",
  request: { type: "Soft" },
  requestedBy: "test",
  requestedAt: Date.now(),
  deadlineAt: Date.now() + 10_000,
  idempotencyKey: null,
  requestDigest: null,
  ...change,
})

const confirmed = (order: CommandOrder): CommandResult => ({
  kind: "Confirmed",
  command: { id: order.commandId } as CommandRow,
  confirmation: { status: "Accepted", echo: "request" in order ? order.request : null },
})

describe("ownership", () => {
  test("the newest claim owns the charge point, and the node before it is told to let go", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const superseded: [string, number][] = []
    a.bus.onSuperseded((chargePointId, epoch) => superseded.push([chargePointId, epoch]))
    const first = await claim(a.bus, "cp-1")
    expect(await b.bus.ownerOf("cp-1")).toEqual({ nodeId: a.bus.nodeId, epoch: first })
    const second = await claim(b.bus, "cp-1")
    expect(second).toBeGreaterThan(first)
    expect(await a.bus.ownerOf("cp-1")).toEqual({ nodeId: b.bus.nodeId, epoch: second })
    await until("the older node hears of it", () => superseded.length > 0)
    expect(superseded).toEqual([["cp-1", second]])
  })

  test("the late close of an older socket gives nothing up", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const first = await claim(a.bus, "cp-1")
    const second = await claim(b.bus, "cp-1")
    await a.bus.release("cp-1", first)
    expect(await a.bus.ownerOf("cp-1")).toEqual({ nodeId: b.bus.nodeId, epoch: second })
    await b.bus.release("cp-1", second)
    expect(await a.bus.ownerOf("cp-1")).toBeNull()
  })

  test("who asked for an epoch earlier is older, however late it claims", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const early = await a.bus.nextEpoch(0)
    const late = await b.bus.nextEpoch(0)
    expect(late).toBeGreaterThan(early)
    expect(await b.bus.claim("cp-1", late, null)).not.toBeNull()
    expect(await a.bus.claim("cp-1", early, null)).toBeNull()
    expect(await a.bus.ownerOf("cp-1")).toEqual({ nodeId: b.bus.nodeId, epoch: late })
  })

  test("of many epochs that are asked for at once, each is greater than the ones asked for before it and its own stored one", async () => {
    await using a = await openNode(server.url)
    const stored = Date.now() * 1000 + 3_600_000_000
    const early = await Promise.all(Array.from({ length: 700 }, () => a.bus.nextEpoch(0)))
    const late = await Promise.all([0, stored, 0].map((one) => a.bus.nextEpoch(one)))
    const all = [...early, ...late]
    expect(all).toEqual([...new Set(all)].sort((one, other) => one - other))
    expect(late[1]).toBeGreaterThan(stored)
    expect(await a.bus.nextEpoch(0)).toBeGreaterThan(all.at(-1) ?? Number.POSITIVE_INFINITY)
  })

  test("of many that are taken and given up at once, each has its own outcome", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const superseded: string[] = []
    a.bus.onSuperseded((chargePointId) => superseded.push(chargePointId))
    const ids = Array.from({ length: 700 }, (_, number) => `cp-${number}`)
    const late = await b.bus.nextEpoch((await a.bus.nextEpoch(0)) + 1_000_000_000)
    await claim(b.bus, "cp-7", late)
    await claim(a.bus, "cp-8")
    const epochs = await Promise.all(ids.map(() => a.bus.nextEpoch(0)))
    const early = epochs.map((epoch, index) => (index === 7 ? late - 1 : epoch))
    const taken = await Promise.all(ids.map((id, index) => a.bus.claim(id, early[index]!, null)))
    expect(ids.filter((_, index) => taken[index] === null)).toEqual(["cp-7"])

    const newer = await Promise.all(ids.map(() => b.bus.nextEpoch(0)))
    const yielded = await Promise.all(ids.map((id, index) => b.bus.claim(id, newer[index]!, null)))
    await Promise.all(yielded.map((claimed) => claimed?.yielded))
    expect(superseded.sort()).toEqual(ids.filter((id) => id !== "cp-7").sort())
    // The older ones' late ends change nothing.
    await Promise.all(ids.map((id, index) => a.bus.release(id, early[index]!)))
    expect((await b.bus.ownersOf(ids)).size).toBe(ids.length)
    await Promise.all(ids.map((id, index) => b.bus.release(id, newer[index]!)))
    expect((await b.bus.ownersOf(ids)).size).toBe(0)
  })

  test("who takes a charge point hears when the node before it has let go", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    let isClosed = false
    a.bus.onSuperseded(() => {
      isClosed = true
    })
    await claim(a.bus, "cp-1")
    const taken = await b.bus.claim("cp-1", await b.bus.nextEpoch(0), null)
    await taken?.yielded
    expect(isClosed).toBe(true)
  })

  test("a node that only the books know as the one before is told too", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const superseded: number[] = []
    a.bus.onSuperseded((_, epoch) => superseded.push(epoch))
    const epoch = await b.bus.nextEpoch(0)
    const taken = await b.bus.claim("cp-1", epoch, a.bus.nodeId)
    await taken?.yielded
    expect(superseded).toEqual([epoch])
  })

  test("who takes a charge point from one that still waits for the node before waits for that one too", async () => {
    await using b = await openNode(server.url)
    await using c = await openNode(server.url)
    const client = await createClient({ url: server.url }).connect()
    await client.set("busbar:node:slow", "{}")
    await client.set("busbar:owner:cp-1", "1 slow")
    const told: number[] = []
    const listener = await client.duplicate().connect()
    await listener.subscribe("busbar:to:slow", (text) => told.push(JSON.parse(text).epoch))
    const second = await b.bus.nextEpoch(0)
    await b.bus.claim("cp-1", second, null)
    // Its socket is gone before the first node has let go.
    await b.bus.release("cp-1", second)
    const third = await c.bus.nextEpoch(0)
    const taken = await c.bus.claim("cp-1", third, null)
    let isOver = false
    const over = taken?.yielded.then(() => {
      isOver = true
    })
    await until("the slow node hears of both", () => told.length === 2)
    expect(told).toEqual([second, third])
    expect(isOver).toBe(false)
    const yielded = { type: "Yielded", chargePointId: "cp-1", epoch: third, nodeId: "slow" }
    await client.publish(`busbar:to:${c.bus.nodeId}`, JSON.stringify(yielded))
    await over
    client.destroy()
    listener.destroy()
  })

  test("who takes a charge point from a node that is gone or hears nothing is not kept waiting for ever", async () => {
    await using b = await openNode(server.url)
    const gone = await openNode(server.url)
    await claim(gone.bus, "cp-1")
    await gone.crash()
    const fromGone = await b.bus.claim("cp-1", await b.bus.nextEpoch(0), null)
    await fromGone?.yielded

    // It holds its lease and its place on the channel, and says nothing.
    const client = await createClient({ url: server.url }).connect()
    await client.set("busbar:node:deaf", "{}")
    await client.set("busbar:owner:cp-2", "1 deaf")
    const listener = await client.duplicate().connect()
    await listener.subscribe("busbar:to:deaf", () => undefined)
    const fromDeaf = await b.bus.claim("cp-2", await b.bus.nextEpoch(0), null)
    await fromDeaf?.yielded
    expect(await b.bus.ownersOf(["cp-1", "cp-2"])).toHaveProperty("size", 2)
    client.destroy()
    listener.destroy()
    await gone[Symbol.asyncDispose]()
  })

  test("a node whose wire to Redis is held does not count itself certain, and is certain again when it is let go", async () => {
    await using proxy = await startProxy(Number(new URL(server.url).port))
    await using a = await openNode(`redis://127.0.0.1:${proxy.port}`)
    await until("it hears itself", () => a.bus.isCertain)
    proxy.pause("down")
    await until("it doubts", () => !a.bus.isCertain)
    expect(await failureOf(a.bus.certain())).toBeInstanceOf(BusUnavailable)
    proxy.resume()
    await until("it hears itself again", () =>
      a.bus.certain().then(
        () => true,
        () => false,
      ),
    )
    expect(a.bus.isCertain).toBe(true)
  })

  test("epochs grow past the stored one, and after Redis was emptied", async () => {
    await using a = await openNode(server.url)
    const first = await claim(a.bus, "cp-1")
    await flush()
    const second = await claim(a.bus, "cp-1")
    expect(second).toBeGreaterThan(first)
    const ahead = second + 1_000_000_000_000
    const third = await claim(a.bus, "cp-1", ahead)
    expect(third).toBe(ahead + 1)
    expect(await claim(a.bus, "cp-1")).toBe(ahead + 2)
    expect(Number.isSafeInteger(third)).toBe(true)
  })

  test("what a dead node held has no owner once its lease is over, and any node may take it", async () => {
    await using b = await openNode(server.url)
    const a = await openNode(server.url, { leaseMs: 300 })
    const first = await claim(a.bus, "cp-1")
    await claim(b.bus, "cp-2")
    expect((await b.bus.nodes()).map((node) => node.nodeId).sort()).toEqual([a.bus.nodeId, b.bus.nodeId].sort())
    await a.crash()
    await until("the lease is over", async () => (await b.bus.ownerOf("cp-1")) === null)
    expect([...(await b.bus.ownersOf(["cp-1", "cp-2", "cp-3"])).keys()]).toEqual(["cp-2"])
    expect((await b.bus.nodes()).map((node) => node.nodeId)).toEqual([b.bus.nodeId])
    expect(await claim(b.bus, "cp-1")).toBeGreaterThan(first)
    await a[Symbol.asyncDispose]()
  })

  test("a node says what it is", async () => {
    await using a = await openNode(server.url, { roles: ["api", "gateway"], version: "1.2.3" })
    const [presence] = await a.bus.nodes()
    expect(presence).toMatchObject({ nodeId: a.bus.nodeId, roles: ["api", "gateway"], version: "1.2.3" })
  })

  test("an emptied Redis is told again who holds whom", async () => {
    await using a = await openNode(server.url, { leaseMs: 300 })
    const epoch = await claim(a.bus, "cp-1")
    await flush()
    await until("the owner is known again", async () => (await a.bus.ownerOf("cp-1"))?.epoch === epoch)
  })

  test("of two that were let in while Redis was away, the greater epoch wins", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const superseded: [string, string, number][] = []
    a.bus.onSuperseded((chargePointId, epoch) => superseded.push(["a", chargePointId, epoch]))
    b.bus.onSuperseded((chargePointId, epoch) => superseded.push(["b", chargePointId, epoch]))
    await a.bus.register("cp-1", 8)
    await b.bus.register("cp-1", 7)
    expect(await a.bus.ownerOf("cp-1")).toEqual({ nodeId: a.bus.nodeId, epoch: 8 })
    expect(superseded).toEqual([["b", "cp-1", 8]])
    await b.bus.register("cp-1", 9)
    await until("the older one hears of it", () => superseded.length === 2)
    expect(superseded[1]).toEqual(["a", "cp-1", 9])
    expect(await a.bus.ownerOf("cp-1")).toEqual({ nodeId: b.bus.nodeId, epoch: 9 })
  })

  test("an owner that nobody knows of any more makes itself known under the same epoch", async () => {
    await using a = await openNode(server.url)
    const epoch = await claim(a.bus, "cp-1")
    await flush()
    expect(await a.bus.ownerOf("cp-1")).toBeNull()
    await a.bus.register("cp-1", epoch)
    await until("its lease runs again", async () => (await a.bus.ownerOf("cp-1"))?.epoch === epoch)
  })

  test("nodes that work on different stores do not work together", async () => {
    await using a = await openNode(server.url, { storeId: "one" })
    await using b = await openNode(server.url, { storeId: "one" })
    const refusal = await failureOf(openNode(server.url, { storeId: "another" }))
    expect(refusal).toBeInstanceOf(AnotherStore)
    // Who was refused has left no trace.
    expect((await b.bus.nodes()).map(({ nodeId }) => nodeId).sort()).toEqual([a.bus.nodeId, b.bus.nodeId].sort())
  })

  test("the owner is asked to hang up, with the reason", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const asked: [string, string][] = []
    a.bus.onDisconnect((chargePointId, reason) => asked.push([chargePointId, reason]))
    await claim(a.bus, "cp-1")
    await b.bus.disconnect("cp-1", "CredentialsChanged")
    await b.bus.disconnect("nobody", "Deleted")
    await until("the owner is asked", () => asked.length > 0)
    expect(asked).toEqual([["cp-1", "CredentialsChanged"]])
  })
})

describe("orders", () => {
  test("go to the node that holds the charge point, and its result comes back", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    a.bus.onOrder(async (order) => confirmed(order))
    const sent = order({ request: { type: "Hard" } })
    expect(await b.bus.order("cp-1", sent)).toBeNull()
    await claim(a.bus, "cp-1")
    expect(await b.bus.order("cp-1", sent)).toEqual(confirmed(sent))
    expect(await b.bus.call(a.bus.nodeId, sent)).toEqual(confirmed(sent))
  })

  test("to what the node holds itself are taken before anything else happens", async () => {
    await using a = await openNode(server.url)
    const taken: string[] = []
    a.bus.onOrder(async (order) => {
      taken.push(order.commandId)
      return confirmed(order)
    })
    await claim(a.bus, "cp-1")
    await until("it hears itself", () => a.bus.isCertain)
    const sent = order()
    const result = a.bus.order("cp-1", sent)
    expect(taken).toEqual([sent.commandId])
    expect(await result).toEqual(confirmed(sent))
  })

  test("to what another node has taken since go to that one", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    b.bus.onOrder(async (order) => confirmed(order))
    await claim(a.bus, "cp-1")
    let isSuperseded = false
    a.bus.onSuperseded(() => {
      isSuperseded = true
    })
    await claim(b.bus, "cp-1")
    await until("the older node hears of it", () => isSuperseded)
    const sent = order()
    expect(await a.bus.order("cp-1", sent)).toEqual(confirmed(sent))
  })

  test("of a node in doubt whether it still holds the charge point go the long way, and none that is later comes before", async () => {
    await using proxy = await startProxy(Number(new URL(server.url).port))
    await using a = await openNode(`redis://127.0.0.1:${proxy.port}`)
    const taken: string[] = []
    a.bus.onOrder(async (order) => {
      taken.push(order.commandId)
      return confirmed(order)
    })
    await claim(a.bus, "cp-1")
    proxy.pause("down")
    await until("it doubts", () => !a.bus.isCertain)
    const sent = [order(), order()]
    const first = a.bus.order("cp-1", sent[0] as DirectOrder)
    expect(taken).toEqual([])
    proxy.resume()
    await until("it hears itself again", () => a.bus.isCertain)
    const second = a.bus.order("cp-1", sent[1] as DirectOrder)
    expect((await Promise.all([first, second])).map((result) => result?.kind)).toEqual(["Confirmed", "Confirmed"])
    expect(taken).toEqual(sent.map(({ commandId }) => commandId))
  })

  test("to a charge point whose node is dead go to nobody, and where it does not listen they fail at once", async () => {
    await using a = await openNode(server.url)
    const sent = order({ deadlineAt: Date.now() + 3_600_000 })
    const client = await createClient({ url: server.url }).connect()
    await client.set(ownerKey("cp-1"), "1 gone")
    expect(await a.bus.order("cp-1", sent)).toBeNull()
    await client.set(`${LEASE_PREFIX}gone`, "{}")
    client.destroy()
    const failure = await failureOf(a.bus.order("cp-1", sent))
    expect(failure).toBeInstanceOf(BusUnavailable)
    expect(String(failure)).toContain("does not listen")
  })

  test("of a node to itself by name keep their order", async () => {
    await using a = await openNode(server.url)
    a.bus.onOrder(async (order) => confirmed(order))
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => a.bus.call(a.bus.nodeId, order({ commandId: `command-${n}` }))),
    )
    expect(results.map((result) => "command" in result && result.command?.id)).toEqual(
      Array.from({ length: 20 }, (_, n) => `command-${n}`),
    )
  })

  test("to a node that does not listen fail at once", async () => {
    await using a = await openNode(server.url)
    const failure = await failureOf(a.bus.call("gone", order({ deadlineAt: Date.now() + 3_600_000 })))
    expect(failure).toBeInstanceOf(BusUnavailable)
    expect(String(failure)).toContain("does not listen")
  })

  test("that are never answered end after their deadline", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    a.bus.onOrder(() => new Promise(() => undefined))
    expect(await failureOf(b.bus.call(a.bus.nodeId, order({ deadlineAt: Date.now() })))).toBeInstanceOf(BusUnavailable)
  })

  test("whose handler fails are answered as Unavailable", async () => {
    await using a = await openNode(server.url)
    a.bus.onOrder(() => Promise.reject(new Error("a fault of ours")))
    const result = await a.bus.call(a.bus.nodeId, order())
    expect(result).toMatchObject({ kind: "Unavailable" })
    expect(JSON.stringify(result)).not.toContain("a fault of ours")
  })
})

describe("the wire", () => {
  const row = (id: number) => ({ id, chargePointId: "cp-1", text: '[2,"1","Heartbeat",{}]' }) as MessageRow

  test("is sent to those who watch it, on whichever node, and to nobody else", async () => {
    await using a = await openNode(server.url)
    await using b = await openNode(server.url)
    const seen: number[] = []
    expect(a.bus.isWatched("cp-1")).toBe(false)
    const watch = await b.bus.watchMessages("cp-1", (rows) => seen.push(...rows.map((row) => row.id)))
    // Every node knows before the watch begins.
    expect(a.bus.isWatched("cp-1")).toBe(true)
    expect(a.bus.isWatched("cp-2")).toBe(false)
    a.bus.publishMessages("cp-1", [row(1), row(2)])
    b.bus.publishMessages("cp-1", [row(3)])
    await until("the rows arrive", () => seen.length === 3)
    expect(seen.sort()).toEqual([1, 2, 3])
    await watch[Symbol.asyncDispose]()
    await until("every node knows that nobody watches", () => !a.bus.isWatched("cp-1"))
    expect(b.bus.isWatched("cp-1")).toBe(false)
  })

  test("a node that joins later learns who watches", async () => {
    await using a = await openNode(server.url)
    await using _watch = await a.bus.watchMessages("cp-1", () => undefined)
    await using b = await openNode(server.url)
    await until("the new node knows", () => b.bus.isWatched("cp-1"))
  })
})

describe("while Redis is away", () => {
  test("calls fail fast; on its return everything works again", async () => {
    await using own = await startRedis()
    await using a = await openNode(own.url)
    await using b = await openNode(own.url)
    a.bus.onOrder(async (order) => confirmed(order))
    let returns = 0
    a.bus.onReturn(() => {
      returns++
    })
    const epoch = await claim(a.bus, "cp-1")
    const seen: MessageRow[] = []
    await using _watch = await b.bus.watchMessages("cp-1", (rows) => seen.push(...rows))

    expect(a.bus.isReady).toBe(true)
    await own.kill()
    await until("the loss is noticed", () => !a.bus.isReady)
    expect(await failureOf(claim(a.bus, "cp-1"))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(a.bus.release("cp-1", epoch))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.ownerOf("cp-1"))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.order("cp-1", order()))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.call(a.bus.nodeId, order()))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.nodes())).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.disconnect("cp-1", "Silent"))).toBeInstanceOf(BusUnavailable)
    expect(await failureOf(b.bus.watchMessages("cp-2", () => undefined))).toBeInstanceOf(BusUnavailable)
    a.bus.publishMessages("cp-1", [])

    await own.restart()
    await until("the handlers ran", () => returns > 0)
    const sent = order()
    await until("orders arrive again", async () => {
      const result = await b.bus.call(a.bus.nodeId, sent).catch(() => undefined)
      return result?.kind === "Confirmed"
    })
    expect(await claim(a.bus, "cp-2")).toBeGreaterThan(epoch)
    await until("the wire is heard again", () => {
      a.bus.publishMessages("cp-1", [{ id: 1 } as MessageRow])
      return seen.length > 0
    })
  })

  test("a node that stays is still the owner when Redis comes back empty", async () => {
    await using own = await startRedis()
    await using a = await openNode(own.url)
    await using b = await openNode(own.url)
    const epoch = await claim(a.bus, "cp-1")
    await claim(b.bus, "cp-2")
    await b.bus.release("cp-1", epoch)
    const client = await createClient({ url: own.url }).connect()
    await client.flushAll()
    client.destroy()
    await own.kill()
    await own.restart()
    await until("both are known again", async () => {
      const owners = await a.bus.ownersOf(["cp-1", "cp-2"]).catch(() => undefined)
      return owners?.size === 2
    })
    expect(await b.bus.ownerOf("cp-1")).toEqual({ nodeId: a.bus.nodeId, epoch })
  })

  test("a reply waits for Redis to come back", async () => {
    await using own = await startRedis()
    await using a = await openNode(own.url)
    await using b = await openNode(own.url)
    const arrived = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    a.bus.onOrder(async (order) => {
      arrived.resolve()
      await answer.promise
      return confirmed(order)
    })
    const result = b.bus.call(a.bus.nodeId, order({ deadlineAt: Date.now() + 20_000 }))
    await arrived.promise
    await own.kill()
    answer.resolve()
    await own.restart()
    expect((await result).kind).toBe("Confirmed")
  })
})
