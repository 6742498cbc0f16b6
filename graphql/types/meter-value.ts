import { builder } from "../builder.ts"
import {
  LocationWords,
  MeasurandWords,
  PhaseWords,
  ReadingContextWords,
  UnitOfMeasureWords,
  ValueFormatWords,
} from "../enums-of-charging.ts"
import { ChargePoint, LatestReadingRef, MeterValue, SampledValueRef, Transaction } from "../refs.ts"
import { numericValueOf, sampledValuesOf } from "../sampled-values.ts"

builder.objectType(SampledValueRef, {
  description: "One value of one meter, with the standard's defaults filled in. OCPP 1.6 §7.43.",
  fields: (t) => ({
    value: t.exposeString("value", { description: "As the charge point wrote it." }),
    numericValue: t.float({
      nullable: true,
      description: "The value as a number in its unit; null for signed data and what is no number.",
      resolve: numericValueOf,
    }),
    measurand: t.field({
      type: MeasurandWords.type,
      nullable: true,
      description: "What was measured; null where the charge point used a word of its own.",
      resolve: ({ measurand }) => MeasurandWords.known(measurand),
    }),
    unit: t.field({
      type: UnitOfMeasureWords.type,
      nullable: true,
      description: "The unit; null where none was named and none is meant.",
      resolve: ({ unit }) => UnitOfMeasureWords.known(unit),
    }),
    phase: t.field({
      type: PhaseWords.type,
      nullable: true,
      description: "The phase; null for all as a whole.",
      resolve: ({ phase }) => PhaseWords.known(phase),
    }),
    location: t.field({
      type: LocationWords.type,
      nullable: true,
      description: "Where it was measured.",
      resolve: ({ location }) => LocationWords.known(location),
    }),
    context: t.field({
      type: ReadingContextWords.type,
      nullable: true,
      description: "Why it was sampled.",
      resolve: ({ context }) => ReadingContextWords.known(context),
    }),
    format: t.field({
      type: ValueFormatWords.type,
      nullable: true,
      description: "How the value is written.",
      resolve: ({ format }) => ValueFormatWords.known(format),
    }),
    reported: t.field({
      type: "JSON",
      description: "All of it in the charge point's own words, where an enum above cannot say them.",
      resolve: (sampledValue) => sampledValue,
    }),
  }),
})

builder.objectType(LatestReadingRef, {
  description: "The newest value of one measurand, phase and location at a connector.",
  fields: (t) => ({
    timestamp: t.field({
      type: "DateTime",
      description: "When it was sampled, by the charge point's clock.",
      resolve: ({ reading }) => reading.at,
    }),
    sampledValue: t.expose("sampledValue", { type: SampledValueRef, description: "The value." }),
  }),
})

builder.objectType(MeterValue, {
  description: "The values sampled at one instant. OCPP 1.6 §7.33.",
  fields: (t) => ({
    timestamp: t.expose("at", {
      type: "DateTime",
      description: "When they were sampled, by the charge point's clock.",
    }),
    receivedAt: t.expose("receivedAt", { type: "DateTime", description: "When they were received." }),
    connectorId: t.exposeInt("connectorId", { description: "The connector; 0 is the main meter." }),
    sampledValues: t.field({
      type: [SampledValueRef],
      description: "The values, in the charge point's order.",
      resolve: sampledValuesOf,
    }),
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Whose meter it is; null where the charge point is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      description: "The transaction it belongs to.",
      resolve: ({ transactionId }, _args, { loaders }) =>
        transactionId === null ? null : loaders.transaction.load(transactionId),
    }),
  }),
})
