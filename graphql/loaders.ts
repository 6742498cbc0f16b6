import DataLoader from "dataloader"
import type {
  ChargePointRow,
  ChargingProfileRow,
  CommandRow,
  ConfigurationKeyRow,
  ConnectorRow,
  DeviationRow,
  DiagnosticsRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  IdTagRow,
  LocalListRow,
  MessageRow,
  MeterValueRow,
  ReportRow,
  ReservationRow,
  StrayMessageRow,
  TransactionRow,
} from "../src/facts/rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../src/facts/rows-of-campaigns.ts"
import type {
  CampaignProgressFilter,
  CommandFilter,
  EndPage,
  NodePresence,
  Reads,
  Slice,
  TransactionFilter,
} from "../src/services/ports.ts"
import type { Viewer } from "../src/services/viewer.ts"

type LoaderOf<Row> = DataLoader<string, Row>

/** What is asked of each of several parents alike. */
interface Asked<Parent, Arguments> {
  of: Parent
  args: Arguments
}
type AskedLoader<Parent, Arguments, Answer> = DataLoader<Asked<Parent, Arguments>, Answer, string>

type StateFilter = Pick<TransactionFilter, "state">
type CommandStateFilter = Pick<CommandFilter, "state">
type MessageFilter = Parameters<Reads["messagesOfEach"]>[1]

/**
 * What lies below a list, asked of the store once for all rows of the list. Rows of another organisation are as if they
 * did not exist.
 */
export class Loaders {
  readonly chargePoint: LoaderOf<ChargePointRow | null>
  /** By the node's name, as is the next. */
  readonly clusterNode: LoaderOf<NodePresence | null>
  /** How many of the organisation's charge points it holds. */
  readonly heldCount: LoaderOf<number>
  /** By the charge point's id, also where it is deleted. */
  readonly identity: LoaderOf<string | null>
  readonly transaction: DataLoader<number, TransactionRow | null>
  readonly idTag: LoaderOf<IdTagRow | null>
  readonly command: LoaderOf<CommandRow | null>
  readonly firmwareImage: LoaderOf<FirmwareImageRow | null>
  /** By their command's id. */
  readonly firmwareUpdate: LoaderOf<FirmwareUpdateRow | null>
  readonly diagnostics: LoaderOf<DiagnosticsRow | null>
  readonly firmwareCampaign: LoaderOf<FirmwareCampaignRow | null>
  readonly firmwareCampaignChargePoint: LoaderOf<FirmwareCampaignChargePointRow | null>
  readonly reservation: LoaderOf<ReservationRow | null>
  /** By the charge point's id, as are the following. */
  readonly connectors: LoaderOf<ConnectorRow[]>
  readonly configuration: LoaderOf<ConfigurationKeyRow[]>
  readonly chargingProfiles: LoaderOf<ChargingProfileRow[]>
  readonly deviations: LoaderOf<DeviationRow[]>
  readonly localList: LoaderOf<LocalListRow | null>
  readonly activeTransactions: LoaderOf<TransactionRow[]>
  readonly activeReservations: LoaderOf<ReservationRow[]>
  readonly latestMeterValues: LoaderOf<MeterValueRow[]>
  /** The newest report with this action. */
  readonly latestReport: AskedLoader<string, string, ReportRow | null>
  /** Pages below a list: those at an end of theirs, as screens ask for them. */
  readonly transactions: AskedLoader<string, { filter: StateFilter; page: EndPage }, Slice<TransactionRow>>
  readonly transactionCount: AskedLoader<string, StateFilter, number>
  readonly commands: AskedLoader<string, { filter: CommandStateFilter; page: EndPage }, Slice<CommandRow>>
  readonly firmwareUpdates: AskedLoader<string, EndPage, Slice<FirmwareUpdateRow>>
  readonly diagnosticsRequests: AskedLoader<string, EndPage, Slice<DiagnosticsRow>>
  /** By the campaign's id. */
  readonly firmwareCampaignProgress: AskedLoader<
    string,
    { filter: CampaignProgressFilter; page: EndPage },
    Slice<FirmwareCampaignChargePointRow>
  >
  readonly messages: AskedLoader<string, { filter: MessageFilter; page: EndPage }, Slice<MessageRow>>
  readonly reservations: AskedLoader<string, EndPage, Slice<ReservationRow>>
  readonly strayMessages: AskedLoader<string, EndPage, Slice<StrayMessageRow>>
  /** By transactionId. */
  readonly meterValues: AskedLoader<number, EndPage, Slice<MeterValueRow>>

  constructor(
    { read, nodes }: { read: Reads; nodes: () => Promise<NodePresence[]> },
    { organisationId }: Pick<Viewer, "organisationId">,
  ) {
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
    const deleted = one(
      (ids: readonly string[]) => read.deletedChargePointsByIds(ids),
      ({ id }) => id,
    )
    this.identity = new DataLoader(async (ids) => {
      const found = await Promise.all(
        ids.map(async (id) => (await this.chargePoint.load(id)) ?? (await deleted.load(id))),
      )
      return found.map((row) => row?.identity ?? null)
    })
    this.clusterNode = new DataLoader(async (nodeIds) => {
      const alive = new Map((await nodes()).map((node) => [node.nodeId, node]))
      return nodeIds.map((nodeId) => alive.get(nodeId) ?? null)
    })
    this.heldCount = new DataLoader(async (nodeIds) => {
      const counts = await read.countHeld(organisationId, nodeIds)
      return nodeIds.map((nodeId) => counts.get(nodeId) ?? 0)
    })
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
    this.reservation = one(
      (ids: readonly string[]) => read.reservationsByIds(ids),
      ({ id }) => id,
    )
    this.firmwareImage = one(
      (ids: readonly string[]) => read.firmwareImagesByIds(ids),
      ({ id }) => id,
    )
    this.firmwareUpdate = one(
      (ids: readonly string[]) => read.firmwareUpdatesByIds(ids),
      ({ id }) => id,
    )
    this.diagnostics = one(
      (ids: readonly string[]) => read.diagnosticsByIds(ids),
      ({ id }) => id,
    )
    this.firmwareCampaign = one(
      (ids: readonly string[]) => read.firmwareCampaignsByIds(ids),
      ({ id }) => id,
    )
    this.firmwareCampaignChargePoint = one(
      (ids: readonly string[]) => read.firmwareCampaignChargePointsByIds(ids),
      ({ id }) => id,
    )
    this.connectors = listOf((ids) => read.connectorsOf(ids))
    this.configuration = listOf((ids) => read.configurationOf(ids))
    this.chargingProfiles = listOf((ids) => read.chargingProfilesOf(ids))
    this.deviations = listOf((ids) => read.deviationsOf(ids))
    this.localList = one(
      (ids: readonly string[]) => read.localListsOf(ids),
      ({ chargePointId }) => chargePointId,
    )
    this.activeTransactions = listOf((ids) => read.activeTransactionsOf(ids))
    this.activeReservations = listOf((ids) => read.activeReservationsOf(ids))
    this.latestMeterValues = listOf((ids) => read.latestMeterValuesOf(ids))
    this.latestReport = askedAlike(async (ids, action) => {
      const rows = own(await read.latestReportsOf(ids, [action]))
      return new Map(rows.map((row) => [row.chargePointId, row]))
    }, null)
    this.transactions = askedAlike((ids, { filter, page }) => read.transactionsOfEach(ids, filter, page), NO_ROWS)
    this.transactionCount = askedAlike((ids, filter) => read.countTransactionsOfEach(ids, filter), 0)
    this.commands = askedAlike((ids, { filter, page }) => read.commandsOfEach(ids, filter, page), NO_ROWS)
    this.firmwareUpdates = askedAlike((ids, page) => read.firmwareUpdatesOfEach(ids, page), NO_ROWS)
    this.diagnosticsRequests = askedAlike((ids, page) => read.diagnosticsOfEach(ids, page), NO_ROWS)
    this.firmwareCampaignProgress = askedAlike(
      (ids, { filter, page }) => read.firmwareCampaignProgressOfEach(ids, filter, page),
      NO_ROWS,
    )
    this.messages = askedAlike((ids, { filter, page }) => read.messagesOfEach(ids, filter, page), NO_ROWS)
    this.reservations = askedAlike((ids, page) => read.reservationsOfEach(ids, page), NO_ROWS)
    this.strayMessages = askedAlike((ids, page) => read.strayMessagesOfEach(ids, page), NO_ROWS)
    this.meterValues = askedAlike((ids, page) => read.meterValuesOfEach(ids, page), NO_ROWS)
  }

  /** Forgets what was loaded: what follows sees the facts as they are then. */
  clear(): void {
    for (const loader of Object.values(this) as DataLoader<unknown, unknown>[]) loader.clearAll()
  }
}

const NO_ROWS = { rows: [], hasNextPage: false, hasPreviousPage: false }

/** Asks once for all parents of whom the same is wanted. */
function askedAlike<Parent, Arguments, Answer>(
  load: (parents: readonly Parent[], args: Arguments) => Promise<ReadonlyMap<Parent, Answer>>,
  none: Answer,
): AskedLoader<Parent, Arguments, Answer> {
  return new DataLoader(
    async (keys) => {
      const alike = Map.groupBy(keys, ({ args }) => JSON.stringify(args))
      const loading = [...alike].map(async ([args, group]) => {
        const [first] = group
        const answers = first
          ? load(
              group.map(({ of }) => of),
              first.args,
            )
          : new Map<Parent, Answer>()
        return [args, await answers] as const
      })
      const answers = new Map(await Promise.all(loading))
      return keys.map(({ of, args }) => answers.get(JSON.stringify(args))?.get(of) ?? none)
    },
    { cacheKeyFn: ({ of, args }) => JSON.stringify([of, args]) },
  )
}
