/** The record as a person reads it: what went wrong first, then a table with each figure beside its limit and its target. */
import type { BenchRecord, Result, Row } from "./record.ts"
import type { Spread } from "./histogram.ts"

const HEADS = [
  "scenario",
  "chargers",
  "who",
  "per second (min–max)",
  "ratio (min–max)",
  "to reach",
  "p50",
  "p99",
  "p99.9 ms",
  "CPU µs/message",
  "MiB",
  "generator",
  "errors",
] as const

const whole = (value: number): string => Math.round(value).toLocaleString("en")
const ms = (value: Spread | undefined): string => {
  const figure = value?.median
  return figure === undefined ? "" : figure < 10 ? figure.toFixed(2) : figure.toFixed(figure < 100 ? 1 : 0)
}
const isResult = (row: Row | Result): row is Result => "ratio" in row

/** All that a run has to say, ready for a terminal. */
export function asText(record: BenchRecord): string {
  const { machine, versions } = record
  return [
    "",
    ...wrongs(record),
    "",
    ...table(record),
    "",
    ...notes(record),
    ...record.skipped.map((line) => `not run: ${line}`),
    `${machine["cpu"]}, ${machine["cores"]} cores, ${machine["memoryGiB"]} GiB, Linux ${machine["kernel"]}, data on ${machine["dataOn"]}, load before ${machine["loadBefore"]}`,
    `Bun ${versions["bun"]}, Node ${versions["node"]}, Redis ${versions["redis"]}; commit ${record.commit}; ${record.seconds} s in all`,
    "",
  ].join("\n")
}

/** Whether anything was wrong that no speed makes good. */
export const hasWrongs = ({ results, checks }: BenchRecord): boolean =>
  results.some(({ errors }) => errors > 0) || checks.some(({ passed }) => !passed)

function wrongs({ results, limits, peers, checks }: BenchRecord): string[] {
  const rows = [...results, ...limits, ...peers].filter(({ errors }) => errors > 0)
  const lines = rows.flatMap(({ scenario, subject, faults }) =>
    Object.entries(faults.counts).map(
      ([kind, count]) =>
        `ERROR  ${scenario}, ${subject}: ${count} ${kind}, such as ${faults.examples[kind as keyof typeof faults.examples] ?? "?"}`,
    ),
  )
  const checked = checks.map(({ name, passed, words }) => `${passed ? "ok   " : "ERROR"}  ${name}: ${words}`)
  return [
    ...(lines.length > 0 ? lines : ["No reply was wrong, late, doubled or missing, and there was no error."]),
    ...checked,
  ]
}

function table(record: BenchRecord): string[] {
  const rows = inOrder(record).map(cells)
  const lines = [[...HEADS], ...rows]
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)))
  const isText = (column: number) => column === 0 || column === 2 || column === 5
  const written = lines.map((line) =>
    line
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  )
  return [written[0] ?? "", "─".repeat(written[0]?.length ?? 0), ...written.slice(1)]
}

/** Each result, with what was measured beside it below. */
export function inOrder({ results, limits, peers }: Pick<BenchRecord, "results" | "limits" | "peers">): Row[] {
  const beside = [...limits, ...peers]
  const isBeside = (row: Row, { scenario, chargers }: Row) => row.scenario === scenario && row.chargers === chargers
  const rows = results.flatMap((result): Row[] => [result, ...beside.filter((row) => isBeside(row, result))])
  return [...rows, ...beside.filter((row) => !rows.includes(row))]
}

function cells(row: Row | Result): string[] {
  const { scenario, subject, chargers, perSecond, p50Ms, p99Ms, p999Ms, cpuUs = {}, rssMiB = {}, generator } = row
  const cpu = Object.entries(cpuUs).map(
    ([name, { median }]) => `${name === "server" ? "" : `${name} `}${median.toFixed(1)}`,
  )
  const memory = Object.values(rssMiB)
  return [
    scenario,
    String(chargers),
    subject,
    perSecond ? `${whole(perSecond.median)} (${whole(perSecond.min)}–${whole(perSecond.max)})` : "",
    isResult(row) ? ratioInWords(row) : "",
    isResult(row)
      ? `${row.target === undefined || row.target === 0 ? "" : row.ratio >= row.target ? "✓ " : "✗ "}${row.targetInWords}`
      : "",
    ms(p50Ms),
    ms(p99Ms),
    ms(p999Ms),
    cpu.join(" + "),
    memory.map(whole).join(" + "),
    generator && generator.median > 0 ? `${Math.round(generator.median * 100)} %` : "",
    String(row.errors),
  ]
}

const ratioInWords = ({ ratio, ratios }: Result): string =>
  ratios ? `${ratio.toFixed(2)} (${ratios.min.toFixed(2)}–${ratios.max.toFixed(2)})` : ratio.toFixed(2)

function notes(record: BenchRecord): string[] {
  return inOrder(record).flatMap(({ scenario, chargers, subject, notes }) =>
    notes.map((note) => `${scenario} ${chargers}, ${subject}: ${note}`),
  )
}
