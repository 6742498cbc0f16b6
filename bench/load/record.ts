/** What a run leaves: every row with its rounds, beside the machine, the versions and the commit. */
import { spawnSync } from "node:child_process"
import { cpus, loadavg, release, totalmem, tmpdir } from "node:os"
import { join } from "node:path"
import type { Measured } from "./acts.ts"
import { type FaultRecord, Faults } from "./faults.ts"
import type { RunResult } from "./fleet.ts"
import { Histogram, spread, type Spread } from "./histogram.ts"

/** One measurement of one subject. */
export interface Round {
  perSecond: number
  p50Ms: number
  p99Ms: number
  p999Ms: number
  /** µs per message, by process: the server, its Redis, its PostgreSQL. */
  cpuUs: Record<string, number>
  /** Resident memory at the end, by process. */
  rssMiB: Record<string, number>
  /** CPU of the generator, in cores. */
  generator: number
}

/** A line of the table. */
export interface Row {
  scenario: string
  /** busbar, limit, or a peer. */
  subject: string
  chargers: number
  /** What is counted per second. */
  unit: string
  rounds: Round[]
  perSecond?: Spread
  p50Ms?: Spread
  p99Ms?: Spread
  p999Ms?: Spread
  cpuUs?: Record<string, Spread>
  rssMiB?: Record<string, number>
  generator?: Spread
  /** Replies that were wrong, late, doubled or missing, and errors. */
  errors: number
  faults: FaultRecord
  notes: string[]
}

/** A row of Busbar's own, held against what was measured beside it. */
export interface Result extends Row {
  /** The result over the limit, higher is better. */
  ratio: number
  /** Over the rounds, where there were several. */
  ratios?: Spread
  /** What `ratio` is to be at least. */
  target?: number
  /** The target in words. */
  targetInWords: string
}

export interface Check {
  name: string
  passed: boolean
  words: string
}

export interface BenchRecord {
  startedAt: string
  seconds: number
  commit: string
  machine: Record<string, string | number>
  versions: Record<string, string>
  settings: Record<string, unknown>
  results: Result[]
  limits: Row[]
  peers: Row[]
  checks: Check[]
  /** Scenarios that could not be run, and why. */
  skipped: string[]
}

const MIB = 1024 * 1024
/** From this share of its core on, the generator may be what bounds the figure. */
const BUSY_GENERATOR = 0.9

export function roundOf({ result, usage }: Measured<RunResult>): Round {
  const histogram = Histogram.of(result.latencies)
  const messages = Math.max(1, result.answered)
  const servers = Object.entries(usage.servers)
  return {
    perSecond: result.answered / result.seconds,
    p50Ms: histogram.quantile(0.5),
    p99Ms: histogram.quantile(0.99),
    p999Ms: histogram.quantile(0.999),
    cpuUs: Object.fromEntries(servers.map(([name, { cpuS }]) => [name, (cpuS * 1e6) / messages])),
    rssMiB: Object.fromEntries(servers.map(([name, { rss }]) => [name, rss / MIB])),
    generator: usage.generator,
  }
}

/** @throws RangeError without rounds */
export function rowOf(
  row: Pick<Row, "scenario" | "subject" | "chargers" | "unit">,
  rounds: Round[],
  faults: FaultRecord,
  notes: string[] = [],
): Row {
  const of = (figure: "perSecond" | "p50Ms" | "p99Ms" | "p999Ms" | "generator") =>
    spread(rounds.map((round) => round[figure]))
  const last = rounds.at(-1)
  const generator = of("generator")
  const sum = new Faults()
  sum.add(faults)
  const bottleneck =
    generator.median >= BUSY_GENERATOR ? ["the generator was busy all the time: the server can do more than this"] : []
  return {
    ...row,
    rounds,
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    p999Ms: of("p999Ms"),
    cpuUs: Object.fromEntries(
      Object.keys(last?.cpuUs ?? {}).map((name) => [name, spread(rounds.map(({ cpuUs }) => cpuUs[name] ?? 0))]),
    ),
    rssMiB: last?.rssMiB ?? {},
    generator,
    errors: sum.total,
    faults: sum.record(),
    notes: [...bottleneck, ...notes],
  }
}

/** Holds Busbar's rounds against the limit's, each against the one measured next to it. */
export function resultOf(row: Row, limit: Row, target: { ratio: number; words: string }): Result {
  const ratios = spread(
    row.rounds.map((round, index) => round.perSecond / Math.max(1e-9, limit.rounds[index]?.perSecond ?? Number.NaN)),
  )
  const cost = cpuOf(limit) / cpuOf(row)
  const notes = cost > 0 ? [...row.notes, `by CPU of the servers alone the ratio is ${cost.toFixed(2)}`] : row.notes
  return { ...row, notes, ratio: ratios.median, ratios, target: target.ratio, targetInWords: target.words }
}

/** µs per message, of all processes of a subject together; NaN where it is not known. */
export const cpuOf = ({ cpuUs }: Row): number =>
  Object.values(cpuUs ?? {}).reduce((sum, { median }) => sum + median, 0) || Number.NaN

/** What cannot be seen in the figures. */
export function surroundings(): Pick<BenchRecord, "commit" | "machine" | "versions"> {
  const root = join(import.meta.dir, "../..")
  const said = (command: string, ...args: string[]): string =>
    spawnSync(command, args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? ""
  const changed = said("git", "status", "--porcelain") === "" ? "" : " with changes"
  const [first] = cpus()
  return {
    commit: `${said("git", "rev-parse", "HEAD") || "unknown"}${changed}`,
    machine: {
      cpu: first?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 1024 / MIB),
      kernel: release(),
      dataOn: said("stat", "-f", "-c", "%T", tmpdir()) || "unknown",
      loadBefore: Number(loadavg()[0]?.toFixed(2) ?? 0),
    },
    versions: {
      bun: Bun.version,
      node: said("node", "--version") || "none",
      redis: /v=(\S+)/.exec(said("redis-server", "--version"))?.[1] ?? "none",
    },
  }
}
