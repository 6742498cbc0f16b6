import type { CompositePeriod } from "../../src/facts/charging/composite.ts"
import { CannotCompare } from "../../src/facts/charging/limit.ts"
import type { ComputedSchedule } from "../../src/services/charging-profiles.ts"
import { builder } from "../builder.ts"
import { ChargingRateUnitWords } from "../enums-of-charging.ts"
import { errorTypes, Refusal } from "../errors.ts"
import { ChargePoint } from "../refs.ts"

const CompositeSchedulePeriod = builder.objectRef<CompositePeriod>("CompositeSchedulePeriod").implement({
  description: "From startPeriod up to the next one, the limit.",
  fields: (t) => ({
    startPeriod: t.exposeInt("startPeriod", { description: "Its start, s after scheduleStart." }),
    limit: t.exposeFloat("limit", {
      nullable: true,
      description: "In the schedule's unit, rounded down to one decimal digit; null: no limit.",
    }),
    numberPhases: t.exposeInt("numberPhases", {
      nullable: true,
      description: "How many phases may be used; null where there is no limit.",
    }),
  }),
})

const CompositeSchedule = builder.objectRef<ComputedSchedule>("CompositeSchedule").implement({
  description:
    "What a charge point should allow by all the profiles it is believed to hold, as Busbar computes it. OCPP 1.6 §3.13.3.",
  fields: (t) => ({
    connectorId: t.exposeInt("connectorId", { description: "The connector; 0: the grid connection." }),
    scheduleStart: t.expose("scheduleStart", { type: "DateTime", description: "The periods count from here." }),
    duration: t.exposeInt("duration", { description: "How far it looks, s." }),
    chargingRateUnit: t.expose("chargingRateUnit", {
      type: ChargingRateUnitWords.type,
      nullable: true,
      description: "The unit of the limits; null where there are none and no unit was asked for.",
    }),
    chargingSchedulePeriod: t.field({
      type: [CompositeSchedulePeriod],
      description: "In order, the first at 0, no two neighbours alike.",
      resolve: ({ periods }) => periods,
    }),
  }),
})

const CompositeScheduleResult = builder.unionType("CompositeScheduleResult", {
  description: "A composite schedule, or why there cannot be one.",
  types: [CompositeSchedule, errorTypes.CannotCompare],
  resolveType: (value) => (value instanceof Refusal ? value.name : CompositeSchedule.name),
})

builder.objectFields(ChargePoint, (t) => ({
  voltageV: t.exposeFloat("voltageV", {
    nullable: true,
    description: "The voltage it is supplied with, V, phase to neutral, as the operator states it.",
  }),
  phases: t.exposeInt("phases", {
    nullable: true,
    description: "How many phases it is supplied with, as the operator states it.",
  }),
  compositeSchedule: t.field({
    type: CompositeScheduleResult,
    description:
      "What it should allow, by the profiles it is believed to hold and the transactions that run: to be held against what getCompositeSchedule tells. On connector 0 the lower of CHARGE_POINT_MAX_PROFILE and the sum of its connectors.",
    args: {
      connectorId: t.arg.int({ required: true, description: "The connector; 0: the grid connection." }),
      duration: t.arg.int({ required: true, description: "How far to look, s, 1 to 2678400 (31 days)." }),
      chargingRateUnit: t.arg({
        type: ChargingRateUnitWords.type,
        description: "The unit of the limits; that of the profiles when left out, A where they have both.",
      }),
      scheduleStart: t.arg({
        type: "DateTime",
        description: "From when on; now when left out. What runs and what is held is that of now.",
      }),
    },
    resolve: async (chargePoint, { connectorId, duration, chargingRateUnit, scheduleStart }, { loaders, services }) => {
      const [chargingProfiles, transactions, connectors] = await Promise.all([
        loaders.chargingProfiles.load(chargePoint.id),
        loaders.activeTransactions.load(chargePoint.id),
        loaders.connectors.load(chargePoint.id),
      ])
      const asked = {
        connectorId,
        duration,
        chargingRateUnit: chargingRateUnit ?? null,
        scheduleStart: scheduleStart ?? null,
      }
      try {
        const known = { chargingProfiles, transactions, connectors }
        return services.chargingProfiles.compositeSchedule(chargePoint, known, asked)
      } catch (cause) {
        if (cause instanceof CannotCompare) return new Refusal(cause)
        throw cause
      }
    },
  }),
}))
