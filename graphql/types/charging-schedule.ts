import { instantOf } from "../../src/facts/instants.ts"
import type { ChargingSchedule, ChargingSchedulePeriod } from "../../src/ocpp/types.ts"
import { builder } from "../builder.ts"
import { ChargingRateUnitWords } from "../enums-of-charging.ts"

const ChargingSchedulePeriodRef = builder.objectRef<ChargingSchedulePeriod>("ChargingSchedulePeriod").implement({
  description: "From startPeriod on, the limit. OCPP 1.6 §7.14.",
  fields: (t) => ({
    startPeriod: t.exposeInt("startPeriod", { description: "Its start, s after the schedule's." }),
    limit: t.exposeFloat("limit", { description: "In the schedule's unit." }),
    numberPhases: t.int({
      nullable: true,
      description: "How many phases may be used; 3 is meant where it is null.",
      resolve: ({ numberPhases }) => numberPhases ?? null,
    }),
  }),
})

/** A schedule as it stands in a profile, or in a charge point's answer. */
export const ChargingScheduleRef = builder.objectRef<ChargingSchedule>("ChargingSchedule").implement({
  description: "Limits over time. OCPP 1.6 §7.13.",
  fields: (t) => ({
    duration: t.int({
      nullable: true,
      description: "How long it lasts, s; the last period has no end where it is null.",
      resolve: ({ duration }) => duration ?? null,
    }),
    startSchedule: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it starts, where it starts at an instant of its own.",
      resolve: ({ startSchedule }) => (startSchedule === undefined ? null : instantOf(startSchedule)),
    }),
    chargingRateUnit: t.field({
      type: ChargingRateUnitWords.type,
      description: "The unit of the limits.",
      resolve: ({ chargingRateUnit }) => chargingRateUnit,
    }),
    minChargingRate: t.float({
      nullable: true,
      description: "Below this rate charging is inefficient, in the schedule's unit.",
      resolve: ({ minChargingRate }) => minChargingRate ?? null,
    }),
    chargingSchedulePeriod: t.field({
      type: [ChargingSchedulePeriodRef],
      description: "The periods as they were written.",
      resolve: ({ chargingSchedulePeriod }) => chargingSchedulePeriod,
    }),
  }),
})
