/**
 * What no charge point should send: numbers beyond all bounds, text no disk can hold, frames made to break their reader,
 * sockets that are no WebSocket. Nothing of it ends the node, loses a message or reaches another charge point.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { connect as connectTcp } from "node:net"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { type Ask, createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { freshDatabase } from "../support/postgres.ts"
import { until } from "../support/until.ts"

const timestamp = "2026-05-01T12:00:00.000Z"
const start = (more: object = {}) => ({ connectorId: 1, idTag: "KNOWN", meterStart: 1000, timestamp, ...more })

const engines: [string, () => Promise<Record<string, string>>][] = [
  ["SQLite", async () => ({})],
  ["PostgreSQL", async () => ({ DATABASE_URL: await freshDatabase(), SECRET_KEY: "a key for the hostile" })],
]

describe.each(engines)("on %s", (_engine, environment) => {
  let node: TestNode
  let ask: Ask
  let count = 0

  beforeAll(async () => {
    node = await startTestNode(await environment())
    ask = graphqlOver(node.graphqlUrl, node.token)
    await createIdTag(ask, { idTag: "KNOWN" })
  })

  afterAll(() => node[Symbol.asyncDispose]())

  async function booted(): Promise<ChargePoint> {
    const identity = `HOSTILE-${++count}`
    await createChargePoint(ask, { identity })
    const chargePoint = await connectChargePoint({ url: node.ocppUrl, identity })
    await chargePoint.call("BootNotification", chargePoint.identification)
    return chargePoint
  }

  interface Seen {
    transactionId: number
    connectorId: number
    meterStart: number
    idTag: string
    startedAt: string
    energyWh: number | null
  }

  async function transactionsOf({ identity }: ChargePoint): Promise<Seen[]> {
    const { chargePoint } = await ask<{ chargePoint: { transactions: { edges: { node: Seen }[] } } }>(
      `query ($identity: String!) {
        chargePoint(identity: $identity) {
          transactions(first: 100) { edges { node { transactionId connectorId meterStart idTag startedAt energyWh } } }
        }
      }`,
      { identity },
    )
    return chargePoint.transactions.edges.map(({ node: transaction }) => transaction)
  }

  const deviationsOf = async ({ identity }: ChargePoint): Promise<string[]> => {
    const { chargePoint } = await ask<{ chargePoint: { deviations: { kind: string; place: string }[] } }>(
      "query ($identity: String!) { chargePoint(identity: $identity) { deviations { kind place } } }",
      { identity },
    )
    return chargePoint.deviations.map(({ kind, place }) => `${kind} ${place}`)
  }

  test.each([
    ["meterStart", 2 ** 31, 2 ** 31],
    ["meterStart", -1, -1],
    ["meterStart", 2 ** 53 + 1, Number.MAX_SAFE_INTEGER],
    ["meterStart", 2 ** 63, Number.MAX_SAFE_INTEGER],
    ["meterStart", -1e300, Number.MIN_SAFE_INTEGER],
    ["connectorId", 2 ** 31, 2 ** 31],
    ["connectorId", 1e300, Number.MAX_SAFE_INTEGER],
    ["reservationId", 1e300, Number.MAX_SAFE_INTEGER],
  ])("a StartTransaction with %s %p is a transaction like any other", async (field, value, shown) => {
    await using chargePoint = await booted()
    const { transactionId, idTagInfo } = await chargePoint.call("StartTransaction", start({ [field]: value }))
    expect(idTagInfo).toEqual({ status: "Accepted" })
    expect(await chargePoint.call("StartTransaction", start({ [field]: value }))).toEqual({ transactionId, idTagInfo })
    const [seen, ...others] = await transactionsOf(chargePoint)
    expect(others).toEqual([])
    expect(seen).toMatchObject({ transactionId, ...(field !== "reservationId" && { [field]: shown }) })
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 1500, timestamp: "2026-05-01T13:00:00Z" })
    if (!Number.isSafeInteger(value))
      await until("the deviation is shown", async () =>
        (await deviationsOf(chargePoint)).includes(`out-of-bounds StartTransaction.req.${field}`),
      )
    const { transactions } = await ask<{ transactions: { edges: unknown[] } }>(
      "{ transactions(first: 100) { edges { node { transactionId connectorId meterStart meterStop energyWh } } } }",
    )
    expect(transactions.edges.length).toBeGreaterThan(0)
  })

  test.each([1e300, -1e300, 2 ** 63, 2 ** 53, 2 ** 31, -(2 ** 31)])(
    "a StopTransaction and MeterValues of transaction %p are answered and end nobody's",
    async (transactionId) => {
      await using chargePoint = await booted()
      const { transactionId: running } = await chargePoint.call("StartTransaction", start({ meterStart: 5000 }))
      const stop = { transactionId, meterStop: 1, timestamp: "2026-05-01T13:00:00Z" }
      expect(await chargePoint.call("StopTransaction", stop)).toEqual({})
      const meterValue = [{ timestamp, sampledValue: [{ value: "5" }] }]
      expect(await chargePoint.call("MeterValues", { connectorId: 9, transactionId, meterValue })).toEqual({})
      const { transaction } = await ask("query ($id: Int!) { transaction(transactionId: $id) { state } }", {
        id: running,
      })
      expect(transaction).toEqual({ state: "ACTIVE" })
    },
  )

  test.each([
    ["NUL", "a\0b"],
    ["half a surrogate pair", "a\ud83d"],
    ["much of it", "\ud83d\0".repeat(50)],
  ])("text with %s is kept with replacement characters, and known again", async (_what, text) => {
    await using chargePoint = await booted()
    const replaced = text.replaceAll("\0", "\ufffd").toWellFormed()
    const first = await chargePoint.call("StartTransaction", start({ idTag: text }), "one")
    expect(await chargePoint.call("StartTransaction", start({ idTag: text }), "two")).toEqual(first)
    // Before the clock is set, the message id tells two starts apart, and may hold such text as well.
    const unset = start({ timestamp: "1970-01-01T00:00:00Z" })
    const unsetFirst = await chargePoint.call("StartTransaction", unset, text)
    expect(await chargePoint.call("StartTransaction", unset, text)).toEqual(unsetFirst)
    expect((await transactionsOf(chargePoint)).map(({ idTag }) => idTag).sort()).toEqual(["KNOWN", replaced].sort())
    await chargePoint.call("BootNotification", { chargePointVendor: text, chargePointModel: text })
    await chargePoint.call("StatusNotification", {
      connectorId: 1,
      errorCode: "NoError",
      status: "Available",
      info: text,
    })
    await chargePoint.call("DataTransfer", { vendorId: text, data: text })
    expect(await chargePoint.call("Authorize", { idTag: text })).toEqual({ idTagInfo: { status: "Invalid" } })
    const { chargePoint: seen } = await ask(
      "query ($identity: String!) { chargePoint(identity: $identity) { vendor model connectors { info } } }",
      { identity: chargePoint.identity },
    )
    expect(seen).toEqual({ vendor: replaced, model: replaced, connectors: [{ info: replaced }] })
  })

  test.each(["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])(
    "the instant %s is taken wherever one may stand",
    async (extreme) => {
      await using chargePoint = await booted()
      const { transactionId } = await chargePoint.call("StartTransaction", start({ timestamp: extreme }))
      const meterValue = [{ timestamp: extreme, sampledValue: [{ value: "1200" }] }]
      await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue })
      const status = { connectorId: 1, errorCode: "NoError", status: "Charging", timestamp: extreme }
      await chargePoint.call("StatusNotification", status)
      await chargePoint.call("StopTransaction", { transactionId, meterStop: 1500, timestamp: extreme })
      const [seen] = await transactionsOf(chargePoint)
      expect(seen).toMatchObject({ startedAt: new Date(extreme).toISOString(), energyWh: 500 })
    },
  )

  test("readings beyond all bounds are kept, and leave the sums over the fleet as they are", async () => {
    await using chargePoint = await booted()
    const now = new Date().toISOString()
    for (const connectorId of [1, 2]) {
      const { transactionId } = await chargePoint.call("StartTransaction", start({ connectorId, timestamp: now }))
      const sampledValue = [
        { value: "1e308", measurand: "Power.Active.Import", unit: "W" },
        { value: "1e308", measurand: "Power.Active.Import", unit: "kW", phase: "L1" },
        { value: "1e308", unit: "kWh" },
        { value: "9".repeat(1000), measurand: "SoC" },
      ]
      await chargePoint.call("MeterValues", {
        connectorId,
        transactionId,
        meterValue: [{ timestamp: now, sampledValue }],
      })
    }
    const { fleet, chargePoint: seen } = await ask<{
      fleet: { powerNowW: number }
      chargePoint: { transactions: { edges: { node: { meterValues: { edges: unknown[] } } }[] } }
    }>(
      `query ($identity: String!) {
        fleet { powerNowW energyTodayWh activeTransactions }
        chargePoint(identity: $identity) {
          transactions(first: 5) {
            edges { node { meterValues(first: 5) { edges { node { sampledValues { value } } } } } }
          }
        }
      }`,
      { identity: chargePoint.identity },
    )
    expect(fleet.powerNowW).toBe(0)
    expect(seen.transactions.edges.map(({ node: { meterValues } }) => meterValues.edges.length)).toEqual([1, 1])
  })

  test.each([
    "%00",
    "HOSTILE-1%00",
    "%ED%A0%80",
    "%zz",
    "%",
    encodeURIComponent("\u{10ffff}"),
    "a".repeat(4_000),
    "'%20or%20''='",
    "__proto__",
  ])("nobody has the identity %p", async (identity) => {
    const { origin } = new URL(node.ocppUrl.replace("ws:", "http:"))
    const headers = {
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": "ocpp1.6",
    }
    for (const path of [identity, `x/${identity}`])
      expect((await fetch(`${origin}/ocpp/${path}`, { headers })).status).toBe(404)
  })

  test("what one charge point sends to spoil a commit group is no matter to the others in it", async () => {
    await using poisoner = await booted()
    const others = await Promise.all(Array.from({ length: 5 }, () => booted()))
    const poison = [
      start({ connectorId: 1e300 }),
      start({ idTag: "\ud800" }),
      start({ idTag: "\ud800" }),
      start({ idTag: "x".repeat(100_000) }),
      start({ meterStart: 2 ** 63 }),
    ]
    const answers = await Promise.all([
      ...poison.map((request) => poisoner.call("StartTransaction", request)),
      ...others.flatMap((other) =>
        Array.from({ length: 10 }, (_, minute) =>
          other.call("StartTransaction", start({ timestamp: `2026-05-01T12:0${minute}:00Z` })),
        ),
      ),
    ])
    expect(answers.every(({ transactionId }) => transactionId > 0)).toBe(true)
    const ids = answers.slice(poison.length).map(({ transactionId }) => transactionId)
    expect(new Set(ids).size).toBe(50)
    for (const other of others) {
      expect(await transactionsOf(other)).toHaveLength(10)
      await other.close()
    }
  })
})

describe("a node", () => {
  let node: TestNode
  let ask: Ask
  let witness: ChargePoint

  beforeAll(async () => {
    node = await startTestNode()
    ask = graphqlOver(node.graphqlUrl, node.token)
    await createChargePoint(ask, { identity: "WITNESS" })
    await createChargePoint(ask, { identity: "HOSTILE", wireLog: true })
    witness = await connectChargePoint({ url: node.ocppUrl, identity: "WITNESS" })
    await witness.call("BootNotification", witness.identification)
  })

  afterAll(async () => {
    await witness.close()
    await node[Symbol.asyncDispose]()
  })

  const port = () => Number(new URL(node.ocppUrl).port)
  const serves = async (): Promise<void> => expect(await witness.call("Heartbeat")).toHaveProperty("currentTime")

  const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)
  const frames: [string, string][] = [
    ["with an object for its type", '[{"toString":1},"x","Heartbeat",{}]'],
    ["with an object for its unique id", '[2,{"toString":1},"Heartbeat",{}]'],
    ["with an object for its action", '[2,"x",{"toString":1},{}]'],
    ["with an object for a number", '[2,"x","StatusNotification",{"connectorId":{"valueOf":1,"toString":1}}]'],
    ["for an action of every object", '[2,"x","__proto__",{"__proto__":{"status":"Accepted"}}]'],
    ["with a field twice", '[2,"x","Authorize",{"idTag":"a","idTag":"b"}]'],
    ["nested deeply in a list", `[2,"x","DataTransfer",{"vendorId":"V","data":${nested("[", "]", 100_000)}}]`],
    ["nested deeply in objects", `[2,"x","Heartbeat",${nested('{"a":', "}", 40_000).replace(":}", ":1}")}]`],
    ["nested without an end", "[".repeat(250_000)],
    ["with a very long unique id", `[2,"${"u".repeat(200_000)}","Heartbeat",{}]`],
    ["with a very long action", `[2,"x","${"A".repeat(200_000)}",{}]`],
    ["with an instant full of blanks", `[2,"x","Heartbeat",{}]`.replace("{}", `{"t":"${" ".repeat(200_000)}"}`)],
    [
      "whose timestamp is full of blanks",
      `[2,"x","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-05-01T12:00:00${" ".repeat(200_000)}x"}]`,
    ],
    ["full of beginnings of a secret", `[2,"x","DataTransfer",{"vendorId":"V","data":"${"passw".repeat(50_000)}"}]`],
    ["full of beginnings of a URL", `[2,"x","DataTransfer",{"vendorId":"V","data":"${"a.".repeat(120_000)}://"}]`],
    [
      "full of fields nobody knows",
      `[2,"x","Heartbeat",{${Array.from({ length: 15_000 }, (_, i) => `"f${i}":${i}`)}}]`,
    ],
    [
      "full of entries that say nothing",
      `[2,"x","MeterValues",{"connectorId":1,"meterValue":[${"{},".repeat(60_000)}{}]}]`,
    ],
    ["that answers what nobody asked", '[3,"x",{"status":"Accepted"}]'],
    ["that refuses what nobody asked", '[4,"x","\\u0000","\\ud800",[]]'],
  ]

  test.each(frames)("survives a frame %s, and so does the session", async (_what, text) => {
    await using hostile = await connectChargePoint({ url: node.ocppUrl, identity: "HOSTILE" })
    await hostile.call("BootNotification", hostile.identification)
    hostile.send(text, /^\[2,"(.*?)"/.exec(text)?.[1])
    expect(await hostile.call("Heartbeat", {}, "after")).toHaveProperty("currentTime")
    await serves()
  })

  /** Writes bytes, and resolves when the node has closed the connection or the test is done with it. */
  const opened: ReturnType<typeof connectTcp>[] = []
  function write(...chunks: (string | Uint8Array)[]) {
    const socket = connectTcp(port(), "127.0.0.1")
    socket.on("error", () => undefined)
    for (const chunk of chunks) socket.write(chunk)
    opened.push(socket)
    return socket
  }

  const upgrade = (headers: string[] = []) =>
    [
      "GET /ocpp/HOSTILE HTTP/1.1",
      "Host: x",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: ocpp1.6",
      ...headers,
      "",
      "",
    ].join("\r\n")

  test("serves on while others speak no HTTP, half of it, too much of it, or leave in the middle", async () => {
    write("\0".repeat(10_000))
    write("GET /ocpp/HOSTILE HTTP/1.1\r\nHost: x\r\nX: ")
    write("POST /ocpp/HOSTILE HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n")
    write("GET /ocpp/HOSTILE HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n")
    write(upgrade([`Cookie: ${"c".repeat(100_000)}`]))
    write(upgrade(Array.from({ length: 2_000 }, (_, index) => `X-${index}: ${index}`)))
    write(upgrade([`Authorization: Basic ${"QQ".repeat(5_000)}`]))
    write(`GET /ocpp/${"%41".repeat(5_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    for (let index = 0; index < 50; index++) write(upgrade()).destroySoon()
    for (let index = 0; index < 50; index++) write(upgrade().slice(0, 60)).destroySoon()
    // A frame that announces more than it brings, one of 2^63 bytes, one without an end, a reserved opcode, a torn close.
    write(upgrade(), new Uint8Array([0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 5]))
    write(upgrade(), new Uint8Array([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]))
    write(upgrade(), new Uint8Array([0x01, 0x81, 1, 2, 3, 4, 5]))
    write(upgrade(), new Uint8Array([0x83, 0x80, 1, 2, 3, 4]))
    write(upgrade(), new Uint8Array([0x88, 0x81, 1, 2, 3, 4, 5]))
    write(upgrade(), new Uint8Array([0x89, 0xfe, 1, 0, 1, 2, 3, 4]))
    for (let round = 0; round < 20; round++) await serves()
    await using hostile = await connectChargePoint({ url: node.ocppUrl, identity: "HOSTILE" })
    expect(await hostile.call("Heartbeat")).toHaveProperty("currentTime")
    for (const socket of opened) socket.destroy()
  })

  test("keeps one of fifty sockets that one charge point opens at once, and answers on it", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 50 }, () => connectChargePoint({ url: node.ocppUrl, identity: "HOSTILE" })),
    )
    await until("one socket is left", () => sockets.filter(({ online }) => online).length === 1)
    const left = sockets.find(({ online }) => online)
    expect(await left?.call("Heartbeat")).toHaveProperty("currentTime")
    await serves()
    for (const socket of sockets) await socket.close()
  })

  test("answers its other charge points while one floods it without reading an answer", async () => {
    const socket = write(upgrade())
    socket.pause()
    const text = Buffer.from(JSON.stringify([2, "flood", "Authorize", { idTag: "x".repeat(20) }]))
    const frame = Buffer.concat([new Uint8Array([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])
    const flood = Buffer.concat(Array.from({ length: 2_000 }, () => frame))
    for (let round = 0; round < 10; round++) {
      socket.write(flood)
      await serves()
    }
    socket.destroy()
    await serves()
  })
})
