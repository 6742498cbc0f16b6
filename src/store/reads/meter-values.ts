/** Readings: of a transaction, of a connector, the newest ones, and those that events refer to. */
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Page, Reads, Slice } from "../../services/ports.ts"
import { compare, mergeSlices } from "../paging.ts"
import { listedReadings } from "./listed-readings.ts"
import { type ReadingName, readingKey, readingOrder } from "./reading-order.ts"
import type { Source } from "./source.ts"
import { unlistedReadings } from "./unlisted-readings.ts"

type MeterValueReads = Pick<Reads, "meterValues" | "meterValuesOfEach" | "latestMeterValuesOf" | "meterValuesByRefs">

const LATEST = 8

/**
 * With SQLite a charge point's newest readings stand in no list yet. They are read before the lists: what is entered
 * between the two is seen twice then, and left out once.
 */
export function meterValueReads(source: Source): MeterValueReads {
  const listed = listedReadings(source)
  const unlisted = unlistedReadings(source)

  return {
    async meterValues(organisationId, of, page) {
      const unlistedOnes = await unlisted.slice(organisationId, of, page)
      if ("transactionId" in of)
        return merged(unlistedOnes, [await listed.ofTransaction(organisationId, of.transactionId, page)], page)
      const { chargePointId, connectorId } = of
      // Each connector's readings lie in order, those of a whole charge point do not.
      const connectorIds = connectorId === undefined ? await listed.connectorsOf(chargePointId) : [connectorId]
      const slices = connectorIds.map((id) => listed.ofConnector(organisationId, chargePointId, id, page))
      return merged(unlistedOnes, await Promise.all(slices), page)
    },

    async meterValuesOfEach(transactionIds, page) {
      const unlistedOnes = await unlisted.ofEach(transactionIds, page)
      const found = await listed.ofEach(transactionIds, page)
      for (const [id, part] of unlistedOnes) found.set(id, merged(part, [found.get(id) ?? EMPTY], page))
      return found
    },

    async latestMeterValuesOf(chargePointIds, perConnector = LATEST) {
      const unlistedOnes = await unlisted.ofChargePoints(chargePointIds)
      const rows = together(unlistedOnes, await listed.latestOf(chargePointIds, perConnector))
      const byConnector = Map.groupBy(rows, ({ chargePointId, connectorId }) => `${chargePointId} ${connectorId}`)
      return [...byConnector.values()]
        .map((group) => group.sort((one, other) => -compare(one, other, ["at", "digest"])).slice(0, perConnector))
        .sort(([one], [other]) => (one && other ? compare(one, other, ["chargePointId", "connectorId"]) : 0))
        .flat()
    },

    async meterValuesByRefs(refs) {
      if (refs.length === 0) return []
      const unlistedOnes = await unlisted.byRefs(refs)
      const found = new Set(unlistedOnes.map(readingKey))
      const others = refs.filter((ref) => !found.has(readingKey(ref)))
      return others.length === 0 ? unlistedOnes : [...unlistedOnes, ...(await listed.byRefs(others))]
    },
  }
}

const EMPTY: Slice<MeterValueRow> = { rows: [], hasNextPage: false, hasPreviousPage: false }

/** Each once. */
function together<Row extends ReadingName>(some: readonly Row[], others: readonly Row[]): Row[] {
  if (some.length === 0) return [...others]
  const known = new Set(some.map(readingKey))
  return [...some, ...others.filter((row) => !known.has(readingKey(row)))]
}

function merged(some: Slice<MeterValueRow>, others: readonly Slice<MeterValueRow>[], page: Page): Slice<MeterValueRow> {
  const known = new Set(some.rows.map(({ row }) => readingKey(row)))
  const rest = others.map((part) => ({ ...part, rows: part.rows.filter(({ row }) => !known.has(readingKey(row))) }))
  return mergeSlices([some, ...rest], readingOrder, page)
}
