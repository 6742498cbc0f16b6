/**
 * `bun bench/subscriptions.ts`: what it costs to tell many subscribers. Charge points report, each report becomes an
 * event in journal and stream, and every subscriber is told of it.
 */
import { cpus, totalmem } from "node:os"
import { parseArgs } from "node:util"
import { type ChargePoint, connectChargePoint } from "./charge-point.ts"
import { enrol } from "./enrolment.ts"
import { endWith, UsageError } from "./program.ts"
import { startServer } from "./server.ts"
import { Crowd } from "./subscribers.ts"

const HELP = `bun bench/subscriptions.ts [options]: events per second and latency, from charge point to subscriber

  --ocpp URL             the central system, up to and including /ocpp (a node of its own is started)
  --graphql URL          its GraphQL endpoint, of the same node or another
  --token TOKEN          the operator's bearer token; SUBSCRIPTIONS_TOKEN in the environment does as well
  --chargers N           charge points that report, each with one CALL under way (50)
  --subscribers A,B,C    how many identical subscribers, one run each (1,100,1000)
  --seconds S            how long each run reports (5)
  --ahead N              at full speed, so many events at most are not yet told to everybody (50)
  --rate N               events per second while the latency is measured (200)
  --json                 print JSON instead of the tables
  --help                 this text

At full speed a charge point sends its next report when the last is answered, unless --ahead events are under way: what
is found is what charge points, node and subscribers together can keep up, on the cores of this machine. The latency is
measured at a steady rate, from the moment a report is due to its arrival at one subscriber on each WebSocket.`

const IDENTITY = "SUBSCRIPTIONS-"
const QUERY = `subscription {
  chargePointChanged { cursor at kind chargePoint { identity online } connector { connectorId status info } }
}`
const PER_SOCKET = 50
const JOIN_PATIENCE_MS = 60_000
/** How long the last events may be under way. */
const LAST_PATIENCE_MS = 30_000

interface Options {
  ocpp: string
  graphql: string
  token: string
  chargers: number
  subscribers: number[]
  seconds: number
  ahead: number
  rate: number
}

interface FullSpeed {
  subscribers: number
  events: number
  eventsPerSecond: number
  deliveriesPerSecond: number
}

interface Latency {
  subscribers: number
  /** What was asked for. */
  rate: number
  /** What was told. */
  eventsPerSecond: number
  samples: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

function readArguments() {
  const text = { type: "string" } as const
  const flag = { type: "boolean" } as const
  const { values } = parseArgs({
    options: {
      ...{ ocpp: text, graphql: text, token: text, chargers: text, subscribers: text, seconds: text, ahead: text },
      ...{ rate: text, json: flag, help: flag },
    },
  })
  const number = (name: string, given: string | undefined, preset: number): number => {
    const value = given === undefined ? preset : Number(given)
    if (!(value > 0)) throw new UsageError(`--${name} must be a number above 0`)
    return value
  }
  const { ocpp, graphql } = values
  const token = values.token ?? process.env["SUBSCRIPTIONS_TOKEN"]
  if ((ocpp === undefined) !== (graphql === undefined)) throw new UsageError("--ocpp and --graphql go together")
  if (ocpp !== undefined && token === undefined) throw new UsageError("--ocpp needs --token")
  return {
    server: ocpp !== undefined && graphql !== undefined && token !== undefined ? { ocpp, graphql, token } : undefined,
    load: {
      chargers: Math.ceil(number("chargers", values.chargers, 50)),
      subscribers: (values.subscribers ?? "1,100,1000")
        .split(",")
        .map((count) => Math.ceil(number("subscribers", count, 1))),
      seconds: number("seconds", values.seconds, 5),
      ahead: number("ahead", values.ahead, 50),
      rate: number("rate", values.rate, 200),
    },
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

/** Charge points that report, and the subscribers who are told of it. */
class Scene implements AsyncDisposable {
  readonly crowd: Crowd
  readonly #chargePoints: readonly ChargePoint[]
  /** When each report was due, by its number. */
  readonly #dueAt: number[] = []
  readonly latenciesMs: number[] = []
  /** On how many sockets the report behind which counting begins was heard. */
  #heardLast = 0

  private constructor(chargePoints: readonly ChargePoint[], crowd: Crowd, latencies: { heard(text: string): void }) {
    this.#chargePoints = chargePoints
    this.crowd = crowd
    latencies.heard = (text) => this.#heard(text)
  }

  static async open(options: Options, subscribers: number): Promise<Scene> {
    const identities = Array.from({ length: options.chargers }, (_, index) => `${IDENTITY}${index + 1}`)
    await enrol({ url: options.graphql, token: options.token }, identities, [])
    const chargePoints = await Promise.all(
      identities.map((identity) => connectChargePoint({ url: options.ocpp, identity, keep: 0 })),
    )
    await Promise.all(chargePoints.map((chargePoint) => chargePoint.boot()))
    const latencies = { heard: (_text: string): void => undefined }
    const crowd = await Crowd.gather({
      url: options.graphql,
      token: options.token,
      query: QUERY,
      subscribers,
      perSocket: PER_SOCKET,
      heard: (text) => latencies.heard(text),
    })
    const scene = new Scene(chargePoints, crowd, latencies)
    await scene.#join()
    return scene
  }

  /** How many reports were sent. */
  get reported(): number {
    return this.#dueAt.length
  }

  /** One report with a number of its own; resolves when it is answered. */
  async report(chargePoint: ChargePoint, dueAt = performance.now()): Promise<void> {
    const info = String(this.#dueAt.push(dueAt) - 1)
    await chargePoint.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging", info })
  }

  /** Runs this for every charge point at once. */
  async each(work: (chargePoint: ChargePoint, index: number) => Promise<void>): Promise<void> {
    await Promise.all(this.#chargePoints.map(work))
  }

  /** Resolves when every subscriber was told of every report. @throws Error when that takes too long */
  async toldAll(subscribers: number): Promise<void> {
    const late = Promise.withResolvers<never>()
    const impatience = setTimeout(
      () => late.reject(new Error(`${this.crowd.deliveries} of ${this.reported * subscribers} changes were told`)),
      LAST_PATIENCE_MS,
    )
    await Promise.race([this.crowd.reaches(this.reported * subscribers), late.promise])
    clearTimeout(impatience)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.crowd[Symbol.dispose]()
    await this.each((chargePoint) => chargePoint.close())
  }

  /** Reports until every subscriber has been told something, and then until all have been told of the last. */
  async #join(): Promise<void> {
    const end = performance.now() + JOIN_PATIENCE_MS
    while (!this.crowd.isThere) {
      if (performance.now() > end) throw new Error("not every subscriber could join")
      await this.#reportFirst("joining")
      await Bun.sleep(20)
    }
    // What was told to some only is on its way still; it is over when the last report has come to all, in order.
    await this.#reportFirst("joined")
    while (this.#heardLast < this.crowd.sockets) {
      if (performance.now() > end) throw new Error("not every subscriber was told")
      await Bun.sleep(5)
    }
    this.crowd.begin()
  }

  async #reportFirst(word: string): Promise<void> {
    const [chargePoint] = this.#chargePoints
    const info = `${word} ${crypto.randomUUID()}`
    await chargePoint?.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available", info })
  }

  #heard(text: string): void {
    const info = /"info":"([^"]*)"/.exec(text)?.[1] ?? ""
    if (info.startsWith("joined")) this.#heardLast++
    const dueAt = this.#dueAt[Number(info === "" ? Number.NaN : info)]
    if (dueAt !== undefined) this.latenciesMs.push(performance.now() - dueAt)
  }
}

/** Events as fast as charge points, node and subscribers together can go. */
async function atFullSpeed(options: Options, subscribers: number): Promise<FullSpeed> {
  await using scene = await Scene.open(options, subscribers)
  const startedAt = performance.now()
  const endAt = startedAt + options.seconds * 1000
  await scene.each(async (chargePoint) => {
    while (performance.now() < endAt) {
      await scene.crowd.reaches((scene.reported - options.ahead) * subscribers)
      await scene.report(chargePoint)
    }
  })
  await scene.toldAll(subscribers)
  const seconds = (performance.now() - startedAt) / 1000
  return {
    subscribers,
    events: scene.reported,
    eventsPerSecond: scene.reported / seconds,
    deliveriesPerSecond: scene.crowd.deliveries / seconds,
  }
}

/** Reports at a steady rate, spread over the charge points; one that is late is counted from when it was due. */
async function latencyAt(options: Options, subscribers: number): Promise<Latency> {
  await using scene = await Scene.open(options, subscribers)
  const everyMs = (options.chargers / options.rate) * 1000
  const startedAt = performance.now()
  const rounds = Math.ceil((options.seconds * 1000) / everyMs)
  await scene.each(async (chargePoint, index) => {
    for (let round = 0; round < rounds; round++) {
      const dueAt = startedAt + (round + index / options.chargers) * everyMs
      const waitMs = dueAt - performance.now()
      if (waitMs > 0) await Bun.sleep(waitMs)
      await scene.report(chargePoint, dueAt)
    }
  })
  await scene.toldAll(subscribers)
  const seconds = (performance.now() - startedAt) / 1000
  const sorted = scene.latenciesMs.toSorted((one, other) => one - other)
  const percentile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return {
    subscribers,
    rate: options.rate,
    eventsPerSecond: scene.reported / seconds,
    samples: sorted.length,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    maxMs: sorted.at(-1) ?? Number.NaN,
  }
}

const table = (head: string[], rows: string[][]): string => {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "))
    .join("\n")
}

function print(options: Options, fullSpeed: readonly FullSpeed[], latency: readonly Latency[]): void {
  const speeds = fullSpeed.map((row) => [
    String(row.subscribers),
    String(row.events),
    row.eventsPerSecond.toFixed(0),
    row.deliveriesPerSecond.toFixed(0),
  ])
  const latencies = latency.map((row) => [
    String(row.subscribers),
    row.eventsPerSecond.toFixed(0),
    String(row.samples),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.maxMs.toFixed(1),
  ])
  console.log(
    [
      `\nAt full speed: ${options.chargers} charge points, ${options.seconds} s, at most ${options.ahead} events under way`,
      table(["subscribers", "events", "events/s", "deliveries/s"], speeds),
      `\nFrom charge point to subscriber at ${options.rate} events/s: ${options.chargers} charge points, ${options.seconds} s`,
      table(["subscribers", "events/s", "samples", "p50 ms", "p99 ms", "max ms"], latencies),
    ].join("\n"),
  )
}

async function main(): Promise<number> {
  const { server, load, json, help } = readArguments()
  if (help) {
    console.log(HELP)
    return 0
  }
  await using own = server === undefined ? await startServer() : undefined
  const { ocpp, graphql, token } = server ?? own ?? { ocpp: "", graphql: "", token: "" }
  const options: Options = { ...load, ocpp, graphql, token }
  const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)}  ${text}`)
  const fullSpeed: FullSpeed[] = []
  const latency: Latency[] = []
  for (const subscribers of options.subscribers) {
    say(`${subscribers} subscribers, at full speed`)
    fullSpeed.push(await atFullSpeed(options, subscribers))
  }
  for (const subscribers of options.subscribers) {
    say(`${subscribers} subscribers, at ${options.rate} events/s`)
    latency.push(await latencyAt(options, subscribers))
  }
  if (!json) print(options, fullSpeed, latency)
  else {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), bun: Bun.version }
    const { chargers, seconds, ahead, rate } = options
    console.log(JSON.stringify({ machine, load: { chargers, seconds, ahead, rate }, fullSpeed, latency }, null, 2))
  }
  return 0
}

await endWith(main)
