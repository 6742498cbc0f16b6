/** Charging profiles as inputs. OCPP 1.6 §7.8. */
import type { InputShape } from "@pothos/core"
import { type BuilderTypes, builder } from "../builder.ts"
import {
  ChargingProfileKindWords,
  ChargingProfilePurposeWords,
  ChargingRateUnitWords,
  RecurrencyKindWords,
} from "../enums-of-charging.ts"

const ChargingSchedulePeriodInput = builder.inputType("ChargingSchedulePeriodInput", {
  description: "From startPeriod on, the limit. OCPP 1.6 §7.14.",
  fields: (t) => ({
    startPeriod: t.int({ required: true, description: "Its start, s after the schedule's." }),
    limit: t.float({ required: true, description: "In the schedule's unit, with at most one decimal digit." }),
    numberPhases: t.int({ description: "How many phases may be used; 3 is meant when left out." }),
  }),
})

const ChargingScheduleInput = builder.inputType("ChargingScheduleInput", {
  description: "Limits over time. OCPP 1.6 §7.13.",
  fields: (t) => ({
    duration: t.int({ description: "How long it lasts, s; the last period has no end when left out." }),
    startSchedule: t.field({ type: "DateTime", description: "When it starts." }),
    chargingRateUnit: t.field({
      type: ChargingRateUnitWords.type,
      required: true,
      description: "The unit of the limits.",
    }),
    chargingSchedulePeriod: t.field({
      type: [ChargingSchedulePeriodInput],
      required: true,
      description: "The periods in order; the first starts at 0.",
    }),
    minChargingRate: t.float({ description: "Below this rate charging is inefficient, in the schedule's unit." }),
  }),
})

export const ChargingProfileInput = builder.inputType("ChargingProfileInput", {
  description: "A schedule with its purpose, its place in the stack and its validity. OCPP 1.6 §7.8.",
  fields: (t) => ({
    chargingProfileId: t.int({ required: true, description: "Its id." }),
    transactionId: t.int({ description: "The transaction, with purpose TX_PROFILE in SetChargingProfile." }),
    stackLevel: t.int({ required: true, description: "The higher one wins." }),
    chargingProfilePurpose: t.field({
      type: ChargingProfilePurposeWords.type,
      required: true,
      description: "What it limits; TX_PROFILE in RemoteStartTransaction.",
    }),
    chargingProfileKind: t.field({
      type: ChargingProfileKindWords.type,
      required: true,
      description: "To what its time refers.",
    }),
    recurrencyKind: t.field({
      type: RecurrencyKindWords.type,
      description: "How often it comes back, with kind RECURRING.",
    }),
    validFrom: t.field({ type: "DateTime", description: "From when it counts." }),
    validTo: t.field({ type: "DateTime", description: "Until when it counts." }),
    chargingSchedule: t.field({ type: ChargingScheduleInput, required: true, description: "Its limits over time." }),
  }),
})

const iso = (instant: number | null | undefined) => (instant == null ? undefined : new Date(instant).toISOString())

/** The profile with its instants as the wire has them. */
export const profileOnTheWire = (profile: InputShape<BuilderTypes, typeof ChargingProfileInput>): object => ({
  ...profile,
  validFrom: iso(profile.validFrom),
  validTo: iso(profile.validTo),
  chargingSchedule: { ...profile.chargingSchedule, startSchedule: iso(profile.chargingSchedule.startSchedule) },
})
