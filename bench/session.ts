/** A running transaction: the vehicle, the power it gets and the energy that went through the meter. */
import type { ChargingProfiles } from "./charging-profiles.ts"
import type { Load, Meter, MeterValue } from "./meter.ts"
import { appetiteW, charge, type Vehicle } from "./vehicle.ts"

export interface Hardware {
  maxW: number
  phases: 1 | 3
  /** Direct current. */
  direct: boolean
}

export interface SessionOptions {
  connectorId: number
  idTag: string
  vehicle: Vehicle
  hardware: Hardware
  meter: Meter
  profiles: ChargingProfiles
  /** By the charge point's clock, ISO 8601. */
  startedAt: string
  /** The reading with which it begins. */
  begin: MeterValue
  /** How many seconds of charging pass in one of ours. */
  speed: number
}

/** The charging curve bends, and a profile may begin in between: energy is summed up in steps of so many seconds. */
const STEP = 30

export class Session {
  readonly idTag: string
  readonly begin: MeterValue
  readonly startedAt: number
  readonly meterStart: number
  /** Unknown until the central system answered StartTransaction. */
  transactionId: number | undefined
  /** Whether the idTag turned out not to be allowed while the transaction has to go on. */
  withheld = false
  /** When the driver comes back, in ms of performance.now(). */
  leavesAt = Infinity
  readonly #options: SessionOptions
  #advancedAt = performance.now()
  #sampledAt = performance.now()

  constructor(options: SessionOptions) {
    this.#options = options
    this.idTag = options.idTag
    this.begin = options.begin
    this.startedAt = Date.parse(options.startedAt)
    this.meterStart = options.meter.wh
  }

  get isFull(): boolean {
    const { vehicle } = this.#options
    return vehicle.soc >= vehicle.targetSoc
  }

  /** What flows now, in W. */
  get powerW(): number {
    const { vehicle, hardware } = this.#options
    return Math.min(appetiteW(vehicle, hardware.direct), this.offeredW)
  }

  /** What the charge point would give, in W. */
  get offeredW(): number {
    if (this.withheld) return 0
    const { connectorId, hardware, profiles } = this.#options
    const limitW = profiles.limitW(connectorId, Date.now(), this.#phases, this)
    return Math.max(0, Math.min((hardware.maxW * this.#phases) / hardware.phases, limitW))
  }

  get load(): Load {
    const { hardware, vehicle } = this.#options
    const { powerW, offeredW } = this
    return { powerW, offeredW, phases: this.#phases, direct: hardware.direct, soc: vehicle.soc }
  }

  /** Lets the time since the last call pass. */
  advance(): void {
    const { vehicle, meter } = this.#options
    const now = performance.now()
    const seconds = this.#simulated(now - this.#advancedAt)
    this.#advancedAt = now
    for (let left = seconds; left > 0; left -= STEP) meter.add(charge(vehicle, this.powerW, Math.min(STEP, left)))
  }

  /** Whether a reading is due after so many seconds; if so, the next one is so many seconds away. */
  takesSample(interval: number): boolean {
    const now = performance.now()
    // A timer may fire a hair early.
    if (interval <= 0 || this.#simulated(now - this.#sampledAt) < interval * 0.99) return false
    this.#sampledAt = now
    return true
  }

  get #phases(): 1 | 3 {
    const { hardware, vehicle } = this.#options
    return hardware.direct || vehicle.phases === 3 ? hardware.phases : 1
  }

  #simulated(ms: number): number {
    return (ms / 1000) * this.#options.speed
  }
}
