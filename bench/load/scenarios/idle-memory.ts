/** What a connected charger that says nothing costs in memory, and whether that stays as it is. */
import type { Result, Row } from "../record.ts"
import { read } from "../process-meter.ts"
import { startLimit, type Subject } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"

const CHARGERS = [10_000, 18_000]
const SAMPLES = 20
const KIB = 1024
const MAY_COST_MORE_KIB = 4
/** What a heap may breathe without growing, as a share. */
const FLAT = 0.05

interface Rest {
  perChargerKiB: number
  /** From the middle of the time to its end. */
  growth: number
  rssMiB: number
  came: number
  faults: Row["faults"]
}

/** Connected, booted, and left alone. */
export async function idleMemory(stage: Stage): Promise<void> {
  const { options } = stage
  if (options.target) throw new Error("idle-memory reads the memory of a node that the run has started")
  for (const chargers of options.chargers === undefined ? CHARGERS : [options.chargers]) {
    await using open = new AsyncDisposableStack()
    const node = open.use(await stage.node())
    const limit = open.use(await startLimit("acknowledge"))
    const { identities, idTags } = open.use(await stage.enrol(node, { chargers }))
    const fleet = { identities, idTags }
    const ours = await rest(stage, node, fleet)
    const bare = await rest(stage, limit, fleet)
    const row = (subject: string, { faults, perChargerKiB, growth, rssMiB, came }: Rest): Row => ({
      ...{ scenario: "idle-memory", subject, chargers, unit: "chargers", rounds: [], faults },
      rssMiB: { server: rssMiB },
      errors: Object.values(faults.counts).reduce((sum, count) => sum + count, 0),
      notes: [
        `${perChargerKiB.toFixed(1)} KiB for each of ${came} chargers, ${(growth * 100).toFixed(1)} % more in the second half of ${options.idleSeconds} s`,
      ],
    })
    const result: Result = {
      ...row(node.name, ours),
      ratio: (bare.perChargerKiB + MAY_COST_MORE_KIB) / ours.perChargerKiB,
      target: 1,
      targetInWords: `≤ ${MAY_COST_MORE_KIB} KiB more per charger`,
    }
    stage.results.push(result)
    stage.limits.push(row(limit.name, bare))
    stage.checks.push({
      name: `idle-memory ${chargers}`,
      passed: ours.growth <= FLAT,
      words: `flat: ${(ours.growth * 100).toFixed(1)} % more in the second half of ${options.idleSeconds} s`,
    })
  }
}

async function rest(
  { options, say }: Stage,
  subject: Subject,
  fleet: { identities: readonly string[]; idTags: readonly string[] },
): Promise<Rest> {
  const rss = () => read(subject.watched()[0] ?? { pid: 0 })?.rss ?? 0
  const before = rss()
  await using load = await Load.gather(subject, { ...fleet, script: "heartbeat" })
  const came = load.gathering.result.chargers
  const samples: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    await Bun.sleep((options.idleSeconds * 1000) / SAMPLES)
    samples.push(rss())
    if (sample % 5 === 4)
      say(`idle-memory ${came}: ${subject.name} ${Math.round((samples.at(-1) ?? 0) / KIB / KIB)} MiB`)
  }
  const [middle = 0, end = 0] = [samples[SAMPLES / 2], samples.at(-1)]
  return {
    perChargerKiB: (end - before) / KIB / came,
    growth: end / Math.max(1, middle) - 1,
    rssMiB: end / KIB / KIB,
    came,
    faults: await load.driver.ask("faults", { name: "fleet" }),
  }
}
