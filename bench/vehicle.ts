/** The electric vehicle on the cable: what it draws at which state of charge. */
import { between, pick, type Random } from "./random.ts"

export interface Vehicle {
  capacityWh: number
  /** What its on-board charger (AC) or battery (DC) takes at most, in W. */
  maxAcW: number
  maxDcW: number
  /** Phases its on-board charger uses. */
  phases: 1 | 3
  /** State of charge, 0 to 1. */
  soc: number
  /** Where its driver told it to stop, 0 to 1. */
  targetSoc: number
}

const BATTERY_EFFICIENCY = 0.93
/** Full power up to the knee, then a straight descent to a tenth at 100 %. */
const KNEE = { ac: 0.94, dc: 0.6 }

type Model = Omit<Vehicle, "soc" | "targetSoc">

const models: readonly [Model, ...Model[]] = [
  { capacityWh: 40_000, maxAcW: 6600, maxDcW: 46_000, phases: 1 },
  { capacityWh: 52_000, maxAcW: 22_000, maxDcW: 50_000, phases: 3 },
  { capacityWh: 58_000, maxAcW: 11_000, maxDcW: 120_000, phases: 3 },
  { capacityWh: 77_000, maxAcW: 11_000, maxDcW: 135_000, phases: 3 },
  { capacityWh: 77_400, maxAcW: 11_000, maxDcW: 230_000, phases: 3 },
  { capacityWh: 12_000, maxAcW: 3600, maxDcW: 0, phases: 1 },
]

/** A vehicle as it comes along: half empty, its driver in no need of every last percent. A DC cable fits no plug-in hybrid. */
export function someVehicle(random: Random, direct: boolean): Vehicle {
  const model = pick(random, models)
  if (direct && model.maxDcW === 0) return someVehicle(random, direct)
  return { ...model, soc: between(random, 0.08, 0.65), targetSoc: direct ? 0.8 : between(random, 0.8, 1) }
}

/** What the vehicle would draw now, in W. */
export function appetiteW({ soc, targetSoc, maxAcW, maxDcW }: Vehicle, direct: boolean): number {
  if (soc >= targetSoc) return 0
  const knee = direct ? KNEE.dc : KNEE.ac
  const descent = Math.max(0, (soc - knee) / (1 - knee))
  return (direct ? maxDcW : maxAcW) * (1 - 0.9 * descent)
}

/** Lets the vehicle charge and returns the energy that went through the meter, in Wh. */
export function charge(vehicle: Vehicle, powerW: number, seconds: number): number {
  const missingWh = ((vehicle.targetSoc - vehicle.soc) * vehicle.capacityWh) / BATTERY_EFFICIENCY
  const energyWh = Math.min((powerW * seconds) / 3600, Math.max(0, missingWh))
  vehicle.soc += (energyWh * BATTERY_EFFICIENCY) / vehicle.capacityWh
  // Rounding must not leave a vehicle forever a hair below its target.
  if (vehicle.targetSoc - vehicle.soc < 1e-9) vehicle.soc = vehicle.targetSoc
  return energyWh
}
