/** Many identical subscribers to what a few triggering chargers report; each delivery is looked at, none may be missing. */
import type { Socket } from "bun"
import { Faults, type FaultRecord } from "./faults.ts"
import type { Fleet } from "./fleet.ts"
import { digits } from "./frames.ts"
import { type Counts, Histogram } from "./histogram.ts"
import { dial, textFrame } from "./socket.ts"

/** `topic` is the limit's: a socket that is sent ready strings. */
export type Transport = "graphql-transport-ws" | "sse" | "topic"

export interface AudiencePlan {
  transport: Transport
  /** ws: or http:, whole. */
  url: string
  token: string
  subscribers: number
  /** Identities of the chargers whose status is followed. */
  followed: readonly string[]
  patienceMs?: number
}

export interface FanOutResult {
  seconds: number
  /** Changes times subscribers that got them. */
  deliveries: number
  /** From the charger's frame to the subscriber. */
  latencies: Counts
  /** Of one delivery, without the frames around it. */
  bytes: number
}

const DOCUMENT = `subscription ($identities: [String!]) {
  chargePointChanged(filter: { identities: $identities }) { cursor kind connector { connectorId status info } }
}`
const MARK = /"info":"T(\d\d)-(\d{8})"/g
/** The longest end of a text that may be the beginning of a mark. */
const MARK_LENGTH = 8 + 14
const PATIENCE_MS = 10_000
const PRIMING_MS = 100
const WAIT_MS = 5

/** One change that is under way. */
interface Change {
  sentAt: number
  left: number
  done(): void
}

class Subscriber {
  /** The last change seen, by trigger. */
  readonly seen: number[]
  constructor(triggers: number) {
    this.seen = Array.from({ length: triggers }, () => 0)
  }
}

export class Audience {
  readonly #plan: AudiencePlan
  readonly #faults = new Faults()
  readonly #subscribers: Subscriber[]
  /** What each trigger has under way, and the number of its last change. */
  readonly #underWay: (Change | undefined)[]
  readonly #numbers: number[]
  #isPrimed = false
  #window: { histogram: Histogram; deliveries: number } | undefined
  #bytes = 0

  constructor(plan: AudiencePlan) {
    this.#plan = plan
    this.#subscribers = Array.from({ length: plan.subscribers }, () => new Subscriber(plan.followed.length))
    this.#underWay = plan.followed.map(() => undefined)
    this.#numbers = plan.followed.map(() => 0)
  }

  get faults(): FaultRecord {
    return this.#faults.record()
  }

  /** Subscribes all, and resolves when every one has been told something. @throws Error when that does not happen in time */
  async gather(triggers: Fleet): Promise<void> {
    const queue = this.#subscribers.values()
    const work = async () => {
      for (const subscriber of queue)
        await (this.#plan.transport === "sse" ? this.#listen(subscriber) : this.#subscribe(subscriber))
    }
    await Promise.all(Array.from({ length: 50 }, work))
    // Nothing tells a subscriber that it is one, except an event.
    const deadline = performance.now() + this.#patienceMs * 3
    const isIn = (each: Subscriber) => each.seen[0] === this.#numbers[0]
    do {
      if (performance.now() > deadline) throw new Error("not every subscriber was told of a change")
      await this.#report(triggers, 0)
      await Bun.sleep(PRIMING_MS)
    } while (!this.#subscribers.every(isIn))
    for (const { seen } of this.#subscribers) seen.fill(0, 1)
    this.#isPrimed = true
  }

  /** Every trigger reports, waits until all have heard, and reports again. */
  async run(
    triggers: Fleet,
    { warmupS, seconds }: { warmupS: number; seconds: number },
    measuring: (edge: "begin" | "end") => void = () => undefined,
  ): Promise<FanOutResult> {
    let goesOn = true
    const work = triggers.chargers.map(async (_, trigger) => {
      while (goesOn) await this.#tell(triggers, trigger)
    })
    await Bun.sleep(warmupS * 1000)
    const window = { histogram: new Histogram(), deliveries: 0 }
    this.#window = window
    measuring("begin")
    const from = performance.now()
    await Bun.sleep(seconds * 1000)
    // A round in which nothing was told is no figure.
    const deadline = from + this.#patienceMs
    while (window.deliveries === 0 && performance.now() < deadline) await Bun.sleep(WAIT_MS)
    const to = performance.now()
    measuring("end")
    this.#window = undefined
    goesOn = false
    await Promise.all(work)
    const { histogram, deliveries } = window
    return { seconds: (to - from) / 1000, deliveries, latencies: histogram.counts(), bytes: this.#bytes }
  }

  get #patienceMs(): number {
    return this.#plan.patienceMs ?? PATIENCE_MS
  }

  /** One change, to the end. */
  async #tell(triggers: Fleet, trigger: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const change: Change = { sentAt: performance.now(), left: this.#subscribers.length, done: resolve }
    this.#underWay[trigger] = change
    const impatience = setTimeout(() => {
      for (let missing = 0; missing < change.left; missing++)
        this.#faults.note("missing", `change ${this.#numbers[trigger]} of ${this.#plan.followed[trigger]}`)
      resolve()
    }, this.#patienceMs)
    await Promise.all([promise, this.#report(triggers, trigger)])
    clearTimeout(impatience)
  }

  async #report(triggers: Fleet, trigger: number): Promise<void> {
    const number = (this.#numbers[trigger] ?? 0) + 1
    this.#numbers[trigger] = number
    const info = `T${String(trigger).padStart(2, "0")}-${digits(number)}`
    const status = number % 2 === 0 ? "Available" : "Preparing"
    await triggers.chargers[trigger]
      ?.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status, info })
      .catch(() => undefined) // counted by the fleet
  }

  #read(subscriber: Subscriber, text: string): void {
    this.#bytes = Math.max(this.#bytes, text.length)
    for (const [, trigger, number] of text.matchAll(MARK))
      this.#heard(subscriber, Number(trigger), Number(number), text)
  }

  #heard(subscriber: Subscriber, trigger: number, number: number, text: string): void {
    const before = subscriber.seen[trigger] ?? 0
    subscriber.seen[trigger] = number
    if (!this.#isPrimed) return
    if (number <= before) this.#faults.note("doubled", text)
    const change = this.#underWay[trigger]
    if (number !== this.#numbers[trigger] || !change) {
      this.#faults.note("late", text)
      return
    }
    const window = this.#window
    if (window) {
      window.deliveries++
      window.histogram.add(performance.now() - change.sentAt)
    }
    if (--change.left === 0) change.done()
  }

  #lost(reason: string): void {
    this.#faults.note("lost", reason)
  }

  /** One subscriber over graphql-transport-ws, or on the limit's topic. */
  #subscribe(subscriber: Subscriber): Promise<void> {
    const { transport, url, token, followed } = this.#plan
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = dial(
      { url: new URL(url), protocol: "graphql-transport-ws" },
      {
        opened: () => {
          if (transport === "topic") resolve()
          else say({ type: "connection_init", payload: { authorization: `Bearer ${token}` } })
        },
        text: (text) => {
          if (text.includes('"type":"next"')) this.#read(subscriber, text)
          else if (text.includes('"type":"connection_ack"')) {
            say({ id: "1", type: "subscribe", payload: { query: DOCUMENT, variables: { identities: followed } } })
            resolve()
          } else if (text.includes('"type":"ping"')) say({ type: "pong" })
          else this.#faults.note("error", text)
        },
        closed: (reason) => {
          reject(new Error(reason))
          this.#lost(reason)
        },
      },
    )
    const say = (message: object) => socket.send(textFrame(JSON.stringify(message)))
    return promise
  }

  /** One subscriber over server-sent events. */
  async #listen(subscriber: Subscriber): Promise<void> {
    const { url: address, token, followed } = this.#plan
    const url = new URL(address)
    const body = JSON.stringify({ query: DOCUMENT, variables: { identities: followed } })
    const request = [
      `POST ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      "Accept: text/event-stream",
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    const answered = Promise.withResolvers<void>()
    let head = ""
    let rest = ""
    const read = (_socket: Socket<undefined>, bytes: Buffer) => {
      const text = rest + bytes.toString("latin1")
      if (!head.includes("\r\n")) {
        head += text
        if (!/^HTTP\/1\.1 200 /.test(head)) answered.reject(new Error(head.slice(0, 200)))
        answered.resolve()
      }
      if (text.includes("event: complete")) this.#faults.note("error", text)
      this.#read(subscriber, text)
      const behind = text.lastIndexOf('"info":"T')
      rest = behind >= 0 && text.length - behind < MARK_LENGTH ? text.slice(behind) : endOf(text)
    }
    await Bun.connect<undefined>({
      hostname: url.hostname,
      port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
      tls: url.protocol === "https:",
      socket: {
        open: (opened) => void opened.write(`${request.join("\r\n")}\r\n\r\n${body}`),
        data: read,
        close: () => this.#lost("the stream of events ended"),
        error: (_socket, cause) => this.#lost(cause.message),
      },
    })
    await answered.promise
  }
}

/** What may be the beginning of a mark that the next bytes complete; nothing that holds a whole one. */
function endOf(text: string): string {
  const end = text.slice(-9)
  const at = end.lastIndexOf('"')
  return at >= 0 && '"info":"T'.startsWith(end.slice(at)) ? end.slice(at) : (/"info":?"?$/.exec(end)?.[0] ?? "")
}
