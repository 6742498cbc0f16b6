/** What a run has shown: the certificate's own two tables, and the record for machines. */
import { documentId } from "./catalogue.ts"
import { LIMIT_MS } from "./response-times.ts"
import type { CrowdSummary } from "./crowd.ts"
import type { ResponseTimes } from "./response-times.ts"
import type { CaseRecord } from "./runner.ts"
import { FUNCTIONALITIES } from "./stage.ts"
import type { Functionality } from "./stage.ts"

export interface RunRecord {
  startedAt: string
  seconds: number
  /** One for every id of the catalogue. */
  cases: readonly CaseRecord[]
  functionalities: readonly FunctionalityRecord[]
  responseTimes: {
    limitMs: number
    idle: ResponseTimes
    /** With that many charge points at work behind the cases. */
    busy?: ResponseTimes & CrowdSummary
  }
  /** What kept the run from measuring all that it should, one sentence each. */
  problems: readonly string[]
}

export interface FunctionalityRecord {
  functionality: Functionality
  result: "pass" | "fail" | "skipped"
  description: string
  passed: number
  failed: number
  skipped: number
}

const DESCRIPTIONS: Record<Functionality, string> = {
  Core: "boot, sessions on- and offline, remote control, configuration",
  "Local Auth List Management": "versions, full and differential lists, every answer",
  "Firmware Management": "firmware updates and diagnostics, every outcome",
  Reservation: "of connectors, charge points and for groups, every outcome",
  "Remote Trigger": "every message that can be asked for",
  "Smart Charging": "profiles of every purpose, composite schedules",
  Security: "security profiles, certificates, signed firmware, events",
  Robustness: "beyond the certificate: faults, races and leniency",
}

/** One line for each functionality, whether or not its cases were played. */
export function functionalityRecords(cases: readonly CaseRecord[]): FunctionalityRecord[] {
  return FUNCTIONALITIES.map((functionality) => {
    const count = (result: CaseRecord["result"]) =>
      cases.filter((each) => each.functionality === functionality && each.result === result).length
    const [passed, failed, skipped] = [count("pass"), count("fail"), count("skipped")]
    const result = failed > 0 ? "fail" : passed > 0 ? "pass" : "skipped"
    return { functionality, result, description: DESCRIPTIONS[functionality], passed, failed, skipped }
  })
}

/** Everything that speaks against the central system, one sentence each; empty when it passes. */
export function objections({
  cases,
  responseTimes,
  problems = [],
}: Pick<RunRecord, "cases" | "responseTimes"> & Partial<Pick<RunRecord, "problems">>): string[] {
  const failed = cases.filter(({ result }) => result === "fail").map((each) => `${documentId(each)}: ${each.reason}`)
  const slow = figureRows({ responseTimes })
    .filter(({ worstMs }) => worstMs > LIMIT_MS)
    .map(({ name, behind, worstMs }) => `${name}, ${behind}: ${worstMs} ms, more than ${LIMIT_MS} ms`)
  const { busy } = responseTimes
  return [...failed, ...slow, ...problems, ...(busy && busy.faults > 0 ? [crowdInWords(busy)] : [])]
}

export function crowdInWords({ chargePoints, messagesPerSecond, faults, example }: CrowdSummary): string {
  const sentence = `${withCommas(chargePoints)} busy charge points exchanged ${messagesPerSecond} messages a second`
  return faults === 0 ? sentence : `${sentence} and met ${faults} faults of the central system, such as ${example}`
}

const withCommas = (number: number): string => number.toLocaleString("en")

interface FigureRow {
  name: string
  behind: string
  count: number
  worstMs: number
  p99Ms: number
}

function figureRows({ responseTimes: { idle, busy } }: Pick<RunRecord, "responseTimes">): FigureRow[] {
  const rows = (behind: string, { ocppResponse, authorize }: ResponseTimes): FigureRow[] => [
    { name: "OCPP response timeout", behind, ...ocppResponse },
    { name: "Response time Authorize", behind, ...authorize },
  ]
  return [
    ...rows("idle", idle),
    ...(busy ? rows(`${withCommas(busy.chargePoints)} busy charge points behind`, busy) : []),
  ]
}

const RESULT_WORDS = { pass: "PASS", fail: "FAIL", skipped: "not in this run" }

/** The two tables as rows of cells, the first row being the heads. */
export function tables(record: RunRecord): { functionalities: string[][]; responseTimes: string[][] } {
  const functionalities = record.functionalities.map(({ functionality, result, description, ...counts }) => {
    const { passed, failed, skipped } = counts
    const played = passed + failed > 0 ? [`${passed} of ${passed + failed} cases pass`] : []
    const leftOut = skipped > 0 ? [`${skipped} not in this run`] : []
    return [functionality, RESULT_WORDS[result], `${description} (${[...played, ...leftOut].join(", ")})`]
  })
  const times = figureRows(record).map(({ name, behind, count, worstMs, p99Ms }) => [
    name,
    behind,
    worstMs.toFixed(1),
    p99Ms.toFixed(1),
    String(count),
  ])
  return {
    functionalities: [["Functionality", "Result", "Description"], ...functionalities],
    responseTimes: [["Performance", "Measured", "worst, ms", "p99, ms", "calls"], ...times],
  }
}

/** For a terminal. */
export function asText(record: RunRecord): string {
  const { functionalities, responseTimes } = tables(record)
  const against = objections(record)
  return [
    "",
    aligned(functionalities),
    "",
    aligned(responseTimes),
    "",
    ...(against.length === 0 ? ["No objection."] : ["Against it:", ...against.map((objection) => `  ${objection}`)]),
    "",
  ].join("\n")
}

const widthsOf = (rows: readonly string[][]): number[] =>
  (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))

function aligned(rows: string[][]): string {
  const widths = widthsOf(rows)
  const line = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
  const [head = [], ...body] = rows
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)]
    .map((text) => text.trimEnd())
    .join("\n")
}

/** For people who were not there. */
export function asMarkdown(record: RunRecord): string {
  const { functionalities, responseTimes } = tables(record)
  const against = objections(record)
  const cases = record.cases.map((each) => [
    documentId(each),
    each.name,
    each.functionality,
    RESULT_WORDS[each.result],
    each.reason ?? "",
  ])
  return [
    "# Record of the latest conformance run",
    "",
    `Written by \`npm run conformance -- --record\`, begun at ${record.startedAt}, in ${record.seconds} s.`,
    "",
    markdown(functionalities),
    "",
    `Measured from the leaving of a CALL to the arrival of its answer. A worst time above ${LIMIT_MS} ms fails the run.`,
    ...(record.responseTimes.busy ? [`${crowdInWords(record.responseTimes.busy)}.`] : []),
    "",
    markdown(responseTimes),
    "",
    against.length === 0 ? "Nothing speaks against it." : `Against it: ${against.join("; ")}.`,
    "",
    "## Cases",
    "",
    markdown([["Case", "Name", "Functionality", "Result", "Remark"], ...cases]),
    "",
  ].join("\n")
}

/** As the formatter of this project leaves it. */
function markdown(rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")))
  const widths = widthsOf(cells)
  const line = (row: string[], filler = " ") =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(" | ")} |`
  const [head = [], ...body] = cells
  return [
    line(head),
    line(
      head.map(() => ""),
      "-",
    ),
    ...body.map((row) => line(row)),
  ].join("\n")
}
