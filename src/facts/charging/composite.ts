/** What all charging profiles of a charge point limit together. OCPP 1.6 §3.13.3, §5.7. */
import type { ChargingProfile, ChargingRateUnit } from "../../ocpp/types.ts"
import { inTenths, inUnit, type Limit, type Supply } from "./limit.ts"
import { changesOf, Stack, timelineOf } from "./timeline.ts"

/** A profile that the charge point holds. */
export interface HeldProfile {
  /** The connector it was set on; 0: the charge point. */
  connectorId: number | null
  /** The transaction that a TxProfile belongs to. */
  transactionId: number | null
  /** Epoch ms. */
  acceptedAt: number
  profile: ChargingProfile
}

/** A transaction that runs. */
export interface Running {
  transactionId: number
  connectorId: number
  /** Epoch ms. */
  startedAt: number
}

/** Everything that a composite schedule follows from. */
export interface Site {
  profiles: readonly HeldProfile[]
  transactions: readonly Running[]
  /** The connectors above 0. */
  connectorIds: readonly number[]
  /** Null where not stated; then A and W cannot be converted. */
  supply: Supply | null
}

/** From a period's start on, this is the limit; null: none. */
export interface CompositePeriod {
  /** s after the schedule's start. */
  startPeriod: number
  /** In the schedule's unit, with at most one decimal digit. */
  limit: number | null
  /** How many phases may be used; null without a limit. */
  numberPhases: number | null
}

export interface CompositeSchedule {
  /** Null where nothing is limited and no unit was asked for. */
  chargingRateUnit: ChargingRateUnit | null
  /** In order, the first at 0, no two neighbours alike. */
  periods: CompositePeriod[]
}

/** What is asked: a connector (0: the grid connection), an instant (epoch ms), how long (s), and perhaps a unit. */
export interface Asked {
  connectorId: number
  from: number
  durationS: number
  unit: ChargingRateUnit | null
}

/** What counts at one instant: no more than `whole`, and no more than the parts together. An absent part has no limit. */
interface Bounds {
  whole: Limit | undefined
  parts: readonly (Limit | undefined)[]
}

/**
 * The composite schedule. On a connector it is the lower of ChargePointMaxProfile and the prevailing profile there, on 0
 * the lower of ChargePointMaxProfile and the sum of the connectors. Without a unit it is in the profiles' own, A where
 * they have both. What changes within a second counts from the next full second on.
 * @throws CannotCompare
 */
export function compositeSchedule(site: Site, { connectorId, from, durationS, unit }: Asked): CompositeSchedule {
  const maximum = maximumOf(site.profiles)
  const connectorIds = connectorId === 0 ? site.connectorIds : [connectorId]
  const connectors = connectorIds.map((id) => prevailingOn(id, site))
  const stacks = [maximum, ...connectors.flat()]
  const points = changingSeconds(stacks, from, durationS).map((second) => {
    const at = from + second * 1000
    const parts = connectors.map((ranked) => prevailingAt(ranked, at))
    return { second, bounds: { whole: maximum.limitAt(at), parts } }
  })
  const chargingRateUnit = unit ?? commonUnit(points.map(({ bounds }) => bounds))
  const periods: CompositePeriod[] = []
  for (const { second, bounds } of points) {
    const period = { startPeriod: second, ...lowest(bounds, chargingRateUnit ?? "A", site.supply) }
    const last = periods.at(-1)
    if (last?.limit !== period.limit || last.numberPhases !== period.numberPhases) periods.push(period)
  }
  return { chargingRateUnit, periods }
}

/** A relative one has no transaction to begin with: it begins when the charge point takes it. */
const maximumOf = (profiles: readonly HeldProfile[]): Stack =>
  new Stack(
    profiles
      .filter(({ profile }) => profile.chargingProfilePurpose === "ChargePointMaxProfile")
      .flatMap(({ profile, acceptedAt }) => timelineOf(profile, acceptedAt, acceptedAt) ?? []),
  )

/**
 * The stacks of a connector, the first that says something prevails: the running transaction's TxProfile, then
 * TxDefaultProfile of the connector, then that of all connectors. Relative ones begin with the transaction. OCPP 1.6
 * §3.13.1.
 */
function prevailingOn(connectorId: number, { profiles, transactions }: Site): readonly Stack[] {
  const running = transactions
    .filter((transaction) => transaction.connectorId === connectorId)
    .sort((one, other) => other.startedAt - one.startedAt)[0]
  const stackOf = (belongs: (held: HeldProfile) => boolean) =>
    new Stack(
      profiles
        .filter(belongs)
        .flatMap(({ profile, acceptedAt }) => timelineOf(profile, acceptedAt, running?.startedAt ?? null) ?? []),
    )
  const isDefaultOf = (id: number) => (held: HeldProfile) =>
    held.profile.chargingProfilePurpose === "TxDefaultProfile" && held.connectorId === id
  return [
    stackOf(
      ({ profile, transactionId }) =>
        profile.chargingProfilePurpose === "TxProfile" &&
        running !== undefined &&
        transactionId === running.transactionId,
    ),
    stackOf(isDefaultOf(connectorId)),
    stackOf(isDefaultOf(0)),
  ]
}

function prevailingAt(ranked: readonly Stack[], at: number): Limit | undefined {
  for (const stack of ranked) {
    const limit = stack.limitAt(at)
    if (limit !== undefined) return limit
  }
  return undefined
}

/** The whole seconds after `from` with which something may change, in order, 0 among them. */
function changingSeconds(stacks: readonly Stack[], from: number, durationS: number): number[] {
  const seconds = new Set([0])
  for (const { timelines } of stacks) {
    for (const timeline of timelines) {
      for (const at of changesOf(timeline, from, from + durationS * 1000)) {
        const second = Math.ceil((at - from) / 1000)
        if (second > 0 && second < durationS) seconds.add(second)
      }
    }
  }
  return [...seconds].sort((one, other) => one - other)
}

/** A sum with a part that has no limit has none. */
const isLimited = (parts: Bounds["parts"]): parts is readonly Limit[] =>
  parts.length > 0 && parts.every((part) => part !== undefined)

function commonUnit(all: readonly Bounds[]): ChargingRateUnit | null {
  const limits = all.flatMap(({ whole, parts }) => [whole ?? [], isLimited(parts) ? parts : []].flat())
  const units = new Set(limits.map(({ unit }) => unit))
  if (units.size === 0) return null
  return units.has("A") ? "A" : "W"
}

/**
 * The lower of the whole and the sum. Amperes are counted as if all parts were on the same phase. How many phases are
 * used decides what a limit is in the other unit: as many as all that count there allow.
 */
function lowest(
  { whole, parts }: Bounds,
  unit: ChargingRateUnit,
  supply: Supply | null,
): Pick<CompositePeriod, "limit" | "numberPhases"> {
  const most = Math.min(whole?.numberPhases ?? 3, supply?.phases ?? 3)
  if (!isLimited(parts)) {
    if (whole === undefined) return { limit: null, numberPhases: null }
    return { limit: inTenths(inUnit(whole, unit, most, supply)), numberPhases: most }
  }
  const used = parts.map((part) => Math.min(part.numberPhases, most))
  const sum = parts.reduce((total, part, index) => total + inUnit(part, unit, used[index] ?? most, supply), 0)
  const numberPhases = Math.max(...used)
  const limit = whole === undefined ? sum : Math.min(sum, inUnit(whole, unit, numberPhases, supply))
  return { limit: inTenths(limit), numberPhases }
}
