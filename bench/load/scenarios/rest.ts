/** Chargers that are connected, booted and left alone, at one server or at several: what they cost it in memory. */
import { type FaultRecord, Faults } from "../faults.ts"
import { read } from "../process-meter.ts"
import type { Subject } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"
import { pause } from "../stopping.ts"

const SAMPLES = 20
const KIB = 1024

/** A server, and who is to come to it. */
export interface Place {
  subject: Subject
  identities: readonly string[]
}

export interface Rest {
  perChargerKiB: number
  /** From the middle of the time to its end. */
  growth: number
  rssMiB: number
  came: number
  faults: FaultRecord
}

/** Of all places together: each has a generator of its own. @throws Stopped, or Error when nobody came in at one */
export async function rest(
  { options, say }: Stage,
  scenario: string,
  places: readonly Place[],
  idTags: readonly string[],
): Promise<Rest> {
  const rss = () => places.reduce((sum, { subject }) => sum + (read(subject.watched()[0] ?? { pid: 0 })?.rss ?? 0), 0)
  const before = rss()
  await using open = new AsyncDisposableStack()
  const loads: Load[] = []
  for (const { subject, identities } of places)
    loads.push(open.use(await Load.gather(subject, { identities, idTags, script: "heartbeat" })))
  const gatherings = loads.map(({ gathering }) => gathering.result)
  const came = gatherings.reduce((sum, { chargers }) => sum + chargers, 0)
  const seconds = gatherings.reduce((sum, { ms }) => sum + ms, 0) / 1000
  const name = places[0]?.subject.name ?? ""
  say(`${scenario} ${came}: came in at ${name} within ${seconds.toFixed(1)} s`)
  const samples: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    await pause((options.idleSeconds * 1000) / SAMPLES)
    samples.push(rss())
    if (sample % 5 === 4) say(`${scenario} ${came}: ${name} ${Math.round((samples.at(-1) ?? 0) / KIB / KIB)} MiB`)
  }
  const [middle = 0, end = 0] = [samples[SAMPLES / 2], samples.at(-1)]
  const faults = new Faults()
  for (const load of loads) faults.add(await load.driver.ask("faults", { name: "fleet" }))
  return {
    perChargerKiB: (end - before) / KIB / came,
    growth: end / Math.max(1, middle) - 1,
    rssMiB: end / KIB / KIB,
    came,
    faults: faults.record(),
  }
}
