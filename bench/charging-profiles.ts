/** Charging profiles: which is in force, what it allows, and the schedule they make together. OCPP 1.6 §3.13. */

export interface ChargingProfile {
  chargingProfileId: number
  transactionId?: number
  stackLevel: number
  chargingProfilePurpose: "ChargePointMaxProfile" | "TxDefaultProfile" | "TxProfile"
  chargingProfileKind: "Absolute" | "Recurring" | "Relative"
  recurrencyKind?: "Daily" | "Weekly"
  validFrom?: string
  validTo?: string
  chargingSchedule: {
    duration?: number
    startSchedule?: string
    chargingRateUnit: "A" | "W"
    chargingSchedulePeriod: { startPeriod: number; limit: number; numberPhases?: number }[]
  }
}

export interface Selection {
  id?: number
  connectorId?: number
  chargingProfilePurpose?: string
  stackLevel?: number
}

/** The transaction a limit is asked for. */
export interface Running {
  transactionId: number | undefined
  startedAt: number
}

const VOLTS = 230
const PERIOD_MS = { Daily: 86_400_000, Weekly: 7 * 86_400_000 }

export class ChargingProfiles {
  #installed: { connectorId: number; profile: ChargingProfile }[] = []

  /** Installs; replaces the same id, or the same purpose and stack level on the connector. OCPP 1.6 §3.13.2. */
  install(connectorId: number, profile: ChargingProfile): void {
    const replaced = (other: ChargingProfile) =>
      other.chargingProfilePurpose === profile.chargingProfilePurpose && other.stackLevel === profile.stackLevel
    this.#installed = this.#installed.filter(
      (one) =>
        one.profile.chargingProfileId !== profile.chargingProfileId &&
        !(one.connectorId === connectorId && replaced(one.profile)),
    )
    this.#installed.push({ connectorId, profile })
  }

  get size(): number {
    return this.#installed.length
  }

  /** ClearChargingProfile.req: an id alone decides, else all given fields must match. True when one went. */
  clear({ id, connectorId, chargingProfilePurpose: purpose, stackLevel }: Selection): boolean {
    const before = this.#installed.length
    this.#installed = this.#installed.filter(({ connectorId: on, profile }) => {
      if (id !== undefined) return profile.chargingProfileId !== id
      const matches =
        (connectorId === undefined || connectorId === on) &&
        (purpose === undefined || purpose === profile.chargingProfilePurpose) &&
        (stackLevel === undefined || stackLevel === profile.stackLevel)
      return !matches
    })
    return this.#installed.length < before
  }

  /** A TxProfile ends with its transaction. */
  endTransaction(connectorId: number): void {
    this.clear({ connectorId, chargingProfilePurpose: "TxProfile" })
  }

  /** What a connector may draw at an instant (ms), in W on so many phases; Infinity without a limit. */
  limitW(connectorId: number, at: number, phases: number, running?: Running): number {
    const maximum = this.#inForce("ChargePointMaxProfile", [0], at, phases, running)
    const own = running && this.#inForce("TxProfile", [connectorId], at, phases, running)
    const limit = own ?? this.#inForce("TxDefaultProfile", [connectorId, 0], at, phases, running)
    return Math.min(maximum ?? Infinity, limit ?? Infinity)
  }

  /** The composite of the next `seconds`: periods relative to `from` (ms), limits in the unit asked for. */
  composite(connectorId: number, from: number, seconds: number, unit: "A" | "W", mostW: number, running?: Running) {
    const starts = new Set([0])
    for (const { profile } of this.#installed)
      for (const instant of edges(profile, from, from + seconds * 1000, running))
        starts.add(Math.ceil((instant - from) / 1000))
    const chargingSchedulePeriod: { startPeriod: number; limit: number }[] = []
    for (const startPeriod of [...starts].sort((a, b) => a - b)) {
      const watts = Math.min(mostW, this.limitW(connectorId, from + startPeriod * 1000, 3, running))
      const limit = Math.round((unit === "W" ? watts : watts / VOLTS / 3) * 10) / 10
      if (chargingSchedulePeriod.at(-1)?.limit !== limit) chargingSchedulePeriod.push({ startPeriod, limit })
    }
    return { duration: seconds, chargingRateUnit: unit, chargingSchedulePeriod }
  }

  /** The limit of the highest stack level that says something now; a connector's own before those of connector 0. */
  #inForce(purpose: string, connectorIds: number[], at: number, phases: number, running?: Running): number | undefined {
    for (const connectorId of connectorIds) {
      const stack = this.#installed
        .filter((one) => one.connectorId === connectorId && one.profile.chargingProfilePurpose === purpose)
        .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel)
      for (const { profile } of stack) {
        const wanted = profile.transactionId
        if (wanted !== undefined && wanted !== running?.transactionId) continue
        const limit = limitOf(profile, at, phases, running)
        if (limit !== undefined) return limit
      }
    }
    return undefined
  }
}

/** When the schedule that covers an instant began, in ms. */
function startOf(
  { chargingProfileKind, chargingSchedule, recurrencyKind }: ChargingProfile,
  at: number,
  run?: Running,
) {
  if (chargingProfileKind === "Relative") return run?.startedAt ?? at
  const start = chargingSchedule.startSchedule === undefined ? at : Date.parse(chargingSchedule.startSchedule)
  if (chargingProfileKind === "Absolute" || !recurrencyKind) return start
  const period = PERIOD_MS[recurrencyKind]
  return start + Math.floor((at - start) / period) * period
}

function limitOf(profile: ChargingProfile, at: number, phases: number, running?: Running): number | undefined {
  if (profile.validFrom !== undefined && at < Date.parse(profile.validFrom)) return undefined
  if (profile.validTo !== undefined && at >= Date.parse(profile.validTo)) return undefined
  const { chargingSchedulePeriod: periods, duration = Infinity, chargingRateUnit } = profile.chargingSchedule
  const seconds = (at - startOf(profile, at, running)) / 1000
  if (seconds < 0 || seconds >= duration) return undefined
  const period = periods.findLast(({ startPeriod }) => startPeriod <= seconds)
  if (!period) return undefined
  return chargingRateUnit === "W" ? period.limit : period.limit * VOLTS * Math.min(phases, period.numberPhases ?? 3)
}

/** Every instant in a window at which a profile may begin, change or end. */
function edges(profile: ChargingProfile, from: number, to: number, running?: Running): number[] {
  const { duration, chargingSchedulePeriod: periods } = profile.chargingSchedule
  const offsets = periods.map(({ startPeriod }) => startPeriod)
  if (duration !== undefined) offsets.push(duration)
  const starts = [startOf(profile, from, running)]
  const repeat = profile.chargingProfileKind === "Recurring" && PERIOD_MS[profile.recurrencyKind ?? "Daily"]
  let next = starts[0] ?? to
  while (repeat && next < to) {
    next += repeat
    starts.push(next)
  }
  const instants = starts.flatMap((start) => offsets.map((offset) => start + offset * 1000))
  for (const bound of [profile.validFrom, profile.validTo]) if (bound !== undefined) instants.push(Date.parse(bound))
  return instants.filter((instant) => instant > from && instant < to)
}
