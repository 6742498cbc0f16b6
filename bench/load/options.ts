/** The command line of `bun run bench`. */
import { parseArgs } from "node:util"
import { UsageError } from "../program.ts"

export const SCENARIOS = [
  "heartbeat",
  "meter-values",
  "transactions",
  "heartbeat-beside-meter-values",
  "mixed",
  "connect-storm",
  "idle-memory",
  "commands",
  "fan-out",
  "charger-to-subscriber",
  "kill",
] as const
export type ScenarioName = (typeof SCENARIOS)[number]

const QUICK: readonly ScenarioName[] = ["heartbeat", "meter-values", "transactions", "fan-out"]

/** So long a server's code is still being compiled while it is under load; what that costs is no part of its capacity. */
const WARMUP_S = 15
/** Enough to see a change of size in a minute. */
const QUICK_WARMUP_S = 0.5

export const HELP = `bun run bench [scenario…] [options]: what this machine's Busbar can do, beside what the machine can do at all

Scenarios: ${SCENARIOS.join(", ")}; all when none is named.

  --quick          heartbeat, meter-values, transactions and fan-out, under a minute
  --rounds N       how often each is measured, in turns with its limit (5; quick 3)
  --seconds S      how long a round is (5; quick 0.7); of idle-memory the whole time (60)
  --chargers N     how many, instead of each scenario's own number
  --store NAME     sqlite, postgres or both, for meter-values (sqlite; both when everything is run)
  --database URL   an empty PostgreSQL instead of one of the run's own; DATABASE_URL
  --no-peers       without ocpp-rpc
  --ocpp URL       a running central system, up to and including /ocpp, with
  --graphql URL    its API, up to and including /graphql, and
  --token TOKEN    of an operator; charge points and idTags are made and removed
  --profile DIR    CPU profiles of the nodes that the run starts
  --json FILE      every round, with machine, versions and commit
  --svg FILE       a picture of throughput and latency
  --help           this text

It ends with 1 when a reply was wrong, late, doubled or missing, or a check failed. No figure makes it fail.
`

export type StoreName = "sqlite" | "postgres"

export interface Options {
  help: boolean
  scenarios: readonly ScenarioName[]
  quick: boolean
  rounds: number
  seconds: number
  warmupS: number
  idleSeconds: number
  chargers?: number
  stores: readonly StoreName[]
  databaseUrl?: string
  peers: boolean
  target?: { ocppUrl: string; graphqlUrl: string; token: string }
  profile?: string
  json?: string
  svg?: string
}

/** @throws UsageError, or what parseArgs throws */
export function readOptions(args: string[], environment: Record<string, string | undefined> = {}): Options {
  const text = { type: "string" } as const
  const flag = { type: "boolean" } as const
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...{ quick: flag, "no-peers": flag, help: flag, rounds: text, seconds: text, chargers: text, store: text },
      ...{ database: text, ocpp: text, graphql: text, token: text, profile: text, json: text, svg: text },
    } as const,
  })
  const unknown = positionals.find((name) => !SCENARIOS.includes(name as ScenarioName))
  if (unknown !== undefined) throw new UsageError(`there is no scenario ${unknown}`)
  const { quick = false, profile, json, svg } = values
  const named = SCENARIOS.filter((name) => positionals.includes(name))
  const databaseUrl = values.database ?? environment["DATABASE_URL"]
  const isWhole = named.length === 0 && !quick
  return {
    help: values.help ?? false,
    scenarios: named.length > 0 ? named : quick ? QUICK : SCENARIOS,
    quick,
    rounds: number("--rounds", values.rounds, 1) ?? (quick ? 3 : 5),
    seconds: number("--seconds", values.seconds, 0.1) ?? (quick ? 0.7 : 5),
    warmupS: quick ? QUICK_WARMUP_S : Math.min(WARMUP_S, number("--seconds", values.seconds, 0.1) ?? WARMUP_S),
    idleSeconds: number("--seconds", values.seconds, 0.1) ?? 60,
    ...given("chargers", number("--chargers", values.chargers, 1)),
    stores: stores(values.store ?? (isWhole ? "both" : "sqlite")),
    ...given("databaseUrl", databaseUrl || undefined),
    peers: !quick && !values["no-peers"],
    ...targetOf(values),
    ...given("profile", profile),
    ...given("json", json),
    ...given("svg", svg),
  }
}

const given = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [_ in Name]?: Value }

function number(option: string, given: string | undefined, least: number): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (!(value >= least)) throw new UsageError(`${option} must be a number of at least ${least}`)
  return value
}

function stores(word: string): readonly StoreName[] {
  if (word === "both") return ["sqlite", "postgres"]
  if (word === "sqlite" || word === "postgres") return [word]
  throw new UsageError("--store must be sqlite, postgres or both")
}

function targetOf(values: {
  ocpp?: string | undefined
  graphql?: string | undefined
  token?: string | undefined
}): Pick<Options, "target"> {
  const trimmed = (url: string | undefined) => url?.trim().replace(/\/+$/, "")
  const [ocppUrl, graphqlUrl, token] = [trimmed(values.ocpp), trimmed(values.graphql), values.token]
  if (ocppUrl === undefined && graphqlUrl === undefined) return {}
  if (ocppUrl === undefined || graphqlUrl === undefined || token === undefined)
    throw new UsageError("a running central system needs --ocpp, --graphql and --token")
  if (!/^wss?:\/\/.+/.test(ocppUrl) || !/^(http|ws)s?:\/\/.+/.test(graphqlUrl))
    throw new UsageError("--ocpp must begin with ws:// or wss://, --graphql with http:// or https://")
  return { target: { ocppUrl, graphqlUrl, token } }
}
