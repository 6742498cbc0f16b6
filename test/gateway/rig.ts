/** A gateway on a free port with everything behind it, and the peers that call on it. */
import { mkdtemp, rm } from "node:fs/promises"
import { connect as connectTcp, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type RedisBus, openBus } from "../../src/bus/bus.ts"
import { Closing } from "../../src/closing.ts"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway/server.ts"
import { type GatewayServices, type GatewayServicesOptions, openGatewayServices } from "../../src/gateway/services.ts"
import { createLog } from "../../src/log.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { Lines } from "../../src/services/lines.ts"
import { Passwords } from "../../src/services/passwords.ts"
import { type Store, StoreUnavailable } from "../../src/services/ports.ts"
import { newChargePoint } from "../../src/services/registration.ts"
import { openStore } from "../../src/store/index.ts"
import { until } from "../support/until.ts"

export const bootNotification = { chargePointVendor: "Vendor", chargePointModel: "Model" }

export interface RigOptions {
  gateway?: Partial<
    Pick<
      GatewayOptions,
      | "pingIntervalMs"
      | "maxFrameBytes"
      | "maxUnsentBytes"
      | "storeTroubleLimitMs"
      | "drainMs"
      | "finishMs"
      | "admissionsAtOnce"
      | "maxWaitingAdmissions"
    >
  >
  services?: Partial<
    Pick<
      GatewayServicesOptions,
      "leniency" | "openRegistration" | "hideIdentities" | "heartbeatIntervalS" | "bootRetryIntervalS"
    >
  >
}

export type Rig = Awaited<ReturnType<typeof startRig>>

/** Real socket, real Redis, real SQLite; nothing else listens on what it opens. */
export async function startRig({ gateway: gatewayOptions = {}, services: servicesOptions = {} }: RigOptions = {}) {
  const logLines: Record<string, unknown>[] = []
  const log = createLog("debug", { write: (line) => void logLines.push(JSON.parse(line)) })
  const clock = { now: Date.now }
  const closing = new Closing(log)
  const dataDir = await mkdtemp(join(tmpdir(), "busbar-gateway-"))
  closing.step("folder", () => rm(dataDir, { recursive: true, force: true }))
  const redis = closing.add("redis", await openRedis({ dataDir, log }))
  const store = closing.add("store", await openStore({ dataDir, log, now: clock.now }))
  const busOptions = { redis, log, clock, roles: ["gateway"], version: "test", storeId: "test" }
  const bus: RedisBus = closing.add("bus", await openBus({ ...busOptions, nodeId: "node-1" }))
  const trouble = troublesome(store)
  const passwords = new Passwords("a secret key for tests")
  const lines = new Lines()
  const services: GatewayServices = closing.add(
    "services",
    openGatewayServices({
      store: trouble.store,
      bus,
      lines,
      passwords,
      clock,
      log,
      leniency: "tolerant",
      openRegistration: false,
      hideIdentities: false,
      heartbeatIntervalS: 300,
      bootRetryIntervalS: 60,
      ...servicesOptions,
    }),
  )
  const gateway: Gateway = closing.add(
    "gateway",
    startGateway({
      host: "127.0.0.1",
      port: 0,
      services,
      log,
      pingIntervalMs: 60_000,
      maxFrameBytes: 262_144,
      storeTroubleLimitMs: 60_000,
      drainMs: 0,
      ...gatewayOptions,
    }),
  )
  store.onJournal(({ events }) => {
    for (const { event } of events) if (event.type === "ChargePoint") gateway.chargePointUpdated(event.chargePoint)
  })

  const peers: Peer[] = []
  const row = async (identity: string): Promise<ChargePointRow> => {
    const found = await store.read.chargePointByIdentity(identity)
    if (found === undefined) throw new Error(`no charge point ${identity}`)
    return found
  }
  return {
    gateway,
    services,
    store,
    bus,
    busOptions,
    lines,
    logLines,
    trouble,
    row,
    url: (identity: string) => `ws://127.0.0.1:${gateway.port}/ocpp/${identity}`,
    /** Announces a charge point, accepted long ago unless told otherwise. */
    async announce(
      identity: string,
      { password, ...settings }: Partial<ChargePointRow> & { password?: string } = {},
    ): Promise<ChargePointRow> {
      const given = newChargePoint("default", identity, clock.now())
      const secured = password === undefined ? {} : { securityProfile: 1, passwordHash: passwords.hash(password) }
      const chargePoint = { ...given, acceptedAt: 1, ...secured, ...settings }
      await store.change("createChargePoint", { chargePoint })
      return chargePoint
    },
    /** A WebSocket that offers `ocpp1.6`; resolves when it is open, rejects with the refusal's close. */
    async connect(identity: string, headers: Record<string, string> = {}): Promise<Peer> {
      const peer = await Peer.open(`ws://127.0.0.1:${gateway.port}/ocpp/${identity}`, headers)
      peers.push(peer)
      return peer
    },
    /** A handshake written by hand. */
    knock: (request: HandshakeRequest) => knock(gateway.port, request),
    /** What has been tolerated, as `kind place`, once this deviation is among it. */
    async deviationsOf(identity: string, expected: string): Promise<string[]> {
      const { id } = await row(identity)
      return until(`${expected} recorded`, async () => {
        await services.deviations.flush()
        const rows = await store.read.deviationsOf([id])
        const seen = rows.map(({ kind, place }) => `${kind} ${place}`)
        return seen.includes(expected) && seen
      })
    },
    async messagesOf(identity: string) {
      await services.wireLog.flush()
      const { rows } = await store.read.messagesOf((await row(identity)).id, {}, { first: 100 })
      return rows.map(({ row: message }) => message).reverse()
    },
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.socket.close()
      await closing.run()
    },
  }
}

/** The store with a switch: while it is off, every call fails as it does without a database. */
function troublesome(store: Store) {
  let since: number | null = null
  const check = () => {
    if (since !== null) throw new StoreUnavailable("switched off")
  }
  const failing: GatewayServicesOptions["store"] = {
    async change(name, input) {
      check()
      return store.change(name, input)
    },
    read: new Proxy(store.read, {
      get(target, name: keyof Store["read"], receiver) {
        check()
        return Reflect.get(target, name, receiver)
      },
    }),
    async addDeviations(rows) {
      check()
      return store.addDeviations(rows)
    },
    async putSetting(key, value) {
      check()
      return store.putSetting(key, value)
    },
    async addMessages(rows) {
      check()
      return store.addMessages(rows)
    },
    troubleSince: () => since,
  }
  return {
    store: failing,
    begin: (at = Date.now()) => {
      since = at
    },
    end: () => {
      since = null
    },
  }
}

// A browser's WebSocket, whose type a library brings in, takes no headers.
const BunWebSocket = WebSocket as new (url: string, options: object) => WebSocket

/** A WebSocket client that keeps what arrives until somebody asks. */
export class Peer {
  readonly socket: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #texts: string[] = []
  readonly #askers: ((text: string) => void)[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }))
    })
    socket.addEventListener("message", ({ data }) => {
      const asker = this.#askers.shift()
      if (asker === undefined) this.#texts.push(String(data))
      else asker(String(data))
    })
  }

  static async open(url: string, headers: Record<string, string>): Promise<Peer> {
    const peer = new Peer(new BunWebSocket(url, { protocols: ["ocpp1.6"], headers }))
    const opened = new Promise<"open">((resolve) => peer.socket.addEventListener("open", () => resolve("open")))
    const first = await Promise.race([opened, peer.closed])
    if (first !== "open") throw new Error(`refused: ${first.code} ${first.reason}`)
    return peer
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame))
  }

  /** The next frame nobody asked for yet. */
  async next(): Promise<unknown[]> {
    const kept = this.#texts.shift()
    if (kept !== undefined) return JSON.parse(kept)
    const arrived = new Promise<string>((resolve) => this.#askers.push(resolve))
    const closed = this.closed.then(({ code, reason }) => Promise.reject(new Error(`closed: ${code} ${reason}`)))
    return JSON.parse(await Promise.race([arrived, closed]))
  }

  /** Sends a CALL and takes the next frame for its answer. */
  async call(action: string, payload: object, uniqueId: string = crypto.randomUUID()): Promise<unknown[]> {
    this.send([2, uniqueId, action, payload])
    return this.next()
  }

  get unread(): number {
    return this.#texts.length
  }
}

export interface HandshakeRequest {
  path: string
  method?: string
  /** Put in place of the usual ones; null leaves one out. */
  headers?: Record<string, string | null>
}

export interface HandshakeAnswer {
  status: number
  headers: Headers
  socket: Socket
}

/** Writes an upgrade request byte by byte and reads the head of the answer. The caller destroys the socket. */
export async function knock(
  port: number,
  { path, method = "GET", headers = {} }: HandshakeRequest,
): Promise<HandshakeAnswer> {
  const usual: Record<string, string | null> = {
    Host: `127.0.0.1:${port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64"),
    "Sec-WebSocket-Protocol": "ocpp1.6",
    ...headers,
  }
  const lines = Object.entries(usual).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  const socket = connectTcp(port, "127.0.0.1")
  socket.write([`${method} ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1")
  const head = await new Promise<string>((resolve, reject) => {
    let read = ""
    const onData = (data: Buffer) => {
      read += data.toString("latin1")
      const end = read.indexOf("\r\n\r\n")
      if (end < 0) return
      socket.off("data", onData)
      resolve(read.slice(0, end))
    }
    socket.on("data", onData)
    socket.on("error", reject)
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(read)}`)))
  })
  const [statusLine = "", ...headerLines] = head.split("\r\n")
  const pairs = headerLines.map((line): [string, string] => [
    line.slice(0, line.indexOf(":")),
    line.slice(line.indexOf(":") + 1).trim(),
  ])
  return { status: Number(statusLine.split(" ")[1]), headers: new Headers(pairs), socket }
}

/** One masked frame of a client. RFC 6455 §5.2. */
export function clientFrame(payload: string | Uint8Array, opcode = 1): Buffer {
  const data = Buffer.from(payload as string)
  const mask = crypto.getRandomValues(new Uint8Array(4))
  const length =
    data.length < 126
      ? Buffer.from([0x80 | data.length])
      : Buffer.from([0x80 | 126, data.length >> 8, data.length & 0xff])
  const masked = data.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, masked])
}

export const basic = (user: string, password: string | Uint8Array): string =>
  `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password as string)]).toString("base64")}`
