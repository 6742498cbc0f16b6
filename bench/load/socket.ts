/**
 * A WebSocket client as lean as a load generator needs it: frames are prepared bytes, replies are looked at where they
 * arrive, and nothing else happens. RFC 6455.
 */
import { createHash, randomBytes } from "node:crypto"
import type { Socket } from "bun"

export interface SocketOptions {
  /** ws: or wss:, with the whole path. */
  url: URL
  /** What is offered as Sec-WebSocket-Protocol. */
  protocol?: string
  headers?: Record<string, string>
}

export interface SocketEvents {
  opened(): void
  /** ASCII is as it was sent; other characters arrive as their bytes, one character each. */
  text(text: string): void
  /** Once, also for a connection that was never made. */
  closed(reason: string): void
}

const TEXT = 0x81
const CLOSE = 0x88
const PONG = 0x8a
const MAX_HEAD_BYTES = 16 * 1024

/**
 * A client's text frame. The masking key is zero: the server unmasks as it does with any other, while the bytes of the
 * payload stay where they can be changed before the frame is sent again.
 */
export function textFrame(text: string): Buffer {
  return frame(TEXT, Buffer.from(text))
}

/** Where the payload of a client's frame of so many payload bytes begins. */
export const payloadOffset = (payloadBytes: number): number => (payloadBytes < 126 ? 6 : payloadBytes < 65_536 ? 8 : 14)

function frame(head: number, payload: Uint8Array): Buffer {
  const offset = payloadOffset(payload.length)
  const bytes = Buffer.alloc(offset + payload.length)
  bytes[0] = head
  if (offset === 6) bytes[1] = 0x80 | payload.length
  else if (offset === 8) {
    bytes[1] = 0x80 | 126
    bytes.writeUInt16BE(payload.length, 2)
  } else {
    bytes[1] = 0x80 | 127
    bytes.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  bytes.set(payload, offset)
  return bytes
}

/** One connection; made by `dial`. */
export class LoadSocket {
  readonly #events: SocketEvents
  readonly #key = randomBytes(16).toString("base64")
  #socket: Socket<LoadSocket> | undefined
  #isOpen = false
  #isOver = false
  /** Bytes that are no whole frame yet. */
  #rest: Buffer | undefined
  /** What a full send buffer did not take. */
  #unsent: Buffer | undefined
  #fragments = ""

  constructor(events: SocketEvents) {
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isOver
  }

  /** Sends a frame made by `textFrame`; its bytes may be changed as soon as this returns. */
  send(bytes: Uint8Array): void {
    if (this.#isOver) return
    if (this.#unsent !== undefined) {
      this.#unsent = Buffer.concat([this.#unsent, bytes])
      return
    }
    const written = this.#socket?.write(bytes) ?? 0
    if (written >= 0 && written < bytes.length) this.#unsent = Buffer.from(bytes.subarray(written))
  }

  /** Goes without a word, as when the cable is cut; `closed` is not called. */
  cut(): void {
    this.#isOver = true
    this.#socket?.terminate()
  }

  /** @internal */
  connected(socket: Socket<LoadSocket>, { url, protocol, headers }: SocketOptions): void {
    this.#socket = socket
    if (this.#isOver) {
      socket.terminate()
      return
    }
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${this.#key}`,
      "Sec-WebSocket-Version: 13",
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
      ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ]
    this.send(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`))
  }

  /** @internal */
  drained(): void {
    const unsent = this.#unsent
    this.#unsent = undefined
    if (unsent !== undefined) this.send(unsent)
  }

  /** @internal */
  ended(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#socket?.terminate()
    this.#events.closed(reason)
  }

  /** @internal */
  received(bytes: Buffer): void {
    if (this.#isOver) return
    const length = bytes[1] ?? 0
    // Nearly always: one short text frame, whole and alone.
    if (this.#isOpen && this.#rest === undefined && bytes[0] === TEXT && length < 126 && bytes.length === length + 2) {
      this.#events.text(bytes.toString("latin1", 2))
      return
    }
    const all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
    this.#rest = undefined
    const left = this.#isOpen ? this.#readFrames(all) : this.#readHead(all)
    if (left.length > 0 && !this.#isOver) this.#rest = Buffer.from(left)
  }

  /** The server's answer to the upgrade; gives back what it did not use. */
  #readHead(bytes: Buffer): Buffer {
    const end = bytes.indexOf("\r\n\r\n")
    if (end < 0) {
      if (bytes.length > MAX_HEAD_BYTES) this.ended("no end of the answer to the upgrade")
      return bytes
    }
    const head = bytes.toString("latin1", 0, end)
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
    const accept = /\r\nsec-websocket-accept: *(\S+)/i.exec(head)?.[1]
    const expected = createHash("sha1").update(`${this.#key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
    if (status !== "101" || accept !== expected) {
      this.ended(`the upgrade was refused: ${head.split("\r\n", 1)[0]}`)
      return bytes.subarray(bytes.length)
    }
    this.#isOpen = true
    this.#events.opened()
    return this.#readFrames(bytes.subarray(end + 4))
  }

  /** Reads whole frames; gives back what is not whole yet. */
  #readFrames(bytes: Buffer): Buffer {
    let at = 0
    while (!this.#isOver && bytes.length - at >= 2) {
      const head = bytes[at] ?? 0
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length - at < headBytes) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      const from = at + headBytes
      if (bytes.length - from < length) break
      at = from + length
      this.#take(head, bytes, from, at)
    }
    return bytes.subarray(at)
  }

  #take(head: number, bytes: Buffer, from: number, to: number): void {
    const opcode = head & 0x0f
    if (opcode === 0x9) this.send(frame(PONG, bytes.subarray(from, to)))
    else if (opcode === 0x8) {
      const code = to - from >= 2 ? bytes.readUInt16BE(from) : 1005
      this.send(frame(CLOSE, bytes.subarray(from, to)))
      this.ended(`closed with ${code} ${bytes.toString("latin1", Math.min(from + 2, to), to)}`.trim())
    } else if (opcode < 0x3) {
      const text = this.#fragments + bytes.toString("latin1", from, to)
      this.#fragments = (head & 0x80) === 0 ? text : ""
      if ((head & 0x80) !== 0) this.#events.text(text)
    }
  }
}

/** Opens a connection; what becomes of it is told by the events. */
export function dial(options: SocketOptions, events: SocketEvents): LoadSocket {
  const { url } = options
  const line = new LoadSocket(events)
  const isSecure = url.protocol === "wss:" || url.protocol === "https:"
  Bun.connect<LoadSocket>({
    hostname: url.hostname,
    port: Number(url.port) || (isSecure ? 443 : 80),
    tls: isSecure,
    data: line,
    socket: {
      open: (socket) => line.connected(socket, options),
      data: (_socket, bytes) => line.received(bytes),
      drain: () => line.drained(),
      close: () => line.ended("the connection was lost"),
      error: (_socket, cause) => line.ended(cause.message),
      connectError: (_socket, cause) => line.ended(cause.message),
    },
  }).catch((cause: unknown) => line.ended(cause instanceof Error ? cause.message : String(cause)))
  return line
}
