/** What names a reading, and the order in which readings are listed. */
import type { MeterValueKey } from "../../facts/facts.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Order } from "../paging.ts"
import { fieldsOf, meterValues } from "../tables.ts"

export type ReadingName = Pick<MeterValueKey, "chargePointId" | "connectorId" | "at" | "digest">

/** One text per reading. */
export const readingKey = ({ chargePointId, connectorId, at, digest }: ReadingName): string =>
  `${connectorId} ${at} ${digest} ${chargePointId}`

/** Oldest first. */
export const readingOrder: Order<MeterValueRow> = {
  name: "meterValues",
  by: { at: "integer", connectorId: "integer", digest: "text" },
  direction: "asc",
}

export const readingFields = fieldsOf(meterValues)
/** The same of the table under the name `m`. */
export const readingColumns = readingFields.map((field) => `m.${field}` as const)
