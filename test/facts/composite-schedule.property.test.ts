/**
 * The composite schedule against a second opinion: every second by itself, read from the profiles as they are written,
 * without a thought for speed. FAST_CHECK_SEED explores other stacks, COMPOSITE_RUNS more of them.
 */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { type Asked, compositeSchedule, type HeldProfile, type Site } from "../../src/facts/charging/composite.ts"
import { CannotCompare } from "../../src/facts/charging/limit.ts"
import type { ChargingProfile } from "../../src/ocpp/types.ts"
import { minute } from "../support/charging.ts"
import { chargingProfile, type Period } from "../support/profiles.ts"

const runs = Number(process.env["COMPOSITE_RUNS"] ?? 1500)
const DAY = 86_400

type Unit = "A" | "W"
type Spot = { limit: number; unit: Unit; phases: number }

/** The tests' noon and some seconds, as text and as ms. */
const iso = (seconds: number) => new Date(minute(0) + seconds * 1000).toISOString()
const ms = (seconds: number) => minute(0) + seconds * 1000

// --- What may come: instants around the window that is looked at, so that most of them matter.

const WINDOW = 240
const instant = fc.integer({ min: -60, max: WINDOW + 60 })
const limit = fc.oneof(
  fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10),
  fc.constantFrom(6, 10, 16, 32),
)

const kind = fc.oneof(
  instant.map((at) => ({ chargingProfileKind: "Absolute" as const, startSchedule: iso(at) })),
  fc.constant({ chargingProfileKind: "Relative" as const }),
  fc
    .record({ at: instant, rounds: fc.integer({ min: 0, max: 3 }), weekly: fc.boolean() })
    .map(({ at, rounds, weekly }) => ({
      chargingProfileKind: "Recurring" as const,
      recurrencyKind: weekly ? ("Weekly" as const) : ("Daily" as const),
      startSchedule: iso(at - rounds * DAY * (weekly ? 7 : 1)),
    })),
)

/** Lengths within the window, and about a day, so that a round reaches into the next one. */
const length = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: DAY - 200, max: DAY + 100 }))

const heldProfile: fc.Arbitrary<HeldProfile> = fc
  .record({
    place: fc.constantFrom(
      { chargingProfilePurpose: "ChargePointMaxProfile" as const, connectorId: 0, transactionId: null },
      { chargingProfilePurpose: "TxDefaultProfile" as const, connectorId: 0, transactionId: null },
      { chargingProfilePurpose: "TxDefaultProfile" as const, connectorId: 1, transactionId: null },
      { chargingProfilePurpose: "TxDefaultProfile" as const, connectorId: 2, transactionId: null },
      { chargingProfilePurpose: "TxProfile" as const, connectorId: 1, transactionId: 1 },
      { chargingProfilePurpose: "TxProfile" as const, connectorId: 2, transactionId: 2 },
      { chargingProfilePurpose: "TxProfile" as const, connectorId: 1, transactionId: null },
    ),
    stackLevel: fc.integer({ min: 0, max: 4 }),
    kind,
    unit: fc.constantFrom<Unit>("A", "A", "A", "W"),
    duration: fc.option(length, { nil: undefined }),
    validFrom: fc.option(instant.map(iso), { nil: undefined, freq: 3 }),
    validTo: fc.option(instant.map(iso), { nil: undefined, freq: 3 }),
    acceptedAt: instant,
    first: fc.tuple(limit, fc.constantFrom(undefined, undefined, 1, 2, 3)),
    later: fc.array(fc.tuple(length, limit, fc.constantFrom(undefined, undefined, 1, 3)), { maxLength: 4 }),
  })
  .map(({ place, stackLevel, kind, unit, duration, validFrom, validTo, acceptedAt, first, later }) => {
    const { connectorId, transactionId, chargingProfilePurpose } = place
    const others = later.toSorted(([one], [other]) => one - other)
    const periods: Period[] = [[0, ...first] as const, ...others].map(([start, value, phases]) =>
      phases === undefined ? [start, value] : [start, value, phases],
    )
    const profile = chargingProfile({
      chargingProfilePurpose,
      stackLevel,
      ...kind,
      unit,
      ...(duration !== undefined && { duration }),
      ...(validFrom !== undefined && { validFrom }),
      ...(validTo !== undefined && { validTo }),
      periods,
    })
    return { connectorId, transactionId, acceptedAt: ms(acceptedAt), profile }
  })

/** A place in a stack holds one profile. */
const placeOf = ({ connectorId, transactionId, profile }: HeldProfile) =>
  [profile.chargingProfilePurpose, connectorId, transactionId, profile.stackLevel].join()

const world: fc.Arbitrary<Site> = fc.record({
  profiles: fc.uniqueArray(heldProfile, { minLength: 2, maxLength: 16, selector: placeOf, size: "max" }),
  transactions: fc
    .tuple(fc.option(instant), fc.option(instant))
    .map((starts) =>
      starts.flatMap((at, index) =>
        at === null ? [] : [{ transactionId: index + 1, connectorId: index + 1, startedAt: ms(at) }],
      ),
    ),
  connectorIds: fc.constantFrom([1, 2], [1, 2], [1], []),
  supply: fc.option(fc.record({ voltageV: fc.constantFrom(110, 230, 240.5), phases: fc.constantFrom(1, 2, 3) }), {
    freq: 3,
  }),
})

const question: fc.Arbitrary<Asked> = fc.record({
  connectorId: fc.constantFrom(0, 0, 1, 2, 3),
  from: instant.map(ms),
  durationS: fc.integer({ min: 1, max: WINDOW }),
  unit: fc.constantFrom<Unit | null>("A", "W", null, null),
})

// --- The second opinion.

/** What one profile says at an instant, by its own words. */
function said(profile: ChargingProfile, at: number, begin: number | undefined): Spot | null {
  if (profile.validFrom && at < Date.parse(profile.validFrom)) return null
  if (profile.validTo && at >= Date.parse(profile.validTo)) return null
  const schedule = profile.chargingSchedule
  let start = profile.chargingProfileKind === "Relative" ? begin : Date.parse(schedule.startSchedule ?? "")
  if (start === undefined || at < start) return null
  if (profile.chargingProfileKind === "Recurring") {
    const round = (profile.recurrencyKind === "Weekly" ? 7 : 1) * DAY * 1000
    while (start + round <= at) start += round
  }
  const elapsed = (at - start) / 1000
  if (schedule.duration !== undefined && elapsed >= schedule.duration) return null
  let spot: Spot | null = null
  for (const period of schedule.chargingSchedulePeriod)
    if (period.startPeriod <= elapsed)
      spot = { limit: period.limit, unit: schedule.chargingRateUnit, phases: period.numberPhases ?? 3 }
  return spot
}

/** The word of the highest stack level among these. */
function highest(profiles: HeldProfile[], at: number, begin: (held: HeldProfile) => number | undefined): Spot | null {
  let best: { level: number; spot: Spot } | null = null
  for (const held of profiles) {
    const spot = said(held.profile, at, begin(held))
    const level = held.profile.stackLevel
    if (spot && (!best || level > best.level)) best = { level, spot }
  }
  return best?.spot ?? null
}

function onConnector(connectorId: number, { profiles, transactions }: Site, at: number): Spot | null {
  const running = transactions.find((transaction) => transaction.connectorId === connectorId)
  const begin = () => running?.startedAt
  const of = (purpose: string, fits: (held: HeldProfile) => boolean) =>
    profiles.filter((held) => held.profile.chargingProfilePurpose === purpose && fits(held))
  return (
    (running &&
      highest(
        of("TxProfile", (held) => held.transactionId === running.transactionId),
        at,
        begin,
      )) ||
    highest(
      of("TxDefaultProfile", (held) => held.connectorId === connectorId),
      at,
      begin,
    ) ||
    highest(
      of("TxDefaultProfile", (held) => held.connectorId === 0),
      at,
      begin,
    )
  )
}

/** Everything that is a limit at one instant: one for the whole, and those that are summed up. */
function bounds(site: Site, { connectorId }: Asked, at: number): { whole: Spot | null; sum: Spot[] | null } {
  const maxima = site.profiles.filter(({ profile }) => profile.chargingProfilePurpose === "ChargePointMaxProfile")
  const whole = highest(maxima, at, (held) => held.acceptedAt)
  const spots = (connectorId === 0 ? site.connectorIds : [connectorId]).map((id) => onConnector(id, site, at))
  const sum = spots.filter((spot) => spot !== null)
  return { whole, sum: sum.length === spots.length && sum.length > 0 ? sum : null }
}

const convert = ({ limit, unit }: Spot, to: Unit, phases: number, supply: Site["supply"]): number => {
  if (unit === to) return limit
  if (!supply) throw new CannotCompare()
  const wattsPerAmpere = supply.voltageV * phases
  return to === "W" ? limit * wattsPerAmpere : limit / wattsPerAmpere
}

/** The limit of one second, as it is before rounding. */
function secondOpinion(site: Site, asked: Asked, unit: Unit, at: number): { limit: number; phases: number } | null {
  const { whole, sum } = bounds(site, asked, at)
  const allowed = [3, whole?.phases ?? 3, site.supply?.phases ?? 3]
  if (!sum) {
    const phases = Math.min(...allowed)
    return whole && { limit: convert(whole, unit, phases, site.supply), phases }
  }
  const phases = Math.max(...sum.map((spot) => Math.min(spot.phases, ...allowed)))
  let limit = 0
  for (const spot of sum) limit += convert(spot, unit, Math.min(spot.phases, ...allowed), site.supply)
  if (whole) limit = Math.min(limit, convert(whole, unit, phases, site.supply))
  return { limit, phases }
}

/** The same for every second, or the error in its place. */
function everySecond(site: Site, asked: Asked) {
  const instants = Array.from({ length: asked.durationS }, (_, second) => asked.from + second * 1000)
  const counting = instants.flatMap((at) => {
    const { whole, sum } = bounds(site, asked, at)
    return [...(whole ? [whole] : []), ...(sum ?? [])]
  })
  const own = counting.some(({ unit }) => unit === "A") ? "A" : counting.length > 0 ? "W" : null
  const unit = asked.unit ?? own
  return { unit, limits: instants.map((at) => secondOpinion(site, asked, unit ?? "A", at)) }
}

function orCannotCompare<Result>(compute: () => Result): Result | "cannot compare" {
  try {
    return compute()
  } catch (cause) {
    if (cause instanceof CannotCompare) return "cannot compare"
    throw cause
  }
}

test("a composite schedule is what every second by itself would say", () => {
  const seen = { schedules: 0, changes: 0, incomparable: 0 }
  fc.assert(
    fc.property(world, question, (site, asked) => {
      const expected = orCannotCompare(() => everySecond(site, asked))
      const schedule = orCannotCompare(() => compositeSchedule(site, asked))
      if (expected === "cannot compare" || schedule === "cannot compare") {
        expect(schedule).toBe(expected as "cannot compare")
        seen.incomparable++
        return
      }
      const { chargingRateUnit, periods } = schedule
      expect(chargingRateUnit).toBe(expected.unit)
      expect(periods[0]?.startPeriod).toBe(0)
      expect(periods.at(-1)!.startPeriod).toBeLessThan(asked.durationS)
      for (const [index, { startPeriod, limit, numberPhases }] of periods.entries()) {
        const end = periods[index + 1]?.startPeriod ?? asked.durationS
        expect(end).toBeGreaterThan(startPeriod)
        const next = periods[index + 1]
        if (next) expect([next.limit, next.numberPhases]).not.toEqual([limit, numberPhases])
        for (let second = startPeriod; second < end; second++) {
          const other = expected.limits[second]
          if (!other || limit === null) {
            expect([second, limit]).toEqual([second, other?.limit ?? null])
            continue
          }
          expect(numberPhases).toBe(other.phases)
          // Rounded down to a tenth: never more, and less by no more than that.
          expect(limit).toBeLessThanOrEqual(other.limit + 1e-6)
          expect(limit).toBeGreaterThan(other.limit - 0.1 - 1e-6)
        }
      }
      seen.schedules++
      seen.changes += periods.length - 1
    }),
    { numRuns: runs },
  )
  // The worlds are worth looking at: many schedules change, and some cannot be told.
  expect(seen.changes).toBeGreaterThan(seen.schedules / 2)
  expect(seen.incomparable).toBeGreaterThan(runs / 100)
}, 600_000)
