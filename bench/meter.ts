/** The meter of one connector: a register that only grows, and what it reads at an instant. OCPP 1.6 §7.17, §7.31. */
import type { Random } from "./random.ts"

export type Context = "Sample.Periodic" | "Sample.Clock" | "Transaction.Begin" | "Transaction.End" | "Trigger"

/** What can be sampled; a configuration that names anything else is refused. */
export const MEASURANDS = [
  "Energy.Active.Import.Register",
  "Power.Active.Import",
  "Power.Offered",
  "Current.Import",
  "Current.Offered",
  "Voltage",
  "SoC",
  "Frequency",
  "Temperature",
] as const

export type Measurand = (typeof MEASURANDS)[number]

/** What a reading depends on beside the register. */
export interface Load {
  powerW: number
  offeredW: number
  phases: 1 | 3
  direct: boolean
  /** 0 to 1, when a vehicle tells it. */
  soc?: number | undefined
}

export interface SampledValue {
  value: string
  context: Context
  measurand: Measurand
  phase?: string
  location?: string
  unit?: string
}

export interface MeterValue {
  timestamp: string
  sampledValue: SampledValue[]
}

const PHASE_VOLTS = 230
const BATTERY_VOLTS = 400

export class Meter {
  readonly #random: Random
  #register: number

  /** @param registerWh where the register stands: no real one begins at zero */
  constructor(registerWh: number, random: Random) {
    this.#register = registerWh
    this.#random = random
  }

  /** The register in whole Wh. */
  get wh(): number {
    return Math.floor(this.#register)
  }

  add(energyWh: number): void {
    this.#register += Math.max(0, energyWh)
  }

  read(timestamp: string, context: Context, measurands: readonly Measurand[], load: Load): MeterValue {
    const sampledValue = measurands.flatMap((measurand) =>
      this.#values(measurand, load).map(({ value, ...rest }) => ({ value, context, measurand, ...rest })),
    )
    return { timestamp, sampledValue }
  }

  #values(measurand: Measurand, load: Load): Pick<SampledValue, "value" | "phase" | "location" | "unit">[] {
    const { powerW, offeredW, soc } = load
    switch (measurand) {
      case "Energy.Active.Import.Register":
        return [{ value: String(this.wh), location: "Outlet", unit: "Wh" }]
      case "Power.Active.Import":
        return [{ value: powerW.toFixed(1), location: "Outlet", unit: "W" }]
      case "Power.Offered":
        return [{ value: offeredW.toFixed(1), location: "Outlet", unit: "W" }]
      case "Current.Import":
        return this.#perPhase(load, (volts, phases) => (powerW / phases / volts).toFixed(2), "A")
      case "Current.Offered":
        return [{ value: (offeredW / (load.direct ? BATTERY_VOLTS : PHASE_VOLTS * load.phases)).toFixed(1), unit: "A" }]
      case "Voltage":
        return this.#perPhase(load, (volts) => volts.toFixed(1), "V")
      case "SoC":
        return soc === undefined ? [] : [{ value: String(Math.floor(soc * 100)), location: "EV", unit: "Percent" }]
      case "Frequency":
        return [{ value: this.#around(50, 0.02).toFixed(2) }]
      case "Temperature":
        return [{ value: this.#around(24 + powerW / 5000, 0.5).toFixed(1), location: "Body", unit: "Celsius" }]
    }
  }

  #perPhase({ phases, direct, soc = 0.5 }: Load, value: (volts: number, phases: number) => string, unit: string) {
    if (direct)
      return [{ value: value(this.#around(BATTERY_VOLTS * (0.88 + 0.2 * soc), 1), 1), location: "Outlet", unit }]
    return ["L1", "L2", "L3"].slice(0, phases).map((line) => ({
      value: value(this.#around(PHASE_VOLTS, 2), phases),
      phase: unit === "V" ? `${line}-N` : line,
      location: "Outlet",
      unit,
    }))
  }

  #around(middle: number, spread: number): number {
    return middle + (this.#random() * 2 - 1) * spread
  }
}
