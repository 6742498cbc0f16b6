import { instantOf } from "../../src/facts/instants.ts"
import { builder } from "../builder.ts"
import { ChargingRateUnitWords, GetCompositeScheduleStatusWords } from "../enums-of-charging.ts"
import { ChargingScheduleRef } from "../types/charging-schedule.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("GetCompositeSchedule", {
  description:
    "Asks what the charge point will allow, all profiles together; ChargePoint.compositeSchedule tells what it should. OCPP 1.6 §5.7.",
  input: builder.inputType("GetCompositeScheduleInput", {
    description: "GetCompositeSchedule.req. OCPP 1.6 §6.21.",
    fields: (t) => ({
      ...operationFields(t),
      connectorId: t.int({ required: true, description: "The connector; 0: the grid connection." }),
      duration: t.int({ required: true, description: "How far to look, s." }),
      chargingRateUnit: t.field({
        type: ChargingRateUnitWords.type,
        description: "The unit of the limits; the charge point chooses when left out.",
      }),
    }),
  }),
  confirmation: confirmationType("GetCompositeSchedule", (t) => ({
    status: t.field({
      type: GetCompositeScheduleStatusWords.type,
      description: "Whether it could tell.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
    connectorId: t.int({
      nullable: true,
      description: "The connector that it tells of.",
      resolve: ({ confirmation }) => confirmation.connectorId ?? null,
    }),
    scheduleStart: t.field({
      type: "DateTime",
      nullable: true,
      description: "The periods count from here.",
      resolve: ({ confirmation: { scheduleStart } }) => (scheduleStart === undefined ? null : instantOf(scheduleStart)),
    }),
    chargingSchedule: t.field({
      type: ChargingScheduleRef,
      nullable: true,
      description: "What it will allow; only indicative, as other things may limit it further.",
      resolve: ({ confirmation }) => confirmation.chargingSchedule ?? null,
    }),
  })),
})
