import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { CommandRow } from "../../src/facts/rows.ts"
import type { CommandWish } from "../../src/services/commands.ts"
import { caller, start, stop, time } from "../support/charging.ts"
import { endOf, sentCommand } from "../support/ended-command.ts"
import { chargingProfile, type Draft } from "../support/profiles.ts"
import { chargePoint, type Data, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
let token: string
let viewer: string
let count = 0
/** What the API asked to be sent, and what the charge point confirms. */
let wishes: CommandWish[] = []
let confirmation: Data = {}

beforeAll(async () => {
  rig = await startRig({
    organisations: ["other"],
    async commands({ organisationId }, wish) {
      wishes.push(wish)
      const command: CommandRow = {
        ...sentCommand("asked", wish.action, {}),
        organisationId,
        chargePointId: wish.chargePointId,
        state: "Answered",
      }
      return { kind: "Confirmed", command, confirmation }
    },
  })
  token = await rig.token("Operator")
  viewer = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

async function perform(name: string, input: Data, fields: string, answer: Data) {
  const identity = `ASKED-${++count}`
  await chargePoint(rig, identity)
  wishes = []
  confirmation = answer
  const type = name.charAt(0).toUpperCase() + name.slice(1)
  const told = await result(
    rig,
    token,
    `mutation ($input: ${type}Input!) { result: ${name}(input: $input) {
      __typename ... on ${type}Confirmation { ${fields} } ... on InvalidInput { issues { path message } }
    } }`,
    { input: { chargePoint: identity, ...input } },
  )
  const { __typename: typename, ...rest } = told
  return { typename, told: rest, wishes: wishes.map(({ action, request }) => ({ action, request })) }
}

/** A charge point that accepted these profiles. */
async function holding(identity: string, profiles: [connectorId: number, draft: Draft][], change: Data = {}) {
  const row = await chargePoint(rig, identity, change)
  for (const [connectorId, draft] of profiles) {
    const request = { connectorId, csChargingProfiles: chargingProfile(draft) }
    const command = { ...sentCommand(crypto.randomUUID(), "SetChargingProfile", request), chargePointId: row.id }
    await rig.store.change("recordCommand", { command })
    await rig.store.change("endCommand", endOf(command, { status: "Accepted" }, Date.now()))
  }
  return row
}

const schedule = (identity: string, args: string) =>
  rig.ask<{ chargePoint: { compositeSchedule: Data } }>(
    viewer,
    `query ($identity: String!) { chargePoint(identity: $identity) { compositeSchedule(${args}) {
      __typename
      ... on CompositeSchedule {
        connectorId scheduleStart duration chargingRateUnit chargingSchedulePeriod { startPeriod limit numberPhases }
      }
      ... on CannotCompare { message }
      ... on Error { message }
    } } }`,
    { identity },
  )

const scheduleOf = async (identity: string, args: string) =>
  (await schedule(identity, args)).data!.chargePoint.compositeSchedule

const NOON = `scheduleStart: "2026-03-14T12:00:00Z"`

describe("operations", () => {
  test("setChargingProfile sends exactly what was given, a TxProfile of no known transaction too", async () => {
    const { told, wishes } = await perform(
      "setChargingProfile",
      {
        connectorId: 9,
        csChargingProfiles: {
          chargingProfileId: -1,
          transactionId: 4711,
          stackLevel: 3,
          chargingProfilePurpose: "TX_PROFILE",
          chargingProfileKind: "RECURRING",
          recurrencyKind: "WEEKLY",
          validFrom: null,
          chargingSchedule: {
            chargingRateUnit: "W",
            duration: 3600,
            minChargingRate: 0.1,
            startSchedule: "2030-01-01T00:00:00Z",
            chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.1, numberPhases: null }],
          },
        },
      },
      "status",
      { status: "NotSupported" },
    )
    expect(told).toEqual({ status: "NOT_SUPPORTED" })
    expect(wishes).toEqual([
      {
        action: "SetChargingProfile",
        request: {
          connectorId: 9,
          csChargingProfiles: {
            chargingProfileId: -1,
            transactionId: 4711,
            stackLevel: 3,
            chargingProfilePurpose: "TxProfile",
            chargingProfileKind: "Recurring",
            recurrencyKind: "Weekly",
            chargingSchedule: {
              chargingRateUnit: "W",
              duration: 3600,
              minChargingRate: 0.1,
              startSchedule: "2030-01-01T00:00:00.000Z",
              chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.1 }],
            },
          },
        },
      },
    ])
  })

  test("a limit with two decimals is what the schema forbids", async () => {
    const csChargingProfiles = {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: "TX_DEFAULT_PROFILE",
      chargingProfileKind: "RELATIVE",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.05 }] },
    }
    const { typename, told, wishes } = await perform(
      "setChargingProfile",
      { connectorId: 1, csChargingProfiles },
      "status",
      {},
    )
    expect(typename).toBe("InvalidInput")
    expect(told).toMatchObject({ issues: [{ path: expect.stringMatching(/chargingSchedulePeriod\[0\]\.limit$/) }] })
    expect(wishes).toEqual([])
  })

  test.each<[input: Data, request: Data]>([
    [{}, {}],
    [{ id: 7 }, { id: 7 }],
    [
      { connectorId: 0, chargingProfilePurpose: "CHARGE_POINT_MAX_PROFILE", stackLevel: 0 },
      { connectorId: 0, chargingProfilePurpose: "ChargePointMaxProfile", stackLevel: 0 },
    ],
    [{ id: null, stackLevel: 2 }, { stackLevel: 2 }],
  ])("clearChargingProfile %j", async (input, request) => {
    const { told, wishes } = await perform("clearChargingProfile", input, "status", { status: "Unknown" })
    expect(told).toEqual({ status: "UNKNOWN" })
    expect(wishes).toEqual([{ action: "ClearChargingProfile", request }])
  })

  test("getCompositeSchedule shows what the charge point tells", async () => {
    const fields = `status connectorId scheduleStart chargingSchedule {
      duration startSchedule chargingRateUnit minChargingRate chargingSchedulePeriod { startPeriod limit numberPhases }
    }`
    const { told, wishes } = await perform("getCompositeSchedule", { connectorId: 0, duration: 300 }, fields, {
      status: "Accepted",
      connectorId: 0,
      scheduleStart: "2026-03-14T12:00:00Z",
      chargingSchedule: {
        chargingRateUnit: "A",
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 16.5 },
          { startPeriod: 60, limit: 0, numberPhases: 1 },
        ],
      },
    })
    expect(wishes).toEqual([{ action: "GetCompositeSchedule", request: { connectorId: 0, duration: 300 } }])
    expect(told).toEqual({
      status: "ACCEPTED",
      connectorId: 0,
      scheduleStart: "2026-03-14T12:00:00.000Z",
      chargingSchedule: {
        duration: null,
        startSchedule: null,
        chargingRateUnit: "A",
        minChargingRate: null,
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 16.5, numberPhases: null },
          { startPeriod: 60, limit: 0, numberPhases: 1 },
        ],
      },
    })
  })

  test("and that it could not, without a word more", async () => {
    const { told } = await perform(
      "getCompositeSchedule",
      { connectorId: 1, duration: 60, chargingRateUnit: "W" },
      "status connectorId scheduleStart chargingSchedule { duration }",
      { status: "Rejected" },
    )
    expect(told).toEqual({ status: "REJECTED", connectorId: null, scheduleStart: null, chargingSchedule: null })
  })
})

describe("what a charge point holds", () => {
  const fields = `chargingProfiles {
    chargingProfileId connectorId stackLevel chargingProfilePurpose chargingProfileKind recurrencyKind validFrom validTo
    chargingSchedule { duration startSchedule chargingRateUnit chargingSchedulePeriod { startPeriod limit numberPhases } }
    transactionId transaction { state } command { action }
  }`
  const profilesOf = async (identity: string) => {
    const query = `query ($identity: String!) { chargePoint(identity: $identity) { ${fields} } }`
    const { data } = await rig.ask<{ chargePoint: { chargingProfiles: Data[] } }>(viewer, query, { identity })
    return data!.chargePoint.chargingProfiles
  }

  test("is shown as it was sent, with its command and its transaction, until that ends", async () => {
    const { id } = await holding("HOLDS", [
      [
        1,
        {
          chargingProfileId: 5,
          stackLevel: 2,
          chargingProfileKind: "Recurring",
          recurrencyKind: "Daily",
          validTo: "2030-01-01T00:00:00Z",
          duration: 60,
          periods: [[0, 6.5, 1]],
        },
      ],
    ])
    const { transactionId } = await rig.store.change("startTransaction", start({}, caller({ chargePointId: id })))
    const request = {
      connectorId: 1,
      csChargingProfiles: chargingProfile({ chargingProfilePurpose: "TxProfile", transactionId, chargingProfileId: 6 }),
    }
    const command = { ...sentCommand("tx", "SetChargingProfile", request), chargePointId: id }
    await rig.store.change("recordCommand", { command })
    await rig.store.change("endCommand", endOf(command, { status: "Accepted" }, Date.now()))
    const [first, second] = (await profilesOf("HOLDS")).toSorted(
      (one, other) => Number(one["chargingProfileId"]) - Number(other["chargingProfileId"]),
    )
    expect(first).toEqual({
      chargingProfileId: 5,
      connectorId: 1,
      stackLevel: 2,
      chargingProfilePurpose: "TX_DEFAULT_PROFILE",
      chargingProfileKind: "RECURRING",
      recurrencyKind: "DAILY",
      validFrom: null,
      validTo: "2030-01-01T00:00:00.000Z",
      chargingSchedule: {
        duration: 60,
        startSchedule: "2026-03-14T12:00:00.000Z",
        chargingRateUnit: "A",
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 6.5, numberPhases: 1 }],
      },
      transactionId: null,
      transaction: null,
      command: { action: "SetChargingProfile" },
    })
    expect(second).toMatchObject({ chargingProfileId: 6, transactionId, transaction: { state: "ACTIVE" } })
    await rig.store.change("stopTransaction", stop({ transactionId }, caller({ chargePointId: id })))
    expect(await profilesOf("HOLDS")).toMatchObject([{ chargingProfileId: 5 }])
  })

  test("is asked of the store once for a whole list", async () => {
    await holding("LISTED-1", [[1, {}]])
    await holding("LISTED-2", [[1, {}]])
    rig.reads.clear()
    const { data } = await rig.ask(
      viewer,
      `{ chargePoints(filter: { search: "LISTED-" }) { edges { node {
        chargingProfiles { chargingProfileId }
        compositeSchedule(connectorId: 1, duration: 60) { __typename }
      } } } }`,
    )
    expect(data).toMatchObject({
      chargePoints: {
        edges: [1, 2].map(() => ({
          node: { chargingProfiles: [{}], compositeSchedule: { __typename: "CompositeSchedule" } },
        })),
      },
    })
    expect(rig.reads.get("chargingProfilesOf")).toBe(1)
    expect(rig.reads.get("activeTransactionsOf")).toBe(1)
  })
})

describe("what a charge point should do", () => {
  test("without a profile there is no limit", async () => {
    await holding("FREE", [])
    expect(await scheduleOf("FREE", `connectorId: 1, duration: 60, ${NOON}`)).toEqual({
      __typename: "CompositeSchedule",
      connectorId: 1,
      scheduleStart: "2026-03-14T12:00:00.000Z",
      duration: 60,
      chargingRateUnit: null,
      chargingSchedulePeriod: [{ startPeriod: 0, limit: null, numberPhases: null }],
    })
  })

  test("follows from all it holds, from what runs, and on connector 0 from all connectors", async () => {
    const { id } = await holding("BUSY", [
      [
        0,
        {
          chargingProfileId: 1,
          chargingProfilePurpose: "ChargePointMaxProfile",
          periods: [
            [0, 32],
            [60, 15],
          ],
        },
      ],
      [0, { chargingProfileId: 2, periods: [[0, 10]] }],
    ])
    for (const connectorId of [1, 2])
      await rig.store.change("reportStatus", {
        ...caller({ chargePointId: id }),
        request: { connectorId, status: "Available", errorCode: "NoError" },
        statusAt: 0,
      })
    expect(await scheduleOf("BUSY", `connectorId: 1, duration: 90, ${NOON}`)).toMatchObject({
      chargingRateUnit: "A",
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 10, numberPhases: 3 }],
    })
    expect(await scheduleOf("BUSY", `connectorId: 0, duration: 90, ${NOON}`)).toMatchObject({
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 20 },
        { startPeriod: 60, limit: 15 },
      ],
    })
  })

  test("A and W cannot be compared until the operator states voltage and phases", async () => {
    await holding("MIXED", [
      [0, { chargingProfileId: 1, chargingProfilePurpose: "ChargePointMaxProfile", unit: "W", periods: [[0, 11_040]] }],
      [1, { chargingProfileId: 2, periods: [[0, 20]] }],
    ])
    const args = `connectorId: 1, duration: 60, chargingRateUnit: A, ${NOON}`
    expect(await scheduleOf("MIXED", args)).toEqual({
      __typename: "CannotCompare",
      message: expect.stringMatching(/cannot compare/),
    })
    const update = (input: Data) =>
      result(
        rig,
        token,
        `mutation ($input: UpdateChargePointInput!) { result: updateChargePoint(input: $input) {
          ... on UpdateChargePointPayload { chargePoint { voltageV phases } } ... on InvalidInput { issues { path } }
        } }`,
        { input: { identity: "MIXED", ...input } },
      )
    expect(await update({ voltageV: 230 })).toEqual({ chargePoint: { voltageV: 230, phases: null } })
    expect(await scheduleOf("MIXED", args)).toMatchObject({ __typename: "CannotCompare" })
    expect(await update({ phases: 3 })).toEqual({ chargePoint: { voltageV: 230, phases: 3 } })
    expect(await scheduleOf("MIXED", args)).toMatchObject({
      chargingRateUnit: "A",
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 16, numberPhases: 3 }],
    })
    expect(await update({ voltageV: 0, phases: 4 })).toEqual({ issues: [{ path: "voltageV" }, { path: "phases" }] })
    expect(await update({ voltageV: null })).toEqual({ chargePoint: { voltageV: null, phases: 3 } })
  })

  test("a relative schedule has begun where the transaction runs, be the charge point's clock ahead", async () => {
    const { id } = await holding("AHEAD", [
      [
        1,
        {
          chargingProfileKind: "Relative",
          duration: 3600,
          periods: [
            [0, 10],
            [1800, 6],
          ],
        },
      ],
    ])
    const receivedAt = Date.parse("2026-03-14T11:40:00Z")
    await rig.store.change("startTransaction", start({ timestamp: time(60) }, { chargePointId: id, receivedAt }))
    expect(await scheduleOf("AHEAD", `connectorId: 1, duration: 3600, ${NOON}`)).toMatchObject({
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 10 },
        { startPeriod: 600, limit: 6 },
        { startPeriod: 2400, limit: null },
      ],
    })
  })

  test("voltage and phases may be stated when a charge point is announced", async () => {
    const told = await result(
      rig,
      token,
      `mutation { result: createChargePoint(input: { identity: "STATED", voltageV: 110.5, phases: 1 }) {
        ... on CreateChargePointPayload { chargePoint { voltageV phases } }
      } }`,
    )
    expect(told).toEqual({ chargePoint: { voltageV: 110.5, phases: 1 } })
  })

  test.each(["connectorId: -1, duration: 60", "connectorId: 1, duration: 0", "connectorId: 1, duration: 2678401"])(
    "there is none for %s",
    async (args) => {
      await chargePoint(rig, args)
      expect((await schedule(args, args)).errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }])
    },
  )

  test("starts now where no start is given", async () => {
    await holding("NOW", [])
    const before = Date.now()
    const { scheduleStart } = await scheduleOf("NOW", "connectorId: 1, duration: 1")
    const start = Date.parse(String(scheduleStart))
    expect(start).toBeGreaterThanOrEqual(before)
    expect(start).toBeLessThanOrEqual(Date.now())
  })
})
