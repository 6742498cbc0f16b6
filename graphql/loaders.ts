import DataLoader from "dataloader"
import type {
  ChargePointRow,
  CommandRow,
  ConfigurationKeyRow,
  ConnectorRow,
  DeviationRow,
  IdTagRow,
  MeterValueRow,
  ReportRow,
  TransactionRow,
} from "../src/facts/rows.ts"
import type { Reads } from "../src/services/ports.ts"
import type { Viewer } from "../src/services/viewer.ts"

type LoaderOf<Row> = DataLoader<string, Row>

/** How many reports are looked up side by side. */
const REPORTS_AT_ONCE = 8

/**
 * What lies below a list, asked of the store once for all rows of the list. Rows of another organisation are as if they
 * did not exist.
 */
export class Loaders {
  readonly chargePoint: LoaderOf<ChargePointRow | null>
  readonly transaction: DataLoader<number, TransactionRow | null>
  readonly idTag: LoaderOf<IdTagRow | null>
  readonly command: LoaderOf<CommandRow | null>
  /** By the charge point's id, as are the following. */
  readonly connectors: LoaderOf<ConnectorRow[]>
  readonly configuration: LoaderOf<ConfigurationKeyRow[]>
  readonly deviations: LoaderOf<DeviationRow[]>
  readonly activeTransactions: LoaderOf<TransactionRow[]>
  readonly latestMeterValues: LoaderOf<MeterValueRow[]>
  /** The newest report with this action. */
  readonly latestReport: DataLoader<{ chargePointId: string; action: string }, ReportRow | null, string>

  constructor(read: Reads, { organisationId }: Pick<Viewer, "organisationId">) {
    const own = <Row extends { organisationId: string }>(rows: Row[]) =>
      rows.filter((row) => row.organisationId === organisationId)

    const one = <Key, Row extends { organisationId: string }>(
      load: (keys: readonly Key[]) => Promise<Row[]>,
      keyOf: (row: Row) => Key,
    ) =>
      new DataLoader<Key, Row | null>(async (keys) => {
        const rows = new Map(own(await load(keys)).map((row) => [keyOf(row), row]))
        return keys.map((key) => rows.get(key) ?? null)
      })

    const listOf = <Row extends { organisationId: string; chargePointId: string }>(
      load: (chargePointIds: readonly string[]) => Promise<Row[]>,
    ): LoaderOf<Row[]> =>
      new DataLoader<string, Row[]>(async (chargePointIds) => {
        const rows = Map.groupBy(own(await load(chargePointIds)), (row) => row.chargePointId)
        return chargePointIds.map((id) => rows.get(id) ?? [])
      })

    this.chargePoint = one(
      (ids: readonly string[]) => read.chargePointsByIds(ids),
      ({ id }) => id,
    )
    this.transaction = one(
      (ids: readonly number[]) => read.transactionsByIds(ids),
      ({ transactionId }) => transactionId,
    )
    this.idTag = one(
      (ids: readonly string[]) => read.idTagsByIds(ids),
      ({ id }) => id,
    )
    this.command = one(
      (ids: readonly string[]) => read.commandsByIds(ids),
      ({ id }) => id,
    )
    this.connectors = listOf((ids) => read.connectorsOf(ids))
    this.configuration = listOf((ids) => read.configurationOf(ids))
    this.deviations = listOf((ids) => read.deviationsOf(ids))
    this.activeTransactions = listOf((ids) => read.activeTransactionsOf(ids))
    this.latestMeterValues = listOf((ids) => read.latestMeterValuesOf(ids))
    this.latestReport = new DataLoader(
      (keys) =>
        Promise.all(
          keys.map(async ({ chargePointId, action }) => {
            const [newest] = (await read.reportsOf(chargePointId, [action], { first: 1 })).rows
            return newest?.row.organisationId === organisationId ? newest.row : null
          }),
        ),
      { cacheKeyFn: ({ chargePointId, action }) => `${chargePointId} ${action}`, maxBatchSize: REPORTS_AT_ONCE },
    )
  }

  /** Forgets what was loaded: what follows sees the facts as they are then. */
  clear(): void {
    for (const loader of Object.values(this) as DataLoader<unknown, unknown>[]) loader.clearAll()
  }
}
