/** The generator's own WebSocket client, held against RFC 6455 by servers that cut their bytes where they like. */
import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import type { Socket } from "bun"
import { dial, textFrame } from "../../bench/load/socket.ts"
import { until } from "../support/until.ts"

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** A server's text frame. */
function sent(text: string, head = 0x81): Buffer {
  const payload = Buffer.from(text, "latin1")
  if (payload.length < 126) return Buffer.concat([Buffer.from([head, payload.length]), payload])
  const length = Buffer.alloc(payload.length < 65_536 ? 4 : 10)
  length[0] = head
  length[1] = payload.length < 65_536 ? 126 : 127
  if (payload.length < 65_536) length.writeUInt16BE(payload.length, 2)
  else length.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([length, payload])
}

/** A bare TCP server that takes the upgrade and says these bytes in these pieces, the first with its answer. */
function startRawServer(pieces: (accept: string) => Buffer[]) {
  const received: Buffer[] = []
  const server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket: Socket<undefined>, bytes) {
        received.push(Buffer.from(bytes))
        const key = /Sec-WebSocket-Key: (\S+)/.exec(bytes.toString("latin1"))?.[1]
        if (key === undefined) return
        const accept = createHash("sha1")
          .update(key + GUID)
          .digest("base64")
        const say = async () => {
          for (const piece of pieces(accept)) {
            socket.write(piece)
            socket.flush()
            await Bun.sleep(1)
          }
        }
        void say()
      },
    },
  })
  return { url: new URL(`ws://127.0.0.1:${server.port}/ocpp/CP-1`), received, stop: () => server.stop(true) }
}

const head = (accept: string): Buffer =>
  Buffer.from(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)

/** What comes until so many texts are there or the connection is over. */
async function heard(pieces: (accept: string) => Buffer[], texts: number) {
  const server = startRawServer(pieces)
  const told: string[] = []
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = dial(
    { url: server.url, protocol: "ocpp1.6" },
    {
      opened: () => socket.send(textFrame("hello")),
      text: (text) => {
        told.push(text)
        if (told.length === texts) resolve(undefined)
      },
      closed: resolve,
    },
  )
  const reason = await promise
  socket.cut()
  server.stop()
  return { told, reason, received: Buffer.concat(server.received) }
}

describe("the generator's WebSocket", () => {
  const lengths = [0, 1, 125, 126, 65_535, 65_536]

  test.each(lengths)("reads a frame of %d bytes that comes with the answer to the upgrade", async (length) => {
    const text = "x".repeat(length)
    expect((await heard((accept) => [Buffer.concat([head(accept), sent(text)])], 1)).told).toEqual([text])
  })

  test("reads several frames in one piece, and one in several", async () => {
    const bytes = Buffer.concat([sent("one"), sent("two"), sent("y".repeat(300))])
    const cuts = [1, 2, 6, 7, 8, 11, 12, 14, 200]
    const pieces = [...cuts, bytes.length].map((to, index) => bytes.subarray(cuts[index - 1] ?? 0, to))
    const { told } = await heard((accept) => [head(accept), ...pieces], 3)
    expect(told).toEqual(["one", "two", "y".repeat(300)])
  })

  test("reads the answer to the upgrade in pieces", async () => {
    const { told } = await heard((accept) => {
      const bytes = Buffer.concat([head(accept), sent("in")])
      return [bytes.subarray(0, 20), bytes.subarray(20, 90), bytes.subarray(90)]
    }, 1)
    expect(told).toEqual(["in"])
  })

  test("puts fragments together", async () => {
    const fragments = [sent("a", 0x01), sent("b", 0x00), sent("", 0x89), sent("c", 0x80)]
    expect((await heard((accept) => [head(accept), ...fragments], 1)).told).toEqual(["abc"])
  })

  test("answers a ping with what it carried, and masks all that it sends", async () => {
    const server = startRawServer((accept) => [head(accept), sent("beat", 0x89)])
    const socket = dial(
      { url: server.url },
      { opened: () => socket.send(textFrame("hello")), text: () => undefined, closed: () => undefined },
    )
    const said = () => Buffer.concat(server.received).toString("latin1")
    await until(
      "the text and the pong have come",
      () => said().includes("\x81\x85\0\0\0\0hello") && said().includes("\x8a\x84\0\0\0\0beat"),
    )
    socket.cut()
    server.stop()
  })

  test("tells why it was closed", async () => {
    const { reason } = await heard((accept) => [head(accept), sent("\x03\xf0off", 0x88)], 1)
    expect(reason).toBe("closed with 1008 off")
  })

  test("takes no other answer to its upgrade", async () => {
    const refusal = Buffer.from("HTTP/1.1 503 Service Unavailable\r\n\r\n")
    expect((await heard(() => [refusal], 1)).reason).toContain("503")
    expect((await heard(() => [head("somebody-else's")], 1)).reason).toContain("refused")
  })
})
