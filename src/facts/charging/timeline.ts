/** Charging profiles over time: what one limits at an instant, and when that changes. OCPP 1.6 §3.13, §7.8, §7.13. */
import type { ChargingProfile, RecurrencyKind } from "../../ocpp/types.ts"
import { instantOf } from "../instants.ts"
import type { Limit } from "./limit.ts"

/** A charging profile laid out over time; instants and offsets are ms. */
export interface Timeline {
  readonly stackLevel: number
  readonly acceptedAt: number
  /** It counts from here up to, and not including, `validTo`. */
  readonly validFrom: number
  readonly validTo: number
  /** When the schedule begins; a recurring one for the first time. */
  readonly start: number
  /** After how long it begins anew; Infinity where it does not. */
  readonly everyMs: number
  /** Of one round; Infinity where it has none. Beyond the next round's start nothing of a round is executed. */
  readonly durationMs: number
  /** In order of their offsets from the start of a round. */
  readonly periods: readonly { offsetMs: number; limit: Limit }[]
}

/** A recurring schedule comes back after 24 hours or 7 days exactly, whatever clocks show. OCPP 1.6 §7.9, errata §3.56. */
const everyMs: Record<RecurrencyKind, number> = { Daily: 86_400_000, Weekly: 604_800_000 }

/**
 * The profile over time, or undefined where its schedule has not begun: a relative one begins at `begin` (epoch ms), as
 * does one that should name its start and does not.
 */
export function timelineOf(profile: ChargingProfile, acceptedAt: number, begin: number | null): Timeline | undefined {
  const { chargingSchedule: schedule, chargingProfileKind: kind, recurrencyKind } = profile
  const start = kind === "Relative" || schedule.startSchedule === undefined ? begin : instantOf(schedule.startSchedule)
  if (start === null) return undefined
  const every =
    kind === "Recurring" && recurrencyKind !== undefined ? everyMs[recurrencyKind] : Number.POSITIVE_INFINITY
  const duration = schedule.duration === undefined ? Number.POSITIVE_INFINITY : schedule.duration * 1000
  const unit = schedule.chargingRateUnit
  return {
    stackLevel: profile.stackLevel,
    acceptedAt,
    validFrom: profile.validFrom === undefined ? Number.NEGATIVE_INFINITY : instantOf(profile.validFrom),
    validTo: profile.validTo === undefined ? Number.POSITIVE_INFINITY : instantOf(profile.validTo),
    start,
    everyMs: every,
    durationMs: duration,
    periods: schedule.chargingSchedulePeriod
      .map(({ startPeriod, limit, numberPhases }) => ({
        offsetMs: startPeriod * 1000,
        limit: { limit, unit, numberPhases: usablePhases(numberPhases) },
      }))
      .sort((one, other) => one.offsetMs - other.offsetMs),
  }
}

/** Three phases are meant where none are named. OCPP 1.6 §7.14. A current has one to three, whatever was written. */
const usablePhases = (numberPhases = 3): number => Math.min(Math.max(numberPhases, 1), 3)

/** What the profile limits at this instant (epoch ms); undefined where it says nothing. */
export function limitAt(timeline: Timeline, at: number): Limit | undefined {
  const { validFrom, validTo, start, everyMs, durationMs, periods } = timeline
  if (at < validFrom || at >= validTo || at < start) return undefined
  const sinceStart = at - start
  const offset = Number.isFinite(everyMs) ? sinceStart % everyMs : sinceStart
  return offset < durationMs ? lastUpTo(periods, offset)?.limit : undefined
}

/** Found by halving: a schedule may have very many periods. */
function lastUpTo(periods: Timeline["periods"], offset: number): Timeline["periods"][number] | undefined {
  let [low, high] = [0, periods.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const period = periods[middle]
    if (period !== undefined && period.offsetMs <= offset) low = middle + 1
    else high = middle
  }
  return periods[low - 1]
}

/** Every instant between `from` and `to` (epoch ms) at which what the profile limits may change, in no order. */
export function* changesOf(timeline: Timeline, from: number, to: number): Generator<number> {
  const { validFrom, validTo, start, everyMs, durationMs, periods } = timeline
  yield validFrom
  yield validTo
  const recurs = Number.isFinite(everyMs)
  const first = recurs ? start + Math.max(0, Math.floor((from - start) / everyMs)) * everyMs : start
  for (let round = first; round < to; round += everyMs) {
    for (const { offsetMs } of periods) yield round + offsetMs
    yield round + durationMs
    if (!recurs) return
  }
}

/**
 * What profiles of one purpose limit together: of those that say something at the instant, the one with the highest
 * stack level; one without a duration never lets a lower one have its say. OCPP 1.6 §3.13.2, errata §3.7.
 */
export class Stack {
  readonly timelines: readonly Timeline[]

  constructor(timelines: readonly Timeline[]) {
    this.timelines = timelines.toSorted(
      (one, other) => other.stackLevel - one.stackLevel || other.acceptedAt - one.acceptedAt,
    )
  }

  limitAt(at: number): Limit | undefined {
    for (const timeline of this.timelines) {
      const limit = limitAt(timeline, at)
      if (limit !== undefined) return limit
    }
    return undefined
  }
}
