/** `bun run conformance`: plays the charge point of every test case against a central system, and says what it found. */
import { endWith, say, stopSignal } from "../program.ts"
import { catalogue, documentId } from "./catalogue.ts"
import { gatherCrowd } from "./crowd.ts"
import { connectApi } from "./operator.ts"
import { HELP, type Options, readOptions } from "./options.ts"
import { startOwnNode } from "./own-node.ts"
import { asMarkdown, asText, crowdInWords, functionalityRecords, objections } from "./report.ts"
import type { RunRecord } from "./report.ts"
import { LIMIT_MS, responseTimes } from "./response-times.ts"
import { authorizeSeries, playRound, recordOf } from "./runner.ts"
import type { Behind, Played } from "./runner.ts"
import { CaseFailed } from "./stage.ts"
import type { Case } from "./stage.ts"
import { agree } from "./stage-hands.ts"
import type { Target } from "./stage-hands.ts"

const PATIENCE_MS = 10_000
const QUIET_MS = 250

/** One line of progress. */
function tell({ id, name }: Case, played: readonly Played[]): void {
  const ms = played.reduce((sum, each) => sum + each.ms, 0)
  const failed = played.find(({ result }) => result === "fail")
  const line = `${failed ? "FAIL" : "pass"}  ${documentId({ id }).padEnd(14)} ${String(ms).padStart(6)} ms  ${name}`
  say(failed ? `${line}\n      ${[failed.form, failed.reason].filter(Boolean).join(": ")}` : line)
}

async function conformance(
  { target: given, cases, busy }: Options,
  stop: AbortSignal,
): Promise<RunRecord | "interrupted"> {
  const startedAt = new Date()
  await using open = new AsyncDisposableStack()
  if (!given) say("no URLs given: starting a node of this run's own")
  const { ocppUrl, graphqlUrl, token } = given ?? open.use(await startOwnNode())
  const api = open.use(connectApi(graphqlUrl, token))
  await api.ask("{ viewer { name } }")
  const { values } = open.use(await agree(api))
  const target: Target = { ocppUrl, api, values, patienceMs: PATIENCE_MS, quietMs: QUIET_MS, stop }
  say(`${cases.length} cases → ${ocppUrl}, operated through ${graphqlUrl}`)

  const played = new Map<string, Played[]>()
  const problems: string[] = []
  const measure = async (behind: Behind) => {
    const round = await playRound(cases, target, { behind, told: tell })
    for (const [id, forms] of round.played) played.set(id, [...(played.get(id) ?? []), ...forms])
    const series = stop.aborted ? { times: [] } : await authorizeSeries(target)
    if (series.failure !== undefined) problems.push(`the series of Authorize, ${behind}: ${series.failure}`)
    return responseTimes([...round.times, ...series.times])
  }

  const times: RunRecord["responseTimes"] = { limitMs: LIMIT_MS, idle: await measure("idle") }
  if (busy > 0 && !stop.aborted) {
    say(`\nthe same with ${busy} busy charge points behind, which are being connected`)
    await using crowd = await gatherCrowd({ ocppUrl, api, chargePoints: busy, stop }).catch((cause: unknown) => {
      if (!(cause instanceof CaseFailed)) throw cause
      problems.push(`with busy charge points behind nothing was measured: ${cause.message}`)
      return undefined
    })
    if (crowd) times.busy = { ...(await measure("busy")), ...crowd.summary() }
    if (times.busy) say(`\n${crowdInWords(times.busy)}; they are being removed`)
  }
  if (stop.aborted) return "interrupted"
  const records = catalogue.map((testCase) => recordOf(testCase, played.get(testCase.id) ?? []))
  return {
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    cases: records,
    functionalities: functionalityRecords(records),
    responseTimes: times,
    problems,
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options.help) {
    say(HELP)
    return 0
  }
  const record = await conformance(options, stopSignal())
  if (record === "interrupted") return 130
  if (options.json !== undefined) await Bun.write(options.json, `${JSON.stringify(record, undefined, 2)}\n`)
  if (options.record !== undefined) await Bun.write(options.record, asMarkdown(record))
  say(asText(record))
  return objections(record).length > 0 ? 1 : 0
}

await endWith(main)
