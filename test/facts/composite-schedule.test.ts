import { describe, expect, test } from "bun:test"
import { type Asked, compositeSchedule, type HeldProfile, type Site } from "../../src/facts/charging/composite.ts"
import { CannotCompare } from "../../src/facts/charging/limit.ts"
import { minute, time } from "../support/charging.ts"
import { maximum, site, txDefault, txProfile } from "../support/profiles.ts"

const HOUR = 3600

/** What a row of the tables below expects: start (s), limit, and how many phases where these are not 3. */
type Row = [startPeriod: number, limit: number | null, numberPhases?: number]

function scheduleOf(world: Site, asked: Partial<Asked> = {}) {
  const { chargingRateUnit, periods } = compositeSchedule(world, {
    connectorId: 1,
    from: minute(0),
    durationS: 2 * HOUR,
    unit: null,
    ...asked,
  })
  const rows = periods.map(({ startPeriod, limit, numberPhases }): Row => {
    if (limit === null) expect(numberPhases).toBeNull()
    return numberPhases === null || numberPhases === 3 ? [startPeriod, limit] : [startPeriod, limit, numberPhases]
  })
  return { unit: chargingRateUnit, rows }
}

interface Example {
  profiles: HeldProfile[]
  site?: Partial<Site>
  asked?: Partial<Asked>
  unit?: "A" | "W" | null
  rows: Row[]
}

const supply = { voltageV: 230, phases: 3 }
const nothingRuns = { transactions: [] }

function examples(table: Record<string, Example>) {
  for (const [sentence, { profiles, site: change, asked, unit = "A", rows }] of Object.entries(table))
    test(sentence, () => expect(scheduleOf(site(profiles, change), asked)).toEqual({ unit, rows }))
}

describe("one profile", () => {
  examples({
    "no profile means no limit, and never 0": { profiles: [], unit: null, rows: [[0, null]] },
    "no profile means no limit in the unit asked for": {
      profiles: [],
      asked: { unit: "W" },
      unit: "W",
      rows: [[0, null]],
    },
    "a limit of 0 is a limit": { profiles: [txDefault(1, { periods: [[0, 0]] })], rows: [[0, 0]] },
    "the last period lasts for ever where there is no duration": {
      profiles: [
        txDefault(1, {
          periods: [
            [0, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, 8],
      ],
    },
    "the last period lasts until the duration ends": {
      profiles: [
        txDefault(1, {
          duration: HOUR,
          periods: [
            [0, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, 8],
        [HOUR, null],
      ],
    },
    "a period that begins with the duration's end or later is not executed": {
      profiles: [
        txDefault(1, {
          duration: 1800,
          periods: [
            [0, 16],
            [1800, 8],
            [2000, 6],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, null],
      ],
    },
    "an absolute schedule limits nothing before it starts": {
      profiles: [txDefault(1, { startSchedule: time(10) })],
      rows: [
        [0, null],
        [600, 16],
      ],
    },
    "one that began in the past goes on where it is": {
      profiles: [
        txDefault(1, {
          startSchedule: time(-40),
          periods: [
            [0, 16],
            [HOUR, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1200, 8],
      ],
    },
    "validity opens and shuts, and the schedule runs on beneath it": {
      profiles: [
        txDefault(1, {
          validFrom: time(10),
          validTo: time(50),
          periods: [
            [0, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, null],
        [600, 16],
        [1800, 8],
        [3000, null],
      ],
    },
    "a relative schedule begins with the transaction": {
      profiles: [
        txDefault(1, {
          chargingProfileKind: "Relative",
          duration: HOUR,
          periods: [
            [0, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [900, 8],
        [2700, null],
      ],
    },
    "without a transaction a relative schedule has not begun": {
      profiles: [txDefault(1, { chargingProfileKind: "Relative" })],
      site: nothingRuns,
      unit: null,
      rows: [[0, null]],
    },
    "an absolute schedule that names no start is taken for a relative one": {
      profiles: [
        txDefault(1, {
          startSchedule: null,
          periods: [
            [0, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [900, 8],
      ],
    },
    "before its first period, which should start at 0, a schedule says nothing": {
      profiles: [txDefault(1, { periods: [[600, 16]] })],
      rows: [
        [0, null],
        [600, 16],
      ],
    },
    "periods count in the order of their starts": {
      profiles: [
        txDefault(1, {
          periods: [
            [1800, 8],
            [0, 16],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, 8],
      ],
    },
    "a relative ChargePointMaxProfile begins when the charge point takes it": {
      profiles: [
        maximum({
          chargingProfileKind: "Relative",
          periods: [
            [0, 32],
            [5400, 20],
          ],
        }),
      ],
      rows: [
        [0, 32],
        [1800, 20],
      ],
    },
    "a daily schedule begins anew after 24 hours": {
      profiles: [
        txDefault(1, {
          chargingProfileKind: "Recurring",
          recurrencyKind: "Daily",
          startSchedule: time(-24 * 60 + 30),
          duration: 23.5 * HOUR,
          periods: [
            [0, 16],
            [23 * HOUR, 8],
          ],
        }),
      ],
      rows: [
        [0, null],
        [1800, 16],
      ],
    },
    "what of a recurring schedule lies beyond its recurrence is not executed": {
      profiles: [
        txDefault(1, {
          chargingProfileKind: "Recurring",
          recurrencyKind: "Daily",
          startSchedule: time(-23 * 60),
          duration: 30 * HOUR,
          periods: [
            [0, 16],
            [23.5 * HOUR, 8],
            [24.5 * HOUR, 6],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, 8],
        [HOUR, 16],
      ],
    },
    "a weekly schedule begins anew after 7 days": {
      profiles: [
        txDefault(1, {
          chargingProfileKind: "Recurring",
          recurrencyKind: "Weekly",
          startSchedule: time(-7 * 24 * 60 * 3 + 60),
          duration: 1200,
        }),
      ],
      rows: [
        [0, null],
        [HOUR, 16],
        [HOUR + 1200, null],
      ],
    },
    "a recurring schedule does not begin before its first start": {
      profiles: [
        txDefault(1, {
          chargingProfileKind: "Recurring",
          recurrencyKind: "Daily",
          startSchedule: time(60),
          duration: 60,
        }),
      ],
      rows: [
        [0, null],
        [HOUR, 16],
        [HOUR + 60, null],
      ],
    },
    "a change within a second counts from the next one on": {
      profiles: [txDefault(1, { startSchedule: "2026-03-14T12:00:01.400Z" })],
      rows: [
        [0, null],
        [2, 16],
      ],
    },
  })
})

describe("stacks and purposes", () => {
  examples({
    "the highest stack level counts while it lasts, then the next one below": {
      profiles: [
        txDefault(1, { stackLevel: 1, periods: [[0, 10]] }),
        txDefault(1, { stackLevel: 3, duration: 600, periods: [[0, 20]] }),
        txDefault(1, { stackLevel: 2, duration: 1200, periods: [[0, 15]] }),
      ],
      rows: [
        [0, 20],
        [600, 15],
        [1200, 10],
      ],
    },
    "no duration on the highest level hides those below for ever": {
      profiles: [
        txDefault(1, { stackLevel: 1, periods: [[0, 20]] }),
        txDefault(1, { stackLevel: 0, periods: [[0, 6]] }),
      ],
      rows: [[0, 20]],
    },
    "a higher level that is not valid yet hides nothing": {
      profiles: [
        txDefault(1, { stackLevel: 1, validFrom: time(30), periods: [[0, 20]] }),
        txDefault(1, { stackLevel: 0, periods: [[0, 6]] }),
      ],
      rows: [
        [0, 6],
        [1800, 20],
      ],
    },
    "TxProfile overrules TxDefaultProfile, be it higher, and gives way where it ends": {
      profiles: [
        txDefault(1, { stackLevel: 5, periods: [[0, 10]] }),
        txProfile(1, { stackLevel: 0, duration: 1200, periods: [[0, 32]] }),
      ],
      rows: [
        [0, 32],
        [1200, 10],
      ],
    },
    "the TxProfile of a transaction that does not run limits nothing": {
      profiles: [txProfile(1), txDefault(1, { periods: [[0, 10]] })],
      site: { transactions: [{ transactionId: 2, connectorId: 1, startedAt: minute(-5) }] },
      rows: [[0, 10]],
    },
    "TxDefaultProfile on a connector overrides that of all connectors there": {
      profiles: [
        txDefault(0, { stackLevel: 5, periods: [[0, 10]] }),
        txDefault(1, { duration: 1200, periods: [[0, 20]] }),
      ],
      rows: [
        [0, 20],
        [1200, 10],
      ],
    },
    "TxDefaultProfile of all connectors counts on each that has none": {
      profiles: [txDefault(0, { periods: [[0, 10]] }), txDefault(1, { periods: [[0, 20]] })],
      asked: { connectorId: 2 },
      rows: [[0, 10]],
    },
    "TxDefaultProfile limits a connector where nothing runs": {
      profiles: [txDefault(0, { periods: [[0, 10]] })],
      site: nothingRuns,
      rows: [[0, 10]],
    },
    "the lower of ChargePointMaxProfile and the rest, at each instant": {
      profiles: [
        maximum({
          periods: [
            [0, 20],
            [1200, 6],
            [2400, 32],
          ],
        }),
        txProfile(1, {
          duration: HOUR,
          periods: [
            [0, 16],
            [1800, 10],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1200, 6],
        [2400, 10],
        [HOUR, 32],
      ],
    },
    "ChargePointMaxProfile alone limits every connector": {
      profiles: [maximum({ periods: [[0, 20]] })],
      asked: { connectorId: 2 },
      rows: [[0, 20]],
    },
    "equal neighbours are one period": {
      profiles: [
        txDefault(1, { stackLevel: 1, duration: 600, periods: [[0, 16]] }),
        txDefault(1, {
          stackLevel: 0,
          periods: [
            [0, 16],
            [1200, 16],
            [1800, 8],
          ],
        }),
      ],
      rows: [
        [0, 16],
        [1800, 8],
      ],
    },
  })
})

describe("the charge point as a whole", () => {
  examples({
    "the sum of the connectors, where ChargePointMaxProfile is higher or not there": {
      profiles: [txDefault(0, { periods: [[0, 10]] }), txProfile(1, { duration: 1200, periods: [[0, 16]] })],
      asked: { connectorId: 0 },
      rows: [
        [0, 26],
        [1200, 20],
      ],
    },
    "ChargePointMaxProfile, where it is lower than the sum": {
      profiles: [maximum({ startSchedule: time(20), periods: [[0, 18]] }), txDefault(0, { periods: [[0, 10]] })],
      asked: { connectorId: 0 },
      rows: [
        [0, 20],
        [1200, 18],
      ],
    },
    "a connector without a limit makes the sum unlimited": {
      profiles: [txProfile(1, { periods: [[0, 16]] }), maximum({ duration: 1200, periods: [[0, 40]] })],
      asked: { connectorId: 0 },
      rows: [
        [0, 40],
        [1200, null],
      ],
    },
    "of a charge point without connectors nothing is known but ChargePointMaxProfile": {
      profiles: [maximum({ periods: [[0, 40]] }), txDefault(0)],
      site: { connectorIds: [], transactions: [] },
      asked: { connectorId: 0 },
      rows: [[0, 40]],
    },
    "watts of connectors with different phases add up": {
      profiles: [txProfile(1, { periods: [[0, 16, 1]] }), txDefault(2, { unit: "W", periods: [[0, 11000]] })],
      site: { supply },
      asked: { connectorId: 0, unit: "W" },
      unit: "W",
      rows: [[0, 14_680]],
    },
  })
})

describe("units and phases", () => {
  const inWatts = maximum({ unit: "W", periods: [[0, 11_040]] })

  examples({
    "amperes per phase become watts in total": {
      profiles: [txDefault(1, { periods: [[0, 16]] })],
      site: { supply },
      asked: { unit: "W" },
      unit: "W",
      rows: [[0, 11_040]],
    },
    "on as many phases as the period allows": {
      profiles: [txDefault(1, { periods: [[0, 16, 1]] })],
      site: { supply },
      asked: { unit: "W" },
      unit: "W",
      rows: [[0, 3680, 1]],
    },
    "and on no more than the charge point has": {
      profiles: [txDefault(1, { unit: "W", periods: [[0, 3680]] })],
      site: { supply: { voltageV: 230, phases: 1 } },
      asked: { unit: "A" },
      rows: [[0, 16, 1]],
    },
    "watts in total become amperes per phase, rounded down to what the wire can say": {
      profiles: [txDefault(1, { unit: "W", periods: [[0, 11_000]] })],
      site: { supply },
      asked: { unit: "A" },
      rows: [[0, 15.9]],
    },
    "profiles in A and in W are compared, and told in A where no unit is asked for": {
      profiles: [inWatts, txDefault(1, { periods: [[0, 20]] })],
      site: { supply },
      rows: [[0, 16]],
    },
    "what is left to one phase is held against watts on one phase": {
      profiles: [inWatts, txDefault(1, { periods: [[0, 32, 1]] })],
      site: { supply },
      asked: { unit: "W" },
      unit: "W",
      rows: [[0, 7360, 1]],
    },
    "the fewer phases count where two limits meet": {
      profiles: [maximum({ periods: [[0, 10]] }), txDefault(1, { periods: [[0, 16, 1]] })],
      rows: [[0, 10, 1]],
    },
    "the profiles' own unit needs no supply": {
      profiles: [inWatts, txDefault(1, { unit: "W", periods: [[0, 7000]] })],
      unit: "W",
      rows: [[0, 7000]],
    },
    "tenths stay what they are": {
      profiles: [txDefault(0, { periods: [[0, 0.1]] }), txDefault(2, { periods: [[0, 0.7]] })],
      asked: { connectorId: 0 },
      rows: [[0, 0.8]],
    },
  })

  const incomparable: Record<string, [profiles: HeldProfile[], asked: Partial<Asked>]> = {
    "another unit than the profile's": [[txDefault(1)], { unit: "W" }],
    "profiles in A and in W": [[inWatts, txDefault(1)], {}],
    "profiles in A and in W one after the other": [
      [maximum({ unit: "W", duration: 600 }), txDefault(1, { startSchedule: time(20) })],
      {},
    ],
  }
  for (const [what, [profiles, asked]] of Object.entries(incomparable))
    test(`without the stated supply ${what} cannot be compared`, () => {
      expect(() => scheduleOf(site(profiles), asked)).toThrow(CannotCompare)
      expect(scheduleOf(site(profiles, { supply }), asked).rows).not.toBeEmpty()
    })

  test("what counts for nothing need not be compared", () => {
    const unlimitedSum = site([inWatts, txDefault(1)])
    expect(scheduleOf(unlimitedSum, { connectorId: 0 })).toEqual({ unit: "W", rows: [[0, 11_040]] })
  })
})
