/** What the generator does when the run asks for it, and what it measures beside: its own CPU and that of the servers. */
import { Audience, type AudiencePlan, type FanOutResult } from "./audience.ts"
import { ask } from "./enrol.ts"
import type { FaultRecord } from "./faults.ts"
import { Followers, type FollowersPlan } from "./followers.ts"
import { Fleet, type FleetPlan, type Gathering, type RunPlan, type RunResult } from "./fleet.ts"
import type { Counts } from "./histogram.ts"
import type { Parts, PartsPlan } from "./parts.ts"
import { read, type Watched } from "./process-meter.ts"
import { timeEach } from "./time-each.ts"

/** What was spent between the two ends of a measurement. */
export interface Usage {
  seconds: number
  /** CPU of the generator, in cores. */
  generator: number
  /** By name. CPU in s, resident memory at the end in bytes. */
  servers: Record<string, { cpuS: number; rss: number }>
}

export interface Measured<Result> {
  result: Result
  usage: Usage
  faults: FaultRecord
}

interface CommandsPlan {
  graphqlUrl: string
  token: string
  identity: string
  seconds: number
}

const SEND_DATA = `mutation ($input: DataTransferInput!) {
  result: dataTransfer(input: $input) { __typename ... on DataTransferConfirmation { status } ... on Error { message } }
}`

export class Acts {
  readonly #fleets = new Map<string, Fleet>()
  readonly #audiences = new Map<string, Audience>()
  readonly #followers = new Map<string, Followers>()

  /** Brings a fleet in, which is a storm if all come at once. */
  async gather({
    name,
    plan,
    watch,
  }: {
    name: string
    plan: FleetPlan
    watch: Watched[]
  }): Promise<Measured<Gathering>> {
    const fleet = new Fleet(plan, (action) => (action === "DataTransfer" ? { status: "Accepted" } : undefined))
    this.#fleets.set(name, fleet)
    const meter = new Meter(watch)
    meter.begin()
    const result = await fleet.gather()
    return { result, usage: meter.end(), faults: fleet.faults }
  }

  /** Runs one or more fleets at the same time; what is spent is measured over what counts of the first. */
  async run({
    runs,
    watch,
  }: {
    runs: Record<string, RunPlan>
    watch: Watched[]
  }): Promise<Record<string, Measured<RunResult>>> {
    const meter = new Meter(watch)
    const results = await Promise.all(
      Object.entries(runs).map(async ([name, plan], index) => {
        const fleet = this.#fleet(name)
        const result = await fleet.run(plan, (edge) => void (index === 0 && meter[edge]()))
        return [name, { result, faults: fleet.faults }] as const
      }),
    )
    return Object.fromEntries(results.map(([name, measured]) => [name, { ...measured, usage: meter.usage }]))
  }

  /** Subscribes an audience to a fleet that is there already. */
  async gatherAudience({ name, fleet, plan }: { name: string; fleet: string; plan: AudiencePlan }): Promise<void> {
    const audience = new Audience(plan)
    this.#audiences.set(name, audience)
    await audience.gather(this.#fleet(fleet))
  }

  async fanOut({
    name,
    fleet: fleetName,
    plan,
    watch,
  }: {
    name: string
    fleet: string
    plan: { warmupS: number; seconds: number }
    watch: Watched[]
  }): Promise<Measured<FanOutResult>> {
    const [audience, fleet, meter] = [this.#audiences.get(name), this.#fleet(fleetName), new Meter(watch)]
    if (!audience) throw new Error(`there is no audience ${name}`)
    const result = await audience.run(fleet, plan, (edge) => void meter[edge]())
    const faults = audience.faults
    for (const kind of ["counts", "examples"] as const) Object.assign(faults[kind], fleet.faults[kind])
    return { result, usage: meter.usage, faults }
  }

  /** Gives each charger of a fleet a subscriber to its readings. */
  async gatherFollowers({ fleet, plan }: { fleet: string; plan: FollowersPlan }): Promise<void> {
    const followers = new Followers(plan, this.#fleet(fleet))
    this.#followers.set(fleet, followers)
    await followers.gather()
  }

  /** Runs a fleet and times what its subscribers are told. */
  async follow({
    fleet: name,
    plan,
    watch,
  }: {
    fleet: string
    plan: Omit<RunPlan, "warmupS">
    watch: Watched[]
  }): Promise<Measured<RunResult>> {
    const [followers, meter] = [this.#followers.get(name), new Meter(watch)]
    if (!followers) throw new Error(`nobody follows ${name}`)
    const result = await followers.run(plan, (edge) => void meter[edge]())
    return { result, usage: meter.usage, faults: followers.faults }
  }

  /** Operates one charger over GraphQL, one command at a time. */
  async command({
    graphqlUrl,
    token,
    identity,
    seconds,
  }: CommandsPlan): Promise<{ latencies: Counts; refused: string[] }> {
    const refused: string[] = []
    const latencies = await timeEach(seconds, async () => {
      const { result } = await ask<{ result: { __typename: string; status?: string; message?: string } }>(
        { graphqlUrl, token },
        SEND_DATA,
        { input: { chargePoint: identity, vendorId: "busbar.bench" } },
      )
      if (result.status !== "ACCEPTED") refused.push(`${result.__typename}: ${result.message ?? result.status}`)
    })
    return { latencies, refused }
  }

  /** Loads what it needs only here: most generators never measure parts. */
  async parts(plan: PartsPlan): Promise<Parts> {
    const { measureParts } = await import("./parts.ts")
    return measureParts(plan)
  }

  /** What the fleet suffered while nothing was asked of it. */
  async faults({ name }: { name: string }): Promise<FaultRecord> {
    return this.#fleet(name).faults
  }

  #fleet(name: string): Fleet {
    const fleet = this.#fleets.get(name)
    if (!fleet) throw new Error(`there is no fleet ${name}`)
    return fleet
  }
}

class Meter {
  readonly #watch: readonly Watched[]
  #at = 0
  #own = process.cpuUsage()
  #before: readonly number[] = []
  usage: Usage = { seconds: 0, generator: 0, servers: {} }

  constructor(watch: readonly Watched[]) {
    this.#watch = watch
  }

  begin(): void {
    this.#at = performance.now()
    this.#own = process.cpuUsage()
    this.#before = this.#watch.map((each) => read(each)?.cpuS ?? 0)
  }

  end(): Usage {
    const seconds = (performance.now() - this.#at) / 1000
    const { user, system } = process.cpuUsage(this.#own)
    const servers: Usage["servers"] = {}
    for (const [index, each] of this.#watch.entries()) {
      const { cpuS, rss } = read(each) ?? { cpuS: 0, rss: 0 }
      const sum = servers[each.name] ?? { cpuS: 0, rss: 0 }
      const spent = Math.max(0, cpuS - (this.#before[index] ?? 0))
      servers[each.name] = { cpuS: sum.cpuS + spent, rss: sum.rss + rss }
    }
    this.usage = { seconds, generator: (user + system) / 1e6 / seconds, servers }
    return this.usage
  }
}
