/** Latency below saturation: `mixed` at half of what it can carry, and Heartbeats beside the storing of meter values. */
import type { Measured } from "../acts.ts"
import { Driver } from "../driver.ts"
import { Faults } from "../faults.ts"
import type { FleetPlan, RunPlan, RunResult } from "../fleet.ts"
import { spread } from "../histogram.ts"
import { resultOf, type Round, roundOf, rowOf } from "../record.ts"
import type { ScriptName } from "../script.ts"
import { startLimit } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"

const MIXED_CHARGERS = 10_000
/** What the Heartbeats that are looked at come to, per second: little, so that they load nothing themselves. */
const HEARTBEATS_PER_S = 500
const HEARTBEAT_CHARGERS = 200

/** A realistic fleet: what it can carry, then half of that at a steady pace, each CALL timed from when it was due. */
export async function mixed(stage: Stage): Promise<void> {
  const { options, say } = stage
  const chargers = options.chargers ?? MIXED_CHARGERS
  await using open = new AsyncDisposableStack()
  const node = open.use(await stage.node())
  const limit = open.use(await startLimit("echo"))
  const { identities, idTags } = open.use(await stage.enrol(node, { chargers }))
  const plan = { identities, idTags, script: "mixed" as const }
  const load = open.use(await Load.gather(node, plan))
  const bare = open.use(await Load.gather(limit, plan))
  const closed = async (which: Load) => {
    const rounds = [roundOf(await which.run({ warmupS: options.warmupS, seconds: options.seconds }))]
    say(`mixed ${chargers}: ${which.subject.name} carries ${Math.round(rounds[0]?.perSecond ?? 0)}/s`)
    return rowOf({ scenario: "mixed", subject: which.subject.name, chargers, unit: "messages" }, rounds, which.faults)
  }
  const carried = await closed(load)
  const limitRow = await closed(bare)
  const ratePerSecond = (carried.perSecond?.median ?? 0) / 2
  const rounds: Round[] = []
  for (let number = 1; number <= options.rounds; number++) {
    const round = roundOf(await load.run({ warmupS: options.warmupS, seconds: options.seconds, ratePerSecond }))
    rounds.push(round)
    say(
      `mixed ${chargers}: round ${number}/${options.rounds} at ${Math.round(ratePerSecond)}/s, p99 ${round.p99Ms.toFixed(2)} ms`,
    )
  }
  const words = "p99 < 20 ms at half load"
  stage.results.push(resultOf(carried, limitRow, { ratio: 0, words: "(what half load is half of)" }))
  stage.limits.push(limitRow)
  const half = rowOf({ scenario: "mixed-at-half", subject: node.name, chargers, unit: "messages" }, rounds, load.faults)
  // How many times the wanted 20 ms the p99 fits into them.
  stage.results.push({ ...half, ratio: 20 / (half.p99Ms?.median ?? Number.NaN), target: 1, targetInWords: words })
}

/** Heartbeats of some chargers, first alone, then while others have their meter values stored at half load. */
export async function heartbeatBesideMeterValues(stage: Stage): Promise<void> {
  const { options, say } = stage
  const scenario = "heartbeat-beside-meter-values"
  const chargers = options.chargers ?? 1000
  await using open = new AsyncDisposableStack()
  const node = open.use(await stage.node())
  const enrolled = open.use(await stage.enrol(node, { chargers: chargers + HEARTBEAT_CHARGERS }))
  const { idTags, identities } = enrolled
  const driver = open.use(new Driver())
  const gather = (name: string, script: ScriptName, some: readonly string[]) => {
    const plan: FleetPlan = { url: node.ocppUrl, dialect: node.dialect, identities: some, idTags, script }
    return driver.ask("gather", { name, plan, watch: [] })
  }
  await gather("beating", "heartbeat", identities.slice(0, HEARTBEAT_CHARGERS))
  await gather("storing", "meter-values", identities.slice(HEARTBEAT_CHARGERS))
  const run = async (runs: Record<string, RunPlan>) => driver.ask("run", { runs, watch: node.watched() })

  const { warmupS, seconds } = options
  const capacity = (await run({ storing: { warmupS, seconds } }))["storing"]?.result
  const ratePerSecond = capacity ? capacity.answered / capacity.seconds / 2 : 0
  const beating = { warmupS: Math.min(1, warmupS), seconds, ratePerSecond: HEARTBEATS_PER_S }
  const alone: Round[] = []
  const beside: Round[] = []
  const faults = new Faults()
  let last: Record<string, Measured<RunResult>> = {}
  const heartbeatsOf = (measured: typeof last): Round => {
    const heartbeats = measured["beating"]
    if (!heartbeats) throw new Error("nothing was measured")
    return roundOf(heartbeats)
  }
  for (let number = 1; number <= options.rounds; number++) {
    alone.push(heartbeatsOf(await run({ beating })))
    last = await run({ beating, storing: { ...beating, ratePerSecond } })
    beside.push(heartbeatsOf(last))
    say(
      `${scenario}: round ${number}/${options.rounds} p99 ${alone.at(-1)?.p99Ms.toFixed(2)} ms alone, ${beside.at(-1)?.p99Ms.toFixed(2)} ms beside ${Math.round(ratePerSecond)} meter values/s`,
    )
  }
  for (const measured of Object.values(last)) faults.add(measured.faults)
  const row = { scenario, chargers: HEARTBEAT_CHARGERS, unit: "heartbeats" }
  const without = rowOf({ ...row, subject: "without" }, alone, { counts: {}, examples: {} })
  const ours = rowOf({ ...row, subject: node.name }, beside, faults.record(), [
    `beside ${Math.round(ratePerSecond)} MeterValues/s of ${chargers} chargers`,
  ])
  const ratios = spread(alone.map(({ p99Ms }, index) => p99Ms / (beside[index]?.p99Ms ?? Number.NaN)))
  stage.limits.push(without)
  stage.results.push({
    ...ours,
    // Shared with the storing: per Heartbeat it says nothing.
    cpuUs: {},
    ratio: ratios.median,
    ratios,
    target: 1 / 3,
    targetInWords: "p99 ≤ 3 times that without",
  })
}
