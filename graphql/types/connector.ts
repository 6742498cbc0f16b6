import type { MeterValueRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { ChargePointErrorCodeWords, ChargePointStatusWords } from "../enums-of-charging.ts"
import { ChargePoint, Connector, type LatestReading, LatestReadingRef, Reservation, Transaction } from "../refs.ts"
import { sampledValuesOf } from "../sampled-values.ts"

builder.objectType(Connector, {
  description: "A connector as last reported by StatusNotification. OCPP 1.6 §4.9.",
  fields: (t) => ({
    connectorId: t.exposeInt("connectorId", { description: "Its number, from 1; 0 is the charge point itself." }),
    status: t.field({
      type: ChargePointStatusWords.type,
      nullable: true,
      description: "Its status; null where the charge point used a word of its own.",
      resolve: ({ status }) => ChargePointStatusWords.known(status),
    }),
    reportedStatus: t.exposeString("status", { description: "Its status in the charge point's own word." }),
    errorCode: t.field({
      type: ChargePointErrorCodeWords.type,
      nullable: true,
      description: "What is wrong; null where the charge point used a word of its own.",
      resolve: ({ errorCode }) => ChargePointErrorCodeWords.known(errorCode),
    }),
    reportedErrorCode: t.exposeString("errorCode", { description: "What is wrong, in the charge point's own word." }),
    info: t.exposeString("info", { nullable: true, description: "Additional free text about the error." }),
    vendorId: t.exposeString("vendorId", { nullable: true, description: "Whose vendorErrorCode it is." }),
    vendorErrorCode: t.exposeString("vendorErrorCode", { nullable: true, description: "The vendor's own error code." }),
    statusAt: t.expose("statusAt", {
      type: "DateTime",
      description: "Since when, by the charge point's clock, or when the report came where it named no instant.",
    }),
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "The charge point it belongs to.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      description: "The transaction that runs on it.",
      resolve: async ({ chargePointId, connectorId }, _args, { loaders }) => {
        const active = await loaders.activeTransactions.load(chargePointId)
        const here = active.filter((row) => row.connectorId === connectorId)
        return here.sort((one, other) => other.startedAt - one.startedAt)[0] ?? null
      },
    }),
    reservation: t.field({
      type: Reservation,
      nullable: true,
      description: "Whom it is kept for, by the charge point's word; with number 0 any connector of it.",
      resolve: async ({ chargePointId, connectorId }, _args, { loaders }) => {
        const active = await loaders.activeReservations.load(chargePointId)
        return active.find((row) => row.connectorId === connectorId) ?? null
      },
    }),
    latestReadings: t.field({
      type: [LatestReadingRef],
      description: "The newest value of each measurand, phase and location that its newest readings hold.",
      resolve: async ({ chargePointId, connectorId }, _args, { loaders }) => {
        const readings = await loaders.latestMeterValues.load(chargePointId)
        return latestOf(readings.filter((row) => row.connectorId === connectorId))
      },
    }),
  }),
})

/** A value sampled for the clock and one of the transaction's own interval tell the same: which came last counts. */
function latestOf(readings: readonly MeterValueRow[]): LatestReading[] {
  const latest = new Map<string, LatestReading>()
  for (const reading of readings.toSorted((one, other) => one.at - other.at)) {
    for (const sampledValue of sampledValuesOf(reading)) {
      const { measurand, phase, location, format } = sampledValue
      latest.set([measurand, phase, location, format].join(" "), { reading, sampledValue })
    }
  }
  return [...latest.values()]
}
