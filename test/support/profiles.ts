/** Charging profiles written as briefly as the examples of the standard. */
import type { HeldProfile, Site } from "../../src/facts/charging/composite.ts"
import type { ChargingProfile, ChargingSchedulePeriod } from "../../src/ocpp/types.ts"
import { minute, time } from "./charging.ts"

/** Start (s), limit, and how many phases where that is said. */
export type Period = [startPeriod: number, limit: number, numberPhases?: number]

type Schedule = ChargingProfile["chargingSchedule"]

export interface Draft extends Partial<Omit<ChargingProfile, "chargingSchedule">> {
  unit?: Schedule["chargingRateUnit"]
  duration?: number
  startSchedule?: string | null
  periods?: Period[]
}

/**
 * Absolute from the tests' noon on, in A, unless told otherwise; `startSchedule` is left out of a relative one, and where
 * it is null.
 */
export function chargingProfile(draft: Draft = {}): ChargingProfile {
  const { unit = "A", duration, startSchedule, periods = [[0, 16]], ...rest } = draft
  const isLeftOut = startSchedule === null || rest.chargingProfileKind === "Relative"
  const start = startSchedule ?? (isLeftOut ? undefined : time(0))
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: "TxDefaultProfile",
    chargingProfileKind: "Absolute",
    ...rest,
    chargingSchedule: {
      chargingRateUnit: unit,
      ...(duration !== undefined && { duration }),
      ...(start !== undefined && { startSchedule: start }),
      chargingSchedulePeriod: periods.map(([startPeriod, limit, numberPhases]): ChargingSchedulePeriod => ({
        startPeriod,
        limit,
        ...(numberPhases !== undefined && { numberPhases }),
      })),
    },
  }
}

const held =
  (purpose: ChargingProfile["chargingProfilePurpose"]) =>
  (connectorId: number, draft: Draft = {}): HeldProfile => ({
    connectorId,
    transactionId: purpose === "TxProfile" ? 1 : null,
    acceptedAt: minute(-60),
    profile: chargingProfile({ chargingProfilePurpose: purpose, ...draft }),
  })

export const maximum = (draft: Draft = {}): HeldProfile => held("ChargePointMaxProfile")(0, draft)
export const txDefault = held("TxDefaultProfile")
/** Of transaction 1. */
export const txProfile = held("TxProfile")

/** Two connectors; transaction 1 runs on connector 1 since a quarter of an hour before noon; no supply is stated. */
export const site = (profiles: HeldProfile[], change: Partial<Site> = {}): Site => ({
  profiles,
  transactions: [{ transactionId: 1, connectorId: 1, startedAt: minute(-15) }],
  connectorIds: [1, 2],
  supply: null,
  ...change,
})
