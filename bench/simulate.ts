/** `bun run simulate`: a fleet of believable charge points for demos, front-end work and a first look at load. */
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { enrol } from "./enrolment.ts"
import { FAULT_LEVELS } from "./faults.ts"
import { endWith, stopSignal, UsageError } from "./program.ts"
import { Fleet, type FleetOptions, type FleetReport, identities } from "./fleet.ts"

const HELP = `bun run simulate [options]: a fleet of believable OCPP 1.6-J charge points

  --url URL              the central system, up to and including /ocpp (ws://127.0.0.1:9220/ocpp)
  --chargers N           how many charge points (20)
  --prefix TEXT          identities are TEXT0001, TEXT0002, … (SIM-)
  --password TEXT        HTTP Basic password of every charge point (none)
  --ca FILE              PEM of the authority that signed the server's certificate, for wss
  --id-tags A,B,C        the idTags that drivers show (SIM-TAG-1 to SIM-TAG-5)
  --speed N              time lapse: seconds of charging in one second (60)
  --session-every S      mean seconds between two drivers at one charge point (60)
  --faults LEVEL         none, some or many: dropped connections, offline periods with a backlog, late answers,
                         malformed frames, repeated messages, failing connectors (none)
  --seed N               the same seed gives the same fleet (1)
  --connect-rate N       connections opened in a second (50)
  --duration S           stop after so many seconds (runs until SIGINT or SIGTERM)
  --report-every S       seconds between two lines of progress (5)
  --graphql URL          with --token: creates the charge points and idTags that are missing
  --token TOKEN          the operator's bearer token; SIMULATE_TOKEN in the environment does as well
  --stop-with-stdin      stop when standard input ends, as when the parent process is gone
  --help                 this text
`

function readArguments() {
  const text = { type: "string" } as const
  const flag = { type: "boolean" } as const
  const { values } = parseArgs({
    options: {
      ...{ url: text, chargers: text, prefix: text, password: text, ca: text, "id-tags": text, speed: text },
      ...{ "session-every": text, faults: text, seed: text, "connect-rate": text, duration: text },
      ...{ "report-every": text, graphql: text, token: text, "stop-with-stdin": flag, help: flag },
    },
  })
  const number = (name: keyof typeof values, preset: number, least: number) => {
    const given = values[name]
    const value = given === undefined ? preset : Number(given)
    if (!(value >= least) || given === "") throw new UsageError(`--${name} must be a number from ${least}`)
    return value
  }
  const faults = FAULT_LEVELS.find((level) => level === (values.faults ?? "none"))
  if (!faults) throw new UsageError(`--faults must be one of ${FAULT_LEVELS.join(", ")}`)
  const url = values.url ?? "ws://127.0.0.1:9220/ocpp"
  if (!/^wss?:\/\/./.test(url)) throw new UsageError("--url must begin with ws:// or wss://")
  const token = values.token ?? process.env["SIMULATE_TOKEN"]
  if (values.graphql !== undefined && token === undefined) throw new UsageError("--graphql needs --token")
  const fleet: FleetOptions = {
    url,
    faults,
    chargers: Math.floor(number("chargers", 20, 1)),
    prefix: values.prefix ?? "SIM-",
    password: values.password,
    idTags: readIdTags(values["id-tags"]),
    speed: number("speed", 60, 0.001),
    sessionEvery: number("session-every", 60, 0.001),
    seed: Math.floor(number("seed", 1, 0)),
    connectRate: number("connect-rate", 50, 0.001),
    tls: values.ca === undefined ? undefined : { ca: readFileSync(values.ca) },
  }
  return {
    fleet,
    api: values.graphql !== undefined && token !== undefined ? { url: values.graphql, token } : undefined,
    durationS: number("duration", Infinity, 0),
    reportEveryS: number("report-every", 5, 0.1),
    stopsWithStdin: values["stop-with-stdin"] ?? false,
    help: values.help ?? false,
  }
}

function readIdTags(given = "SIM-TAG-1,SIM-TAG-2,SIM-TAG-3,SIM-TAG-4,SIM-TAG-5"): FleetOptions["idTags"] {
  const [first, ...others] = given
    .split(",")
    .map((idTag) => idTag.trim())
    .filter(Boolean)
  if (first === undefined) throw new UsageError("--id-tags must name at least one")
  return [first, ...others]
}

const anomaliesOf = ({ anomalies }: FleetReport) => Object.entries(anomalies).filter(([, count]) => count > 0)

/** One line of progress; `perSecond` is what was answered since the last one. */
function line(report: FleetReport, perSecond: number): string {
  const anomalies = anomaliesOf(report).reduce((sum, [, count]) => sum + count, 0)
  return [
    new Date().toISOString().slice(11, 19),
    `${report.connected}/${report.chargers} connected`,
    `${report.charging} charging`,
    `${perSecond.toFixed(1)} messages/s (p50 ${report.p50Ms.toFixed(1)} ms, p99 ${report.p99Ms.toFixed(1)} ms)`,
    `${report.callsReceived} commands`,
    `${report.backlog} waiting`,
    `${report.callErrors} errors`,
    `${anomalies} anomalies`,
  ].join("  ")
}

function summary(report: FleetReport, seconds: number): string {
  const list = (entries: [string, number][]) => entries.map(([name, count]) => `${name} ${count}`).join(", ") || "none"
  const lines = [
    "",
    `chargers          ${report.chargers}, connections opened ${report.opened}, lost or closed ${report.closed}`,
    `messages          ${report.callsSent} sent, ${report.answered} answered (${(report.answered / seconds).toFixed(1)}/s), ${report.callErrors} refused with CALLERROR`,
    `response time     p50 ${report.p50Ms.toFixed(1)} ms, p99 ${report.p99Ms.toFixed(1)} ms`,
    `commands          ${report.callsReceived} received`,
    `sessions          ${report.sessionsStarted} started, ${report.sessionsEnded} ended, ${(report.energyWh / 1000).toFixed(1)} kWh`,
    `not acknowledged  ${report.backlog} transaction messages waiting, ${report.dropped} given up`,
    `faults played     ${list(Object.entries(report.faults))}`,
    `anomalies         ${list(anomaliesOf(report))}`,
    ...Object.entries(report.examples).map(([kind, example]) => `  ${kind}: ${example}`),
    ...(report.errorExample === undefined ? [] : [`first CALLERROR   ${report.errorExample}`]),
  ]
  return lines.join("\n")
}

/** Fires at the first signal, when the time is over, or when the parent is gone. */
function endOf(durationS: number, stopsWithStdin: boolean): AbortSignal {
  const controller = new AbortController()
  const stop = () => controller.abort()
  // Whoever read our lines is gone, and with it the reason to go on.
  process.stdout.on("error", stop)
  if (stopsWithStdin) process.stdin.on("end", stop).on("error", stop).resume()
  if (durationS < Infinity) setTimeout(stop, Math.min(durationS * 1000, 2 ** 31 - 1))
  return AbortSignal.any([stopSignal("sessions are being ended"), controller.signal])
}

async function main(): Promise<number> {
  const { fleet: options, api, durationS, reportEveryS, stopsWithStdin, help } = readArguments()
  if (help) {
    console.log(HELP)
    return 0
  }
  const stop = endOf(durationS, stopsWithStdin)
  if (api) await enrol(api, identities(options), options.idTags, options.password)
  console.log(
    `${options.chargers} charge points → ${options.url} (speed ${options.speed}, faults ${options.faults}, seed ${options.seed})`,
  )
  await using fleet = new Fleet(options)
  const startedAt = performance.now()
  if (!stop.aborted) fleet.start()
  let before = { answered: 0, at: startedAt }
  const progress = setInterval(() => {
    const report = fleet.report()
    const now = { answered: report.answered, at: performance.now() }
    console.log(line(report, ((now.answered - before.answered) * 1000) / (now.at - before.at)))
    before = now
  }, reportEveryS * 1000)
  await new Promise<void>((resolve) => (stop.aborted ? resolve() : stop.addEventListener("abort", () => resolve())))
  clearInterval(progress)
  await fleet.stop()
  const report = fleet.report()
  console.log(summary(report, (performance.now() - startedAt) / 1000))
  return report.opened > 0 ? 0 : 1
}

await endWith(main)
