import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import fc from "fast-check"
import { until } from "../support/until.ts"
import { bootNotification, clientFrame, type Rig, startRig } from "./rig.ts"

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ gateway: { maxFrameBytes: 16_384, maxUnsentBytes: 65_536 } })
})
afterAll(() => rig[Symbol.asyncDispose]())

const start = (meterStart: number) => ({
  connectorId: 1,
  idTag: "04A1",
  meterStart,
  timestamp: "2026-01-02T03:04:05Z",
})

describe("frames that are none", () => {
  test("an empty frame is passed over and put down", async () => {
    await rig.announce("empty")
    const peer = await rig.connect("empty")
    peer.send("")
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    expect(await rig.deviationsOf("empty", "empty-frame frame")).toBeArray()
  })

  test("garbage is not answered, closes nothing, and lies in the wire log", async () => {
    await rig.announce("garbage")
    const peer = await rig.connect("garbage")
    for (const text of ["garbage", '{"a":1}', "[]", "[2]", "null", '{"transactionId":,}']) peer.send(text)
    expect((await peer.call("Heartbeat", {}))[0]).toBe(3)
    expect(await rig.deviationsOf("garbage", "unreadable-frame frame")).toBeArray()
    const texts = (await rig.messagesOf("garbage")).map(({ text, messageType }) => [messageType, text])
    expect(texts).toContainEqual(["Unreadable", "garbage"])
    expect(texts.some(([, text]) => text?.includes("currentTime"))).toBe(false)
  })

  test("a binary frame is read as the text it holds, and put down; a strict charge point's is passed over", async () => {
    await rig.announce("binary")
    await rig.announce("strict-binary", { leniency: "strict" })
    const call = new TextEncoder().encode('[2,"b","Heartbeat",{}]')
    const tolerant = await rig.connect("binary")
    tolerant.socket.send(call)
    expect((await tolerant.next()).slice(0, 2)).toEqual([3, "b"])
    const strict = await rig.connect("strict-binary")
    strict.socket.send(call)
    expect((await strict.call("Heartbeat", {}, "after")).slice(0, 2)).toEqual([3, "after"])
    expect(await rig.deviationsOf("binary", "binary-frame frame")).toBeArray()
    expect(await rig.deviationsOf("strict-binary", "binary-frame frame")).toBeArray()
  })

  test("a frame beyond the limit closes the socket with 1009", async () => {
    await rig.announce("huge")
    const peer = await rig.connect("huge")
    peer.send("x".repeat(16_385))
    expect((await peer.closed).code).toBe(1009)
    const again = await rig.connect("huge")
    expect((await again.call("Heartbeat", {}))[0]).toBe(3)
  })

  test("a frame with a reserved bit, without a mask, or not UTF-8 ends this socket only", async () => {
    await rig.announce("broken")
    await rig.announce("beside")
    const beside = await rig.connect("beside")
    const reserved = clientFrame('[2,"1","Heartbeat",{}]')
    reserved[0] = 0xc1
    const unmasked = Buffer.from([0x81, 2, 0x5b, 0x5d])
    for (const bytes of [reserved, unmasked, clientFrame(new Uint8Array([0xff, 0xfe]))]) {
      const { status, socket } = await rig.knock({ path: "/ocpp/broken" })
      expect(status).toBe(101)
      const ended = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)))
      socket.write(bytes)
      expect(await ended).toBe(true)
    }
    expect((await beside.call("Heartbeat", {}))[0]).toBe(3)
  })
})

describe("pressure", () => {
  test("a flood of transaction messages is answered in order, each once, and none with an error", async () => {
    await rig.announce("flood")
    const peer = await rig.connect("flood")
    const count = 500
    for (let index = 0; index < count; index += 1) peer.send([2, `m${index}`, "StartTransaction", start(index)])
    const answers: unknown[][] = []
    while (answers.length < count) answers.push(await peer.next())
    expect(answers.map(([type, uniqueId]) => `${type} ${uniqueId}`)).toEqual(
      Array.from({ length: count }, (_, index) => `3 m${index}`),
    )
  })

  test("frames sent before the socket is claimed wait in order", async () => {
    await rig.announce("eager", { acceptedAt: null })
    const { socket } = await rig.knock({ path: "/ocpp/eager" })
    const received: string[] = []
    socket.on("data", (data) => received.push(data.toString("latin1")))
    socket.write(
      Buffer.concat([
        clientFrame(JSON.stringify([2, "1", "BootNotification", bootNotification])),
        clientFrame('[2,"2","Heartbeat",{}]'),
        clientFrame('[2,"3","Heartbeat",{}]'),
      ]),
    )
    await until("three answers", () => received.join("").includes('[3,"3"'))
    const order = [...received.join("").matchAll(/\[3,"(\d)"/g)].map(([, uniqueId]) => uniqueId)
    expect(order).toEqual(["1", "2", "3"])
    socket.destroy()
  })

  test("a StopTransaction whose socket is torn down at once is stored all the same", async () => {
    const { id } = await rig.announce("hard-reset")
    const peer = await rig.connect("hard-reset")
    const [, , { transactionId }] = (await peer.call("StartTransaction", start(10))) as [
      3,
      string,
      { transactionId: number },
    ]
    const { socket } = await rig.knock({ path: "/ocpp/hard-reset" })
    const stop = { transactionId, meterStop: 20, timestamp: "2026-01-02T04:04:05Z", reason: "HardReset" }
    socket.write(clientFrame(JSON.stringify([2, "s", "StopTransaction", stop])))
    socket.end()
    socket.destroySoon()
    await until("the transaction has ended", async () => {
      const [transaction] = await rig.store.read.transactionsByIds([transactionId])
      return transaction?.chargePointId === id && transaction.state === "Ended"
    })
  })

  test("a reader too slow for what it asks loses its socket, and nobody else does", async () => {
    await rig.announce("slow")
    await rig.announce("quick")
    const quick = await rig.connect("quick")
    const { socket } = await rig.knock({ path: "/ocpp/slow" })
    socket.pause()
    const ended = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)))
    socket.on("error", () => socket.destroy())
    const uniqueId = "u".repeat(36)
    const calls = Buffer.concat(
      Array.from({ length: 500 }, () => clientFrame(`[2,"${uniqueId}${Math.random()}","Nothing",{}]`)),
    )
    const id = (await rig.row("slow")).id
    await until("the line is there", () => rig.lines.get(id) !== undefined)
    const line = rig.lines.get(id)
    while (rig.lines.get(id) === line) {
      if (!socket.write(calls))
        await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), Bun.sleep(20)])
    }
    expect((await quick.call("Heartbeat", {}))[0]).toBe(3)
    socket.resume()
    expect(await ended).toBe(true)
  })
})

test("whatever frames one charge point sends, another one's session goes on unaffected", async () => {
  const { id } = await rig.announce("noisy")
  const quiet = await rig.announce("quiet")
  const neighbour = await rig.connect("quiet")
  const [, , { transactionId }] = (await neighbour.call("StartTransaction", start(0))) as [
    3,
    string,
    { transactionId: number },
  ]
  let peer = await rig.connect("noisy")
  const action = fc.constantFrom(
    "BootNotification",
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "Authorize",
    "Reset",
    "x",
  )
  const payload = fc.oneof(
    fc.record({
      transactionId: fc.constantFrom(transactionId, -1, 0),
      meterStop: fc.integer(),
      timestamp: fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
    }),
    fc.object({ maxDepth: 2 }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const frame = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
    fc
      .tuple(fc.constantFrom(2, 3, 4, 5, "2", null), fc.oneof(fc.string(), fc.integer()), action, payload)
      .map((parts) => JSON.stringify(parts)),
    fc.uint8Array({ maxLength: 200 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
      if (peer.socket.readyState !== WebSocket.OPEN) peer = await rig.connect("noisy")
      for (const each of frames) peer.socket.send(each as string)
      expect((await neighbour.call("Heartbeat", {}))[0]).toBe(3)
    }),
    { numRuns: 60 },
  )
  await until("the noise is processed", async () => {
    peer.send('[2,"the end","Heartbeat",{}]')
    for (;;) if ((await peer.next())[1] === "the end") return true
  })
  const [transaction] = await rig.store.read.transactionsByIds([transactionId])
  expect(transaction).toMatchObject({ state: "Active", chargePointId: quiet.id, meterStop: null })
  expect(rig.lines.get(quiet.id)?.epoch).toBeGreaterThan(0)
  expect(rig.lines.get(id)).toBeDefined()
})

describe("the wire log", () => {
  test("holds every frame, in order, of a charge point for which it is on, and secrets masked", async () => {
    await rig.announce("logged", { wireLog: true })
    const peer = await rig.connect("logged")
    await peer.call("Heartbeat", {}, "h1")
    const line = rig.lines.get((await rig.row("logged")).id)
    const answer = line?.call(
      "ChangeConfiguration",
      { key: "AuthorizationKey", value: "00112233" },
      { timeoutMs: 5000 },
    )
    const [, uniqueId] = await peer.next()
    peer.send([3, uniqueId, { status: "Accepted" }])
    await answer
    const log = await rig.messagesOf("logged")
    expect(log.map(({ direction, messageType, action }) => [direction, messageType, action])).toEqual([
      ["FromChargePoint", "Call", "Heartbeat"],
      ["ToChargePoint", "CallResult", "Heartbeat"],
      ["ToChargePoint", "Call", "ChangeConfiguration"],
      ["FromChargePoint", "CallResult", "ChangeConfiguration"],
    ])
    expect(JSON.stringify(log)).not.toContain("00112233")
  })

  test("holds a frame once, also where it is on and the frame is wrong, or strays in more than one way", async () => {
    for (const [identity, wireLog] of [
      ["once-on", true],
      ["once-off", false],
    ] as const) {
      await rig.announce(identity, { wireLog })
      const peer = await rig.connect(identity)
      await peer.call("Nothing", {}, "wrong")
      await peer.call("Heartbeat", { extra: 1, more: 2 }, "odd")
      const log = await rig.messagesOf(identity)
      expect(log.filter(({ direction }) => direction === "FromChargePoint").map(({ uniqueId }) => uniqueId)).toEqual([
        "wrong",
        "odd",
      ])
    }
  })

  test("otherwise holds what was wrong: a CALL answered with CALLERROR, and one with a deviation", async () => {
    await rig.announce("sparse")
    const peer = await rig.connect("sparse")
    await peer.call("Heartbeat", {}, "fine")
    await peer.call("Nothing", {}, "wrong")
    await peer.call("Heartbeat", { extra: 1 }, "odd")
    const log = await rig.messagesOf("sparse")
    expect(log.map(({ messageType, uniqueId }) => [messageType, uniqueId])).toEqual([
      ["Call", "wrong"],
      ["CallError", "wrong"],
      ["Call", "odd"],
    ])
  })

  test("reaches whoever watches the charge point", async () => {
    const { id } = await rig.announce("watched")
    const peer = await rig.connect("watched")
    const seen: string[] = []
    await using _watch = await rig.bus.watchMessages(id, (rows) => seen.push(...rows.map((row) => row.text)))
    await until("watched frames arrive", async () => {
      await peer.call("Heartbeat", {})
      return seen.length >= 2
    })
    expect(seen.some((text) => text.includes("currentTime"))).toBe(true)
  })
})
