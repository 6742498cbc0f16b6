/** A charge point's messages as the services hand them to the rules, with the same charge point in every test. */
import type { FromCaller } from "../../src/facts/catalogue.ts"
import { instantOf } from "../../src/facts/instants.ts"
import type { ChargePointRow, IdTagRow } from "../../src/facts/rows.ts"
import { readingsOf, startKeyOf } from "../../src/facts/transaction-key.ts"
import type { RequestOf } from "../../src/ocpp/action.ts"
import type { FromChargePoint } from "../../src/ocpp/index.ts"
import type { MeterValue, SampledValue } from "../../src/ocpp/types.ts"
import { newChargePoint } from "../../src/services/registration.ts"

type Request<Action extends keyof FromChargePoint> = RequestOf<FromChargePoint[Action]>

/** Epoch ms of the tests' day, by minutes after noon. */
export const minute = (minutes: number) => Date.UTC(2026, 2, 14, 12, 0) + minutes * 60_000

/** The same as the charge point writes it. */
export const time = (minutes: number) => new Date(minute(minutes)).toISOString()

export const chargePointRow = (change: Partial<ChargePointRow> = {}): ChargePointRow => ({
  ...newChargePoint("default", "CP-1", minute(-1000)),
  id: "cp1",
  securityProfile: 1,
  passwordHash: "secret hash",
  ...change,
})

export const idTagRow = (idTag: string, change: Partial<IdTagRow> = {}): IdTagRow => ({
  id: `id-${idTag}`,
  organisationId: "default",
  idTag,
  idTagKey: idTag.toLowerCase(),
  status: "Accepted",
  parentIdTag: null,
  expiryDate: null,
  maxActiveTransactions: null,
  note: null,
  createdAt: minute(-1000),
  ...change,
})

/** Where every message comes from unless told otherwise; received long after all of the tests' instants. */
export const caller = (change: Partial<FromCaller> = {}): FromCaller => ({
  organisationId: "default",
  chargePointId: "cp1",
  epoch: 1,
  receivedAt: minute(600),
  ...change,
})

export function start(
  change: Partial<Request<"StartTransaction">> = {},
  from: Partial<FromCaller> = {},
  uniqueId = "message-1",
) {
  const request = { connectorId: 1, idTag: "04A1", meterStart: 1000, timestamp: time(0), ...change }
  const startedAt = instantOf(request.timestamp)
  return { ...caller(from), request, startedAt, startKey: startKeyOf(request, startedAt, uniqueId) }
}

export function stop(change: Partial<Request<"StopTransaction">>, from: Partial<FromCaller> = {}) {
  const request = { transactionId: 1, meterStop: 5000, timestamp: time(60), ...change }
  const { transactionId, transactionData = [] } = request
  const readings = readingsOf(transactionData, { connectorId: 0, transactionId })
  return { ...caller(from), request, stoppedAt: instantOf(request.timestamp), readings }
}

/** A MeterValue with the energy register in Wh, or with these sampled values. */
export const meterValue = (minutes: number, sampled: number | SampledValue[]): MeterValue => ({
  timestamp: time(minutes),
  sampledValue: typeof sampled === "number" ? [{ value: String(sampled) }] : sampled,
})

export function meterValues(
  change: { connectorId?: number; transactionId?: number | null },
  values: MeterValue[],
  from: Partial<FromCaller> = {},
) {
  const { connectorId = 1, transactionId = null } = change
  return { ...caller(from), connectorId, transactionId, readings: readingsOf(values, { connectorId, transactionId }) }
}
