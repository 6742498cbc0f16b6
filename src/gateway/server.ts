/** The listener for charge points: upgrade requests are judged, sockets opened, watched and handed back. */
import type { Server, ServerWebSocket } from "bun"
import type { ChargePointState } from "../facts/events.ts"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Admission, HandshakeDeviation, Knock } from "../services/admission.ts"
import { StoreUnavailable } from "../services/ports.ts"
import { type Admitted, Connection, type ConnectionSurroundings } from "./connection.ts"
import { Gate, type Pass } from "./gate.ts"
import { isChargePointPath, pathOf, readHandshake } from "./handshake.ts"
import { RateLimited } from "./rate-limited.ts"
import { Rounds } from "./rounds.ts"
import type { GatewayServices } from "./services.ts"

export interface GatewayOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** What is served beside the sockets: undefined for a path that is not its own. */
  files?: (request: Request, pathname: string) => Promise<Response | undefined>
  /** The largest body that `files` takes. */
  maxBodyBytes?: number
  services: GatewayServices
  log: Log
  /**
   * A socket silent for this long is pinged, and closed after twice as long; one that never answers pings after the
   * greater of that and twice its heartbeat interval.
   */
  pingIntervalMs: number
  /** Larger frames close the socket with 1009. */
  maxFrameBytes: number
  /** Bytes that may wait for a slow reader before its socket is given up. */
  maxUnsentBytes?: number
  /** After this long without a working store, charge points are sent away. */
  storeTroubleLimitMs: number
  /** Over how long sockets are handed back at a stop. */
  drainMs: number
  /** How long CALLs under way are waited for at a stop. */
  finishMs?: number
  /** So many charge points are admitted at once; the others wait for their turn. */
  admissionsAtOnce?: number
  /** When so many wait, those that come are told to come later. */
  maxWaitingAdmissions?: number
}

/** The running gateway. Disposing hands the sockets back one by one and writes what they leave; twice is once. */
export interface Gateway extends AsyncDisposable {
  readonly port: number
  /** Whether upgrades are admitted now. */
  readonly isServing: boolean
  /**
   * The row of a charge point was changed (its events Updated and Offline): its connection takes over acceptance,
   * leniency, wire log and heartbeat interval with the next message.
   */
  chargePointUpdated(state: ChargePointState): void
}

interface SocketData {
  /** Until the socket is open; thousands of idle ones need not keep it. */
  opening?: Opening
  connection?: Connection
}

interface Opening {
  admitted: Admitted
  /** Given back when the socket is claimed. */
  pass: Pass
}

const DEFAULT_MAX_BODY_BYTES = 64 * 1024
/** How long a file's transfer may pause. */
const FILE_IDLE_S = 60
const DEFAULT_MAX_UNSENT_BYTES = 1024 * 1024
const DEFAULT_FINISH_MS = 10_000
const DEFAULT_ADMISSIONS_AT_ONCE = 250
const DEFAULT_MAX_WAITING_ADMISSIONS = 10_000
const TICK_MS = 250
/** How precisely silence is noticed: in parts of the ping interval, but not rarer than this. */
const ALIVE_CHECKS_PER_INTERVAL = 4
const MAX_ALIVE_CHECK_MS = 5000
/** s, with a share at random so that those sent away do not come back all at once. */
const RETRY_AFTER_S = 5
const RETRY_AFTER_SPREAD_S = 10

/** Starts to listen. @throws where the port is taken. */
export function startGateway(options: GatewayOptions): Gateway {
  return new RunningGateway(options)
}

class RunningGateway implements Gateway {
  readonly #options: GatewayOptions
  readonly #server: Server<SocketData>
  readonly #connections = new Set<Connection>()
  readonly #opening = new Set<Connection>()
  readonly #gate: Gate
  readonly #around: ConnectionSurroundings
  readonly #refusals: RateLimited
  readonly #timer: Timer
  #isStopping = false
  #isStoreLost = false
  #storeCheckedAt: number
  #stopped: Promise<void> | undefined

  constructor(options: GatewayOptions) {
    const { services, log, pingIntervalMs } = options
    this.#options = options
    this.#gate = new Gate({
      atOnce: options.admissionsAtOnce ?? DEFAULT_ADMISSIONS_AT_ONCE,
      maxWaiting: options.maxWaitingAdmissions ?? DEFAULT_MAX_WAITING_ADMISSIONS,
    })
    this.#refusals = new RateLimited(
      () => services.clock.now(),
      (more) => log.warn({ more }, "more upgrades were refused"),
    )
    this.#around = {
      services,
      log,
      faults: new RateLimited(
        () => services.clock.now(),
        (more) => log.error({ more }, "more messages failed"),
      ),
      pingIntervalMs,
      finishMs: options.finishMs ?? DEFAULT_FINISH_MS,
      over: (connection) => this.#connections.delete(connection),
    }
    this.#storeCheckedAt = services.clock.now()
    this.#server = this.#serve()
    this.#followBus()
    const roundMs = Math.min(MAX_ALIVE_CHECK_MS, pingIntervalMs / ALIVE_CHECKS_PER_INTERVAL)
    const tickMs = Math.min(TICK_MS, roundMs)
    const rounds = new Rounds(this.#connections, Math.floor(roundMs / tickMs))
    this.#timer = setInterval(() => {
      this.#checkStore()
      const now = services.clock.now()
      rounds.visit((connection) => connection.checkAlive(now))
    }, tickMs)
  }

  get port(): number {
    return this.#server.port ?? 0
  }

  get isServing(): boolean {
    return !this.#isStopping && !this.#isStoreLost
  }

  chargePointUpdated(state: ChargePointState): void {
    for (const connection of this.#of(state.id)) connection.update(state)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  #serve(): Server<SocketData> {
    const { host, port, maxFrameBytes, maxUnsentBytes = DEFAULT_MAX_UNSENT_BYTES } = this.#options
    return Bun.serve<SocketData>({
      hostname: host,
      port,
      maxRequestBodySize: this.#options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      fetch: (request, server) => this.#answer(request, server),
      error: (cause) => {
        this.#around.faults.write(() => this.#options.log.error({ err: cause }, "an upgrade failed"))
        return new Response(null, { status: 500 })
      },
      websocket: {
        maxPayloadLength: maxFrameBytes,
        backpressureLimit: maxUnsentBytes,
        closeOnBackpressureLimit: true,
        // keep-alive.ts pings: it knows what a charge point may leave unanswered.
        idleTimeout: 0,
        sendPings: false,
        perMessageDeflate: false,
        open: (socket) => {
          if (socket.data.opening !== undefined) this.#opened(socket, socket.data.opening)
        },
        message: (socket, data) => socket.data.connection?.received(data),
        ping: (socket) => void socket.data.connection?.heard(),
        pong: (socket) => socket.data.connection?.ponged(),
        close: (socket, code, reason) => this.#closed(socket, code, reason),
      },
    })
  }

  async #answer(request: Request, server: Server<SocketData>): Promise<Response | undefined> {
    const pathname = pathOf(request.url)
    if (pathname.startsWith("/files/")) {
      server.timeout(request, FILE_IDLE_S)
      const file = await this.#options.files?.(request, pathname)
      if (file !== undefined) return file
    }
    if (!isChargePointPath(pathname)) return plain(404, "charge points connect to /ocpp/<identity>")
    if (request.method !== "GET" || request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return upgradeRequired()
    if (!this.isServing) return unavailable()

    const pass = await this.#gate.enter(request.signal)
    if (pass === undefined) return unavailable()
    const refusal = await this.#open(request, server, pathname, pass).catch((cause: unknown) => {
      pass()
      throw cause
    })
    if (refusal !== undefined) pass()
    return refusal
  }

  /** Opens the socket, which then holds the pass; or says why not. */
  async #open(
    request: Request,
    server: Server<SocketData>,
    pathname: string,
    pass: Pass,
  ): Promise<Response | undefined> {
    const { knock, deviations } = readHandshake(pathname, request.headers)
    const admission = await this.#admit(knock)
    // A stop may have begun while the store was asked.
    if (admission === undefined || !this.isServing) return unavailable()
    if (!admission.admitted) return this.#refuse(admission, knock.writtenIdentity, server.requestIP(request)?.address)

    const { chargePoint, subprotocol } = admission
    // Before the charge point is told that its socket is open: the one that it opens next is newer, wherever that is.
    const epoch = await this.#options.services.presence.nextEpoch(chargePoint)
    if (!this.isServing) return unavailable()
    // Left out, Bun would name the first one that was offered; an empty one is left out of the answer.
    const headers = { "Sec-WebSocket-Protocol": subprotocol ?? "" }
    const data = { opening: { admitted: { chargePoint, epoch }, pass } }
    if (request.signal.aborted || !server.upgrade(request, { headers, data })) return upgradeRequired()
    this.#note(chargePoint, [...deviations, ...admission.deviations])
    return undefined
  }

  /** Undefined while nobody can be known. */
  async #admit(knock: Knock): Promise<Admission | undefined> {
    try {
      return await this.#options.services.admissions.admit(knock)
    } catch (cause) {
      if (!(cause instanceof StoreUnavailable)) throw cause
      return undefined
    }
  }

  #refuse(
    { status, reason }: Extract<Admission, { admitted: false }>,
    writtenIdentity: string,
    address: string | undefined,
  ): Response {
    const identity = writtenIdentity.slice(0, 100)
    this.#refusals.write(() => this.#options.log.warn({ status, reason, identity, address }, "an upgrade was refused"))
    const headers = status === 401 ? { "WWW-Authenticate": 'Basic realm="OCPP", charset="UTF-8"' } : undefined
    return new Response(null, headers === undefined ? { status } : { status, headers })
  }

  #note({ id: chargePointId, organisationId }: ChargePointRow, tolerated: readonly HandshakeDeviation[]): void {
    for (const { kind, example } of tolerated) {
      this.#options.services.deviations.note({ chargePointId, organisationId }, kind, "handshake", example)
    }
  }

  #opened(socket: ServerWebSocket<SocketData>, { admitted, pass }: Opening): void {
    const connection = new Connection(socket, admitted, this.#around)
    socket.data = { connection }
    this.#connections.add(connection)
    this.#opening.add(connection)
    if (!this.isServing) connection.close("Stopping")
    void connection.open().then(() => {
      pass()
      this.#opening.delete(connection)
    })
  }

  #closed({ data: { connection } }: ServerWebSocket<SocketData>, code: number, reason: string): void {
    if (connection === undefined) return
    const { chargePointId } = connection
    this.#options.log.debug({ chargePointId, code, reason }, "a socket was closed")
    connection.closed(`${code} ${reason}`.trim())
  }

  #followBus(): void {
    const { bus, presence } = this.#options.services
    bus.onSuperseded((chargePointId, epoch) => {
      for (const connection of this.#of(chargePointId)) if (connection.epoch < epoch) connection.close("Superseded")
    })
    bus.onDisconnect((chargePointId, reason) => {
      for (const connection of this.#of(chargePointId)) connection.close(reason)
    })
    bus.onReturn(() => presence.register())
  }

  /** The connections of a charge point on this node: its line, and any that is only being opened. */
  #of(chargePointId: string): Connection[] {
    const opening = [...this.#opening].filter((connection) => connection.chargePointId === chargePointId)
    const line = this.#options.services.lines.get(chargePointId)
    return line instanceof Connection ? [...opening, line] : opening
  }

  /** Without a store nothing can be answered: charge points rather keep their messages than spend their attempts. */
  #checkStore(): void {
    const { services, storeTroubleLimitMs, log } = this.#options
    const now = services.clock.now()
    const hasStoodStill = now - this.#storeCheckedAt >= storeTroubleLimitMs
    this.#storeCheckedAt = now
    // What the store said meanwhile has yet to be read.
    if (hasStoodStill) return
    const since = services.store.troubleSince()
    const wasLost = this.#isStoreLost
    this.#isStoreLost = since !== null && (wasLost || now - since >= storeTroubleLimitMs)
    if (this.#isStoreLost === wasLost) return
    if (!this.#isStoreLost) {
      log.info("the store is back: charge points are admitted again")
      return
    }
    log.error(
      { sockets: this.#connections.size },
      "the store has been unavailable for too long: charge points are sent away",
    )
    for (const connection of this.#connections) connection.close("StoreUnavailable")
  }

  async #stop(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    this.#gate.clear()
    const connections = [...this.#connections]
    const gapMs = this.#options.drainMs / Math.max(1, connections.length)
    await Promise.all(
      connections.map(async (connection, position) => {
        await Bun.sleep(position * gapMs)
        await connection.handBack()
      }),
    )
    await Promise.all([...this.#connections].map((connection) => connection.over))
    await this.#server.stop(true)
  }
}

const plain = (status: number, text: string): Response => new Response(`${text}\n`, { status })

const upgradeRequired = (): Response =>
  new Response("this is a WebSocket endpoint\n", {
    status: 426,
    headers: { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" },
  })

function unavailable(): Response {
  const retryAfterS = RETRY_AFTER_S + Math.floor(Math.random() * RETRY_AFTER_SPREAD_S)
  return new Response(null, { status: 503, headers: { "Retry-After": String(retryAfterS) } })
}
