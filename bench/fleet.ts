/** Many believable charge points at once, with drivers that come and go. The same seed gives the same fleet. */
import { believableChargePoint } from "./behaviour.ts"
import { type FaultLevel, plague } from "./faults.ts"
import type { TlsOptions } from "./line.ts"
import { pick, type Random, seeded, untilNext } from "./random.ts"
import type { Hardware } from "./session.ts"
import type { Station } from "./station.ts"
import { newStatistics, type Statistics } from "./statistics.ts"
import { unobserved } from "./wire.ts"

export interface FleetOptions {
  /** The central system's endpoint, up to and including /ocpp. */
  url: string
  chargers: number
  /** Identities are this and a number from 0001. */
  prefix: string
  password?: string | undefined
  idTags: readonly [string, ...string[]]
  /** Seconds of charging in one second of ours. */
  speed: number
  /** Mean seconds, of ours, between two drivers at one charge point. */
  sessionEvery: number
  faults: FaultLevel
  seed: number
  /** How many connections are opened in a second. */
  connectRate: number
  tls?: TlsOptions | undefined
}

export interface FleetReport extends Statistics {
  chargers: number
  connected: number
  accepted: number
  /** Connectors with a running transaction. */
  charging: number
  sessionsStarted: number
  sessionsEnded: number
  energyWh: number
  /** Transaction messages that the central system has not acknowledged yet. */
  backlog: number
  /** Transaction messages given up after all attempts. */
  dropped: number
  /** Faults so far, by kind. */
  faults: Record<string, number>
  /** Response times of the latest CALLs, in ms. */
  p50Ms: number
  p99Ms: number
}

interface Model {
  vendor: string
  model: string
  connectors: number
  hardware: Hardware
}

const RECENT = 10_000

const models: readonly [Model, ...Model[]] = [
  { vendor: "Elmwood", model: "Wall 11", connectors: 1, hardware: { maxW: 11_000, phases: 3, direct: false } },
  { vendor: "Elmwood", model: "Post 22 Duo", connectors: 2, hardware: { maxW: 22_000, phases: 3, direct: false } },
  { vendor: "Kiruna Power", model: "City 7", connectors: 1, hardware: { maxW: 7400, phases: 1, direct: false } },
  { vendor: "Kiruna Power", model: "Rapid 50", connectors: 2, hardware: { maxW: 50_000, phases: 3, direct: true } },
  { vendor: "Voltera", model: "HPC 150", connectors: 2, hardware: { maxW: 150_000, phases: 3, direct: true } },
]

/** The identities of a fleet. */
export const identities = ({ chargers, prefix }: Pick<FleetOptions, "chargers" | "prefix">) =>
  Array.from({ length: chargers }, (_, index) => `${prefix}${String(index + 1).padStart(4, "0")}`)

export class Fleet implements AsyncDisposable {
  readonly stations: readonly Station[]
  readonly #options: FleetOptions
  readonly #statistics = newStatistics()
  readonly #faults: Record<string, number> = {}
  readonly #times: number[] = []
  readonly #timers = new Set<Timer>()
  readonly #cures: (() => void)[] = []
  #timed = 0
  #stopping: Promise<void> | undefined

  constructor(options: FleetOptions) {
    this.#options = options
    this.stations = identities(options).map((identity, index) => this.#build(identity, index))
  }

  /** Connects one after the other, at the rate asked for; returns at once. */
  start(): void {
    const { connectRate, faults, seed } = this.#options
    for (const [index, station] of this.stations.entries()) {
      const random = seeded(seed + 7919 * (index + 1))
      this.#later((index * 1000) / connectRate, () => {
        station.connect().catch(unobserved)
        this.#welcome(station, random)
        this.#cures.push(plague(station, faults, random, (fault) => this.#count(fault)))
      })
    }
  }

  report(): FleetReport {
    const { stations } = this
    const count = (test: (station: Station) => boolean) => stations.filter(test).length
    const sum = (number: (station: Station) => number) =>
      stations.reduce((total, station) => total + number(station), 0)
    const sorted = this.#times.toSorted((a, b) => a - b)
    const percentile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
    return {
      ...this.#statistics,
      chargers: stations.length,
      connected: count(({ chargePoint }) => chargePoint.online),
      accepted: count(({ registration }) => registration === "Accepted"),
      charging: sum(({ connectors }) => connectors.filter(({ session }) => session).length),
      sessionsStarted: sum(({ sessions }) => sessions.started),
      sessionsEnded: sum(({ sessions }) => sessions.ended),
      energyWh: sum(({ sessions }) => sessions.energyWh),
      backlog: sum(({ chargePoint }) => chargePoint.backlog.length),
      dropped: sum(({ chargePoint }) => chargePoint.backlog.dropped),
      faults: { ...this.#faults },
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
    }
  }

  /** No new drivers; ends every transaction and closes, waiting at most `withinMs` for the acknowledgements. */
  stop(withinMs = 5000): Promise<void> {
    this.#stopping ??= this.#stop(withinMs)
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(withinMs: number): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const cure of this.#cures) cure()
    await Promise.all(this.stations.map((station) => station.stop(withinMs)))
  }

  #build(identity: string, index: number): Station {
    const { url, password, speed, seed, tls } = this.#options
    const random = seeded(seed + 104_729 * (index + 1))
    const station = believableChargePoint({
      ...pick(random, models),
      ...{ url, identity, password, speed, tls, random },
      serialNumber: `${Math.floor(random() * 1e9)}`,
      firmwareVersion: `2.${Math.floor(random() * 6)}.${Math.floor(random() * 10)}`,
      reconnect: { minMs: 500, maxMs: 30_000 },
      keep: 0,
      statistics: this.#statistics,
    })
    station.chargePoint.onExchange(({ ms }) => {
      this.#times[this.#timed++ % RECENT] = ms
    })
    return station
  }

  /** Drivers come by at random; one who finds no free connector drives on. */
  #welcome(station: Station, random: Random): void {
    this.#later(untilNext(random, this.#options.sessionEvery * 1000), () => {
      const idTag = pick(random, this.#options.idTags)
      const free = station.connectors.find((connector) => connector.isFreeFor(idTag))
      // Without registration a charge point gives no energy away.
      if (free && station.registration === "Accepted") station.plugIn(free.connectorId, idTag).catch(unobserved)
      this.#welcome(station, random)
    })
  }

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    this.#timers.add(timer)
  }
}
