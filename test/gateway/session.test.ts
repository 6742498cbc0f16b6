import { describe, expect, test } from "bun:test"
import { openBus } from "../../src/bus/bus.ts"
import { BusUnavailable } from "../../src/services/ports.ts"
import { claim } from "../support/ownership.ts"
import { until } from "../support/until.ts"
import { bootNotification, clientFrame, startRig } from "./rig.ts"

const status = { connectorId: 1, errorCode: "NoError", status: "Available" }
const accepted = [3, expect.any(String), expect.objectContaining({ status: "Accepted" })]
const securityError = [4, expect.any(String), "SecurityError", expect.any(String), {}]

describe("acceptance", () => {
  test("before its first accepted BootNotification a charge point gets SecurityError for anything else", async () => {
    await using rig = await startRig()
    await rig.announce("fresh", { acceptedAt: null })
    const peer = await rig.connect("fresh")
    for (const [action, request] of [
      ["Heartbeat", {}],
      ["StatusNotification", status],
      ["Authorize", { idTag: "04A1" }],
    ] as const) {
      expect(await peer.call(action, request)).toEqual(securityError)
    }
    expect(await peer.call("BootNotification", bootNotification)).toEqual(accepted)
    expect(await peer.call("Heartbeat", {})).toEqual([3, expect.any(String), { currentTime: expect.any(String) }])
  })

  test("belongs to the identity: after a reconnect no BootNotification is needed", async () => {
    await using rig = await startRig()
    await rig.announce("rebooted", { acceptedAt: null })
    const first = await rig.connect("rebooted")
    expect(await first.call("BootNotification", bootNotification)).toEqual(accepted)
    first.socket.close()
    await first.closed
    const second = await rig.connect("rebooted")
    expect(await second.call("StatusNotification", status)).toEqual([3, expect.any(String), {}])
  })

  test("is told with the heartbeat interval, its own or the node's; Pending and Rejected with the wait", async () => {
    await using rig = await startRig({ services: { heartbeatIntervalS: 240, bootRetryIntervalS: 45 } })
    await rig.announce("own", { heartbeatIntervalS: 77 })
    await rig.announce("default")
    await rig.announce("pending", { registrationStatus: "Pending" })
    await rig.announce("rejected", { registrationStatus: "Rejected" })
    const answers = await Promise.all(
      ["own", "default", "pending", "rejected"].map(async (identity) => {
        const [, , confirmation] = await (await rig.connect(identity)).call("BootNotification", bootNotification)
        return confirmation
      }),
    )
    const currentTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(answers).toEqual([
      { status: "Accepted", currentTime, interval: 77 },
      { status: "Accepted", currentTime, interval: 240 },
      { status: "Pending", currentTime, interval: 45 },
      { status: "Rejected", currentTime, interval: 45 },
    ])
  })

  test("given or taken by the operator counts from the next message on, without a reconnect", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("judged", { registrationStatus: "Pending" })
    const peer = await rig.connect("judged")
    expect(await peer.call("Heartbeat", {})).toEqual(securityError)
    const decide = (registrationStatus: "Accepted" | "Pending") =>
      rig.store.change("updateChargePoint", {
        organisationId: "default",
        chargePointId: id,
        at: Date.now(),
        change: { registrationStatus },
      })
    await decide("Accepted")
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    await decide("Pending")
    expect(await peer.call("Heartbeat", {})).toEqual(securityError)
  })

  test("while Pending a charge point may send what TriggerMessage asked for, and nothing else", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("asked", { registrationStatus: "Pending" })
    const peer = await rig.connect("asked")
    expect(await peer.call("Heartbeat", {})).toEqual(securityError)
    const trigger = async (requestedMessage: "Heartbeat" | "StatusNotification", answer: "Accepted" | "Rejected") => {
      const confirmation = rig.lines.get(id)?.call("TriggerMessage", { requestedMessage }, { timeoutMs: 5000 })
      const [, uniqueId] = await peer.next()
      peer.send([3, uniqueId, { status: answer }])
      expect(await confirmation).toEqual({ status: answer })
    }
    await trigger("StatusNotification", "Accepted")
    expect(await peer.call("StatusNotification", status)).toEqual([3, expect.any(String), {}])
    await trigger("Heartbeat", "Rejected")
    expect(await peer.call("Heartbeat", {})).toEqual(securityError)
  })
})

describe("the newest socket wins", () => {
  test("the older one is closed with 1001, and its late close changes nothing", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("twice")
    const older = await rig.connect("twice")
    await older.call("Heartbeat", {})
    const olderEpoch = rig.lines.get(id)?.epoch ?? 0
    const newer = await rig.connect("twice")
    await newer.call("Heartbeat", {})
    expect(await older.closed).toEqual({ code: 1001, reason: "replaced by a newer connection" })
    const late = { organisationId: "default", chargePointId: id, epoch: olderEpoch, at: Date.now(), lastSeenAt: null }
    expect(await rig.store.change("goOffline", late)).toEqual({ superseded: true })
    expect(await newer.call("StatusNotification", status)).toEqual([3, expect.any(String), {}])
    const { online, epoch } = await rig.row("twice")
    expect([online, epoch > olderEpoch, rig.lines.size]).toEqual([true, true, 1])
  })

  test("also of several opened at once: one line remains, the others are closed", async () => {
    await using rig = await startRig()
    await rig.announce("several")
    const peers = await Promise.all(Array.from({ length: 5 }, () => rig.connect("several")))
    const left = await until("one socket is left", () => {
      const open = peers.filter(({ socket }) => socket.readyState === WebSocket.OPEN)
      return open.length === 1 && rig.lines.size === 1 && open
    })
    expect((await left[0]!.call("Heartbeat", {}))[0]).toBe(3)
    expect((await rig.row("several")).online).toBe(true)
  })

  test("also on another node: the line here is closed and a message of its own stays unanswered", async () => {
    await using rig = await startRig()
    const { id, epoch } = await rig.announce("roaming")
    const peer = await rig.connect("roaming")
    await peer.call("Heartbeat", {})
    await using other = await openBus({ ...rig.busOptions, nodeId: "node-2" })
    await claim(other, id, epoch)
    expect((await peer.closed).code).toBe(1001)
    expect(await until("no line", () => rig.lines.size === 0)).toBe(true)
  })

  test("a message that comes through a superseded socket is not answered and changes nothing", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("zombie")
    const peer = await rig.connect("zombie")
    await peer.call("Heartbeat", {})
    const epoch = (rig.lines.get(id)?.epoch ?? 0) + 1
    // Taken elsewhere, while word of it does not reach this node.
    await rig.store.change("goOnline", { organisationId: "default", chargePointId: id, nodeId: "node-2", epoch, at: 1 })
    peer.send([2, "1", "StatusNotification", status])
    expect((await peer.closed).code).toBe(1001)
    expect(peer.unread).toBe(0)
    expect(await rig.store.read.connectorsOf([id])).toEqual([])
    expect((await rig.row("zombie")).nodeId).toBe("node-2")
  })

  test("while Redis is away the store gives the epoch, and it is registered when Redis is back", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("islander")
    const claim = rig.bus.claim
    rig.bus.claim = async () => {
      throw new BusUnavailable("away")
    }
    const peer = await rig.connect("islander")
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    rig.bus.claim = claim
    await rig.services.presence.register()
    expect(await rig.bus.ownerOf(id)).toEqual({ nodeId: "node-1", epoch: rig.lines.get(id)?.epoch ?? 0 })
  })
})

describe("presence", () => {
  test("a charge point is online while its socket is open, and offline after its close", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("present")
    const peer = await rig.connect("present")
    await peer.call("Heartbeat", {})
    expect(await rig.row("present")).toMatchObject({ online: true, nodeId: "node-1" })
    peer.socket.close()
    await until("offline", async () => !(await rig.row("present")).online)
    expect(await rig.row("present")).toMatchObject({ nodeId: null, lastSeenAt: expect.any(Number) })
    expect(await rig.bus.ownerOf(id)).toBeNull()
  })

  test("a Heartbeat touches no disk; when it came is written later, in bulk", async () => {
    await using rig = await startRig()
    await rig.announce("alive")
    const peer = await rig.connect("alive")
    await peer.call("Heartbeat", {})
    const before = (await rig.row("alive")).lastSeenAt ?? Number.POSITIVE_INFINITY
    await until("the clock has moved on", () => Date.now() > before + 2)
    rig.trouble.begin()
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    rig.trouble.end()
    expect((await rig.row("alive")).lastSeenAt).toBe(before)
    await rig.services.signsOfLife.flush()
    expect((await rig.row("alive")).lastSeenAt).toBeGreaterThan(before)
  })

  test("taken for offline, it is back online with the first sign of life", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("sleeper")
    const peer = await rig.connect("sleeper")
    await peer.call("Heartbeat", {})
    const epoch = rig.lines.get(id)?.epoch ?? 0
    const now = Date.now()
    await rig.store.change("goOffline", {
      organisationId: "default",
      chargePointId: id,
      epoch,
      at: now,
      lastSeenAt: null,
    })
    expect((await rig.row("sleeper")).online).toBe(false)
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    await until("online again", async () => (await rig.row("sleeper")).online)
  })

  test("a ping of the charge point's own is a sign of life", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("pinging")
    const { socket } = await rig.knock({ path: "/ocpp/pinging" })
    const line = await until("the line is there", () => rig.lines.get(id))
    const before = line.lastSeenAt
    await until("the clock has moved on", () => Date.now() > before + 2)
    const ponged = new Promise<number | undefined>((resolve) =>
      socket.once("data", (data) => resolve(Buffer.from(data)[0])),
    )
    socket.write(clientFrame("", 9))
    expect(await ponged).toBe(0x8a)
    expect(line.lastSeenAt).toBeGreaterThan(before)
    socket.destroy()
  })

  test("what the operator takes away is closed with 1008", async () => {
    await using rig = await startRig()
    const { id } = await rig.announce("deleted")
    const peer = await rig.connect("deleted")
    await peer.call("Heartbeat", {})
    await rig.bus.disconnect(id, "Deleted")
    expect(await peer.closed).toEqual({ code: 1008, reason: "unknown charge point" })
  })

  test("a peer that no longer answers pings is dead; one that never did is given two heartbeats", async () => {
    await using rig = await startRig({ gateway: { pingIntervalMs: 60 }, services: { heartbeatIntervalS: 300 } })
    await rig.announce("mute")
    await rig.announce("ponging")
    await rig.announce("dying")
    const mute = await rig.knock({ path: "/ocpp/mute" })
    const ponging = await rig.connect("ponging")
    const dying = await rig.knock({ path: "/ocpp/dying" })
    dying.socket.write(clientFrame("", 10))
    const ended = new Promise<boolean>((resolve) => dying.socket.once("close", () => resolve(true)))
    expect(await ended).toBe(true)
    // The one that is heard of without a pong stays, and that is put down.
    const answered = new Promise<string>((resolve) => {
      mute.socket.on("data", (data) => data.includes("currentTime") && resolve("answered"))
    })
    await until("ignored pings are noticed", async () => {
      mute.socket.write(clientFrame('[2,"1","Heartbeat",{}]'))
      await rig.services.deviations.flush()
      const rows = await rig.store.read.deviationsOf([(await rig.row("mute")).id])
      return rows.some(({ kind }) => kind === "ping-unanswered")
    })
    expect(await answered).toBe("answered")
    mute.socket.destroy()
    expect(ponging.socket.readyState).toBe(WebSocket.OPEN)
  })
})

describe("trouble", () => {
  test("brief trouble of the store is an InternalError, so that the charge point tries again", async () => {
    await using rig = await startRig()
    await rig.announce("patient")
    const peer = await rig.connect("patient")
    await peer.call("Heartbeat", {})
    rig.trouble.begin()
    expect(await peer.call("StatusNotification", status)).toEqual([4, expect.any(String), "InternalError", "", {}])
    const { status: refused, headers, socket } = await rig.knock({ path: "/ocpp/patient" })
    socket.destroy()
    expect([refused, Number(headers.get("retry-after"))]).toEqual([503, expect.any(Number)])
    rig.trouble.end()
    expect(await peer.call("StatusNotification", status)).toEqual([3, expect.any(String), {}])
  })

  test("lasting trouble sends charge points away and admits them again when the store is back", async () => {
    await using rig = await startRig({ gateway: { storeTroubleLimitMs: 1000 } })
    await rig.announce("exile")
    const peer = await rig.connect("exile")
    await peer.call("Heartbeat", {})
    rig.trouble.begin(Date.now() - 1000)
    expect(await peer.closed).toEqual({ code: 1013, reason: "try again later" })
    const refused = await rig.knock({ path: "/ocpp/exile" })
    refused.socket.destroy()
    expect([refused.status, rig.gateway.isServing]).toEqual([503, false])
    rig.trouble.end()
    await until("admitted again", () => rig.gateway.isServing)
    // The end of the first socket could not be written then; it is now, unless a newer one came first.
    const again = await rig.connect("exile")
    expect((await again.call("Heartbeat", {}))[0]).toBe(3)
    expect((await rig.row("exile")).online).toBe(true)
  })

  test("a process that stood still itself does not take that for the store's trouble", async () => {
    await using rig = await startRig({ gateway: { storeTroubleLimitMs: 300 } })
    await rig.announce("patient")
    const peer = await rig.connect("patient")
    await peer.call("Heartbeat", {})
    rig.trouble.begin()
    Bun.sleepSync(400)
    // The gateway looks, as soon as it can, and only then hears from the store.
    await Bun.sleep(1)
    rig.trouble.end()
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    expect(rig.gateway.isServing).toBe(true)
  })

  test("the end of a socket that the store could not take is written when it is back", async () => {
    await using rig = await startRig()
    await rig.announce("leaver")
    const peer = await rig.connect("leaver")
    await peer.call("Heartbeat", {})
    rig.trouble.begin()
    peer.socket.close()
    await until("no line", () => rig.lines.size === 0)
    expect((await rig.row("leaver")).online).toBe(true)
    rig.trouble.end()
    await until("offline", async () => !(await rig.row("leaver")).online)
  })
})

describe("a stop", () => {
  test("lets the CALL under way finish, closes with 1001 and leaves everybody offline", async () => {
    const rig = await startRig()
    const { id } = await rig.announce("stopped")
    const peer = await rig.connect("stopped")
    await peer.call("Heartbeat", {})
    const confirmation = rig.lines.get(id)?.call("ClearCache", {}, { timeoutMs: 5000 })
    const [, uniqueId] = await peer.next()
    const stop = rig.gateway[Symbol.asyncDispose]()
    const refused = await rig.knock({ path: "/ocpp/stopped" })
    refused.socket.destroy()
    expect(refused.status).toBe(503)
    peer.send([3, uniqueId, { status: "Accepted" }])
    expect(await confirmation).toEqual({ status: "Accepted" })
    expect(await peer.closed).toEqual({ code: 1001, reason: "going away" })
    await stop
    await rig.gateway[Symbol.asyncDispose]()
    expect([(await rig.row("stopped")).online, await rig.bus.ownerOf(id)]).toEqual([false, null])
    await rig[Symbol.asyncDispose]()
  })

  test("spreads the closes over the time it is given", async () => {
    const rig = await startRig({ gateway: { drainMs: 200 } })
    const peers = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        await rig.announce(`spread-${index}`)
        return rig.connect(`spread-${index}`)
      }),
    )
    await Promise.all(peers.map((peer) => peer.call("Heartbeat", {})))
    const order: number[] = []
    for (const [index, peer] of peers.entries()) void peer.closed.then(() => order.push(index))
    const stop = rig.gateway[Symbol.asyncDispose]()
    await peers[0]!.closed
    expect(peers.at(-1)!.socket.readyState).toBe(WebSocket.OPEN)
    await stop
    await Promise.all(peers.map((peer) => peer.closed))
    expect(order).toHaveLength(8)
    await rig[Symbol.asyncDispose]()
  })
})
