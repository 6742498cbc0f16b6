import { afterAll, beforeAll, expect, test } from "bun:test"
import { connect, type Socket } from "node:net"
import { until } from "../support/until.ts"
import { chargePoint, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig({ maxWaiting: 50 })
  token = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

// Each change weighs some 13 kB, so that what networks and kernels hold is soon full.
const WIDE = Array.from({ length: 49 }, (_, index) => `a${index}: identity`).join(" ")
const query = `subscription { chargePointChanged { chargePoint { heartbeatIntervalS ${WIDE} } } }`

/** A connection that writes, and reads only when told to. */
async function slowly(request: string): Promise<Socket> {
  const socket = connect(rig.port, "127.0.0.1")
  await new Promise<void>((resolve) => socket.once("connect", resolve))
  socket.write(request)
  return socket
}

const chunk = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.once("data", (data) => resolve(String(data))))

const ROUNDS = 150
const CHANGES_A_ROUND = 10

/** Changes things some 20 MB worth, while somebody who asks the same and reads fast is told of every change. */
async function changeMuch(): Promise<void> {
  const changes = rig.sse(token).iterate({ query })
  const created = changes.next()
  await until("the fast reader is there", () => rig.subscriptions() === 2)
  expect(await rig.metric("busbar_subscription_groups")).toBe(1)
  const { id } = await chargePoint(rig, `X${crypto.randomUUID()}`.padEnd(255, "x"))
  await created
  for (let round = 0; round < ROUNDS; round++) {
    const intervals = Array.from({ length: CHANGES_A_ROUND }, (_, index) => round * CHANGES_A_ROUND + index + 1)
    const change = (heartbeatIntervalS: number) =>
      rig.store.change("updateChargePoint", {
        organisationId: "default",
        chargePointId: id,
        at: 1,
        change: { heartbeatIntervalS },
      })
    await Promise.all(intervals.map(change))
    for (const heartbeatIntervalS of intervals) {
      const { value } = await changes.next()
      expect(value).toMatchObject({ data: { chargePointChanged: { chargePoint: { heartbeatIntervalS } } } })
    }
  }
  await changes.return?.()
}

/** Reads on until the text is there. */
async function readUntil(socket: Socket, text: string): Promise<string> {
  let tail = ""
  socket.resume()
  for await (const data of socket) {
    tail = (tail + String(data)).slice(-100_000)
    if (tail.includes(text)) break
  }
  socket.destroy()
  return tail
}

test("over SSE, who reads too slowly is let go as LAGGING", async () => {
  const body = JSON.stringify({ query })
  const socket = await slowly(
    [
      "POST /graphql HTTP/1.1",
      "host: busbar",
      "accept: text/event-stream",
      "content-type: application/json",
      `authorization: Bearer ${token}`,
      `content-length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  )
  expect(await chunk(socket)).toStartWith("HTTP/1.1 200")
  await until("the subscription is open", () => rig.subscriptions() === 1)
  socket.pause()
  await changeMuch()
  expect(await readUntil(socket, "LAGGING")).toContain('"code":"LAGGING"')
  await until("the server lets go", () => rig.subscriptions() === 0)
})

/** A text frame from a client, masked with zeros. RFC 6455 §5.2. */
function frame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message))
  const header = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0])
  header.writeUInt16BE(text.length, 2)
  return Buffer.concat([header, text])
}

test("over a socket, who reads too slowly is let go as LAGGING", async () => {
  const socket = await slowly(
    [
      "GET /graphql HTTP/1.1",
      "host: busbar",
      "upgrade: websocket",
      "connection: upgrade",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol: graphql-transport-ws",
      "",
      "",
    ].join("\r\n"),
  )
  expect(await chunk(socket)).toStartWith("HTTP/1.1 101")
  socket.write(frame({ type: "connection_init", payload: { token } }))
  expect(await chunk(socket)).toContain("connection_ack")
  socket.write(frame({ id: "1", type: "subscribe", payload: { query } }))
  await until("the subscription is open", () => rig.subscriptions() === 1)
  socket.pause()
  await changeMuch()
  expect(await readUntil(socket, "LAGGING")).toContain('"code":"LAGGING"')
  await until("the server lets go", () => rig.subscriptions() === 0)
})
