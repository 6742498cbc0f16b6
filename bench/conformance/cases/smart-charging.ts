/** The certificate's functionality Smart Charging: 5 cases. */
import { operate, wordOf } from "../expectations.ts"
import { casesOf, check } from "../stage.ts"
import type { Case, Payload, Stage } from "../stage.ts"
import { authorize, booted, charging, instant, start, status } from "../states.ts"

const smart = casesOf("Smart Charging")

/** The values of the bench: `<STACK>`, `<DURATION>`, `<PHASES>`. */
const STACK = 1
const DURATION = 3600
const PHASES = 3

type Kind = "Absolute" | "Relative"
type Unit = "A" | "W"

const LIMIT = { A: 6, W: 6000 } as const

/** The schedule of every profile here: one period from the start on. */
function schedule(unit: Unit, kind: Kind): Payload {
  const chargingSchedulePeriod = [{ startPeriod: 0, limit: LIMIT[unit], numberPhases: PHASES }]
  const absolute = { duration: DURATION, startSchedule: instant() }
  return { ...(kind === "Absolute" && absolute), chargingRateUnit: unit, chargingSchedulePeriod }
}

interface Profile extends Payload {
  chargingProfileId: number
  chargingProfilePurpose: "ChargePointMaxProfile" | "TxDefaultProfile" | "TxProfile"
  chargingProfileKind: Kind
  stackLevel: number
}

/** A profile as the wire has it: what nobody asked for (transactionId, recurrencyKind) is not in it. */
function profile(
  chargingProfilePurpose: Profile["chargingProfilePurpose"],
  more: Partial<Profile> & { unit?: Unit } = {},
): Profile {
  const { unit = "A", ...fields } = more
  const { chargingProfileKind = "Absolute" } = fields
  const validity = { validFrom: instant(), validTo: instant(-86_400) }
  return {
    chargingProfileId: 1,
    stackLevel: STACK,
    chargingProfilePurpose,
    chargingProfileKind,
    ...(chargingProfileKind === "Absolute" && validity),
    chargingSchedule: schedule(unit, chargingProfileKind),
    ...fields,
  }
}

/** The same as the operator enters it: enum words in the API's spelling. */
const entered = (onTheWire: Profile): Payload => ({
  ...onTheWire,
  chargingProfilePurpose: wordOf(onTheWire.chargingProfilePurpose),
  chargingProfileKind: wordOf(onTheWire.chargingProfileKind),
})

async function set(stage: Stage, connectorId: number, csChargingProfiles: Profile): Promise<void> {
  await operate(stage, "SetChargingProfile", {
    input: { connectorId, csChargingProfiles: entered(csChargingProfiles) },
    request: { connectorId, csChargingProfiles },
    answer: { status: "Accepted" },
  })
}

async function clear(stage: Stage, request: Payload): Promise<void> {
  const { chargingProfilePurpose: purpose } = request
  await operate(stage, "ClearChargingProfile", {
    input: typeof purpose === "string" ? { ...request, chargingProfilePurpose: wordOf(purpose) } : request,
    request,
    answer: { status: "Accepted" },
  })
}

/** What Busbar believes the charge point to hold after what it accepted. */
async function held(stage: Stage, ...chargingProfileIds: number[]): Promise<void> {
  const holds = ({ chargePoint }: Payload): boolean => {
    const { chargingProfiles } = chargePoint as { chargingProfiles: Payload[] }
    const ids = chargingProfiles.map(({ chargingProfileId }) => Number(chargingProfileId))
    return Bun.deepEquals(
      ids.sort((a, b) => a - b),
      chargingProfileIds,
    )
  }
  await stage.until(
    `the profiles ${JSON.stringify(chargingProfileIds)} are shown`,
    holds,
    "query ($identity: String!) { chargePoint(identity: $identity) { chargingProfiles { chargingProfileId } } }",
  )
}

const txDefault = (unit: Unit) => ({
  form: `in ${unit}`,
  async run(stage: Stage) {
    await booted(stage)
    await set(stage, stage.values.connectorId, profile("TxDefaultProfile", { unit }))
    await held(stage, 1)
  },
})

const txProfile = (kind: Kind) => ({
  form: kind,
  async run(stage: Stage) {
    await booted(stage)
    const transactionId = await charging(stage)
    await set(stage, stage.values.connectorId, profile("TxProfile", { chargingProfileKind: kind, transactionId }))
    await held(stage, 1)
  },
})

/** The operator starts a transaction with limits of its own. */
const remoteStart = (form: string, kind: Kind) => ({
  form: `${form}: ${kind}`,
  async run(stage: Stage) {
    await booted(stage)
    const { validIdTag: idTag, connectorId } = stage.values
    const chargingProfile = profile("TxProfile", { chargingProfileKind: kind })
    await operate(stage, "RemoteStartTransaction", {
      input: { idTag, connectorId, chargingProfile: entered(chargingProfile) },
      request: { idTag, connectorId, chargingProfile },
      answer: { status: "Accepted" },
    })
    await authorize(stage, idTag)
    await status(stage, connectorId, "Preparing")
    await start(stage, { idTag })
    await status(stage, connectorId, "Charging")
  },
})

/** Three profiles, of which the first goes by its id, the second by criteria and the rest with everything. */
async function setAndClear(stage: Stage, profiles: [connectorId: number, profile: Profile][]): Promise<void> {
  for (const [connectorId, each] of profiles) await set(stage, connectorId, each)
  const [[, first], [connectorId, second], [, third]] = profiles as [
    [number, Profile],
    [number, Profile],
    [number, Profile],
  ]
  await held(stage, first.chargingProfileId, second.chargingProfileId, third.chargingProfileId)
  await clear(stage, { id: first.chargingProfileId })
  const { chargingProfilePurpose, stackLevel } = second
  await clear(stage, { connectorId, chargingProfilePurpose, stackLevel })
  await held(stage, third.chargingProfileId)
  await clear(stage, {})
  await held(stage)
}

async function compositeSchedule(stage: Stage, unit: Unit): Promise<void> {
  await booted(stage)
  const { connectorId } = stage.values
  const scheduleStart = instant()
  const chargingSchedulePeriod = [
    { startPeriod: 0, limit: LIMIT[unit], numberPhases: PHASES },
    { startPeriod: 600, limit: LIMIT[unit] * 2.5 },
  ]
  const chargingSchedule = { duration: DURATION, chargingRateUnit: unit, chargingSchedulePeriod }
  const { result } = await operate(stage, "GetCompositeSchedule", {
    request: { connectorId, duration: DURATION, chargingRateUnit: unit },
    answer: { status: "Accepted", connectorId, scheduleStart, chargingSchedule },
  })
  const shown = {
    duration: DURATION,
    startSchedule: null,
    chargingRateUnit: unit,
    minChargingRate: null,
    chargingSchedulePeriod: chargingSchedulePeriod.map((period) => ({ numberPhases: null, ...period })),
  }
  check(
    result["connectorId"] === connectorId &&
      Date.parse(String(result["scheduleStart"])) === Date.parse(scheduleStart) &&
      Bun.deepEquals(result["chargingSchedule"], shown),
    `the operator was shown ${JSON.stringify(result)}`,
  )
}

export const smartChargingCases: readonly Case[] = [
  smart("056", "Central Smart Charging - TxDefaultProfile", txDefault("A"), txDefault("W")),
  smart("057", "Central Smart Charging - TxProfile", txProfile("Absolute"), txProfile("Relative")),
  smart(
    "059",
    "Remote Start Transaction with Charging Profile",
    remoteStart("2024-04", "Relative"),
    remoteStart("2025-11 and later", "Absolute"),
  ),
  smart(
    "066",
    "Get Composite Schedule",
    { form: "in A", run: (stage) => compositeSchedule(stage, "A") },
    { form: "in W", run: (stage) => compositeSchedule(stage, "W") },
  ),
  smart(
    "067",
    "Clear Charging Profile",
    {
      form: "2024-04: three stack levels",
      async run(stage) {
        await booted(stage)
        const { connectorId } = stage.values
        await setAndClear(
          stage,
          [0, 1, 2].map((above) => [
            connectorId,
            profile("TxDefaultProfile", { chargingProfileId: above + 1, stackLevel: STACK + above }),
          ]),
        )
      },
    },
    {
      form: "2025-02 and later: three purposes",
      async run(stage) {
        await booted(stage)
        const { connectorId } = stage.values
        const transactionId = await charging(stage)
        await setAndClear(stage, [
          [0, profile("ChargePointMaxProfile", { chargingProfileId: 1 })],
          [connectorId, profile("TxDefaultProfile", { chargingProfileId: 2 })],
          [connectorId, profile("TxProfile", { chargingProfileId: 3, transactionId })],
        ])
      },
    },
  ),
]
