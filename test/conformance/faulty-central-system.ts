/** A central system that is right, made faulty on the wire: a WebSocket proxy before it that plants one fault. */
import { connect } from "node:net"
import type { ServerWebSocket } from "bun"

export type Side = "charge point" | "central system"

/** A frame of OCPP-J on its way. */
export interface Frame {
  from: Side
  parts: unknown[]
  /** Of the CALL, also where this is its answer. */
  action: string
  /** Whether the central system has a CALL of its own unanswered on this connection. */
  waiting: boolean
}

/** What becomes of a frame: what goes on in its place, in order; too late, or with the connection closed behind it. */
export interface Outcome {
  frames: unknown[][]
  late?: boolean
  closes?: boolean
}

/** A fault in what a central system does. */
export interface Fault {
  name: string
  /** Where it is planted: at an opened connection, when the wire has fallen silent, at a frame, or at an upgrade. */
  at: "open" | "silence" | "frame" | "upgrade" | "close"
  /** At a frame: what becomes of it; undefined where the fault cannot be planted. */
  frame?(frame: Frame): Outcome | undefined
  /** At an upgrade: the status it is answered with instead, given the central system's own. */
  upgrade?(status: number): number | undefined
  /** At which of the places where it can be planted; the last unless told. */
  place?: "every"
  /** Only these cases can notice it; every case where it can be planted unless told. */
  only?: readonly string[]
  /** How a case that notices it puts it. */
  noticed: RegExp
}

/** The way of one play of a case through the proxy. */
export interface Lane {
  /** Up to and including `/ocpp`. */
  readonly ocppUrl: string
  /** How often the fault was planted. */
  readonly planted: number
  /** At how many places each fault could have been planted. */
  places(fault: Fault): number
}

/** Which fault, at which of its places, counted from 1, and how long a case waits. */
export interface Planting {
  fault: Fault
  place: number
  patienceMs: number
}

export interface FaultyCentralSystem extends AsyncDisposable {
  /** A lane that plants a fault; without one it only counts the places where each could be planted. */
  lane(planting?: Planting): Lane
}

/** After so long without a frame the wire is silent, ms. */
const SILENCE_MS = 50

/** The CALL that nobody asked for. */
const unasked = () => JSON.stringify([2, crypto.randomUUID(), "GetConfiguration", {}])

interface Link {
  lane: LaneOfOneCase
  up: WebSocket
  down?: ServerWebSocket<Link>
  /** What came before the charge point's side was open. */
  early: string[]
  /** The actions of CALLs by unique id, of both sides. */
  actions: Map<string, string>
  /** Unique ids of the central system's CALLs that are unanswered. */
  unanswered: Set<string>
}

/** Starts the proxy before a central system whose URL goes up to and including `/ocpp`. */
export function startFaultyCentralSystem(ocppUrl: string, faults: readonly Fault[]): FaultyCentralSystem {
  const lanes = new Map<string, LaneOfOneCase>()
  const server = Bun.serve<Link>({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request, self) {
      const [, name = "", path = ""] = /^\/([^/]+)\/ocpp(\/.*)$/.exec(new URL(request.url).pathname) ?? []
      const lane = lanes.get(name)
      if (!lane) return new Response(null, { status: 404 })
      const headers: Record<string, string> = {}
      const authorization = request.headers.get("authorization")
      if (authorization !== null) headers["authorization"] = authorization
      const up = new WebSocket(ocppUrl + path, { protocols: ["ocpp1.6"], headers, perMessageDeflate: false })
      const link: Link = { lane, up, early: [], actions: new Map(), unanswered: new Set() }
      up.onmessage = ({ data }) => fromCentralSystem(link, String(data))
      up.onclose = ({ code }) => lane.closed(() => link.down?.close(code === 1006 ? 1011 : code))
      const status = (await opened(up)) ? 101 : await statusOf(ocppUrl + path, authorization)
      const answered = lane.upgraded(status) ?? status
      if (answered === 101 && self.upgrade(request, { data: link, headers: { "Sec-WebSocket-Protocol": "ocpp1.6" } }))
        return undefined
      up.close()
      return new Response(null, { status: answered })
    },
    websocket: {
      perMessageDeflate: false,
      open(down) {
        const link = down.data
        link.down = down
        link.lane.opened((text) => down.readyState === WebSocket.OPEN && down.send(text) > 0)
        for (const text of link.early.splice(0)) down.send(text)
      },
      message: (down, text) => fromChargePoint(down.data, String(text)),
      close: (down) => down.data.up.close(),
    },
  })
  let last = 0
  return {
    lane(planting) {
      const name = String(++last)
      const lane = new LaneOfOneCase(`ws://127.0.0.1:${server.port}/${name}/ocpp`, faults, planting)
      lanes.set(name, lane)
      return lane
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true)
    },
  }
}

function fromCentralSystem(link: Link, text: string): void {
  const deliver = (each: string) => {
    if (link.down) link.down.send(each)
    else link.early.push(each)
  }
  pass(link, "central system", text, deliver)
}

function fromChargePoint(link: Link, text: string): void {
  pass(link, "charge point", text, (each) => {
    if (link.up.readyState === WebSocket.OPEN) link.up.send(each)
  })
}

function pass(link: Link, from: Side, text: string, deliver: (text: string) => void): void {
  const parts = JSON.parse(text) as unknown[]
  const [type, uniqueId, third] = parts
  const id = String(uniqueId)
  const [calls, answers] =
    from === "charge point" ? ["charge point", "central system"] : ["central system", "charge point"]
  if (type === 2) link.actions.set(`${calls} ${id}`, String(third))
  if (type === 2 && from === "central system") link.unanswered.add(id)
  const action = link.actions.get(`${type === 2 ? calls : answers} ${id}`) ?? ""
  const { frames, late, closes } = link.lane.passed({ from, parts, action, waiting: link.unanswered.size > 0 })
  if (type !== 2 && from === "charge point") link.unanswered.delete(id)
  const go = () => {
    for (const frame of frames) deliver(JSON.stringify(frame))
    if (closes) link.down?.close(1001)
  }
  if (late) setTimeout(go, 1.5 * link.lane.patienceMs)
  else go()
}

class LaneOfOneCase implements Lane {
  readonly ocppUrl: string
  readonly patienceMs: number
  planted = 0
  readonly #faults: readonly Fault[]
  readonly #fault: Fault | undefined
  readonly #place: number
  readonly #places = new Map<Fault, number>()
  #silence: Timer | undefined
  #newest: ((text: string) => boolean) | undefined

  constructor(ocppUrl: string, faults: readonly Fault[], planting: Planting | undefined) {
    this.ocppUrl = ocppUrl
    this.#faults = planting ? [planting.fault] : faults
    this.#fault = planting?.fault
    this.#place = planting?.place ?? 0
    this.patienceMs = planting?.patienceMs ?? 0
  }

  places(fault: Fault): number {
    return this.#places.get(fault) ?? 0
  }

  /** A charge point is connected; `send` reaches it, or says that it is gone. */
  opened(send: (text: string) => boolean): void {
    this.#newest = send
    for (const fault of this.#faults) if (fault.at === "open" && this.#plants(fault)) send(unasked())
    this.#listen()
  }

  passed(frame: Frame): Outcome {
    this.#listen()
    let outcome: Outcome = { frames: [frame.parts] }
    for (const fault of this.#faults) {
      const faulty = fault.at === "frame" ? fault.frame?.(frame) : undefined
      if (faulty && this.#plants(fault)) outcome = faulty
    }
    return outcome
  }

  /** The status of an upgrade, where it shall be another than the central system's own. */
  upgraded(status: number): number | undefined {
    for (const fault of this.#faults) {
      const faulty = fault.at === "upgrade" ? fault.upgrade?.(status) : undefined
      if (faulty !== undefined && this.#plants(fault)) return faulty
    }
    return undefined
  }

  /** The central system closed a connection; `close` tells the charge point. */
  closed(close: () => void): void {
    for (const fault of this.#faults) if (fault.at === "close" && this.#plants(fault)) return
    close()
  }

  /** Notices when nothing has passed for a while. */
  #listen(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      for (const fault of this.#faults) {
        // One that meets a connection on its way out is lost, and said again on the next.
        if (fault.at === "silence" && this.#plants(fault) && this.#newest?.(unasked())) this.#listen()
      }
    }, SILENCE_MS)
  }

  /** Counts the place, and says whether this fault is to be planted here. */
  #plants(fault: Fault): boolean {
    const place = this.places(fault) + 1
    this.#places.set(fault, place)
    if (fault !== this.#fault || (fault.place !== "every" && place !== this.#place)) return false
    this.planted++
    return true
  }
}

/** Whether the upgrade was accepted. */
function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true))
    socket.addEventListener("close", () => resolve(false))
  })
}

/** The HTTP status of a refused upgrade, which a WebSocket client does not tell. */
function statusOf(url: string, authorization: string | null): Promise<number> {
  const { hostname, port, pathname } = new URL(url)
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    ...[`Host: ${hostname}:${port}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
    ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: ocpp1.6"],
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
  ]
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(`${lines.join("\r\n")}\r\n\r\n`))
    socket.on("error", reject)
    socket.once("data", (bytes) => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString())?.[1]))
    })
  })
}
