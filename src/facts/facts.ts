/**
 * The facts a commit group works on, as the rules see them: rows already loaded, changed in memory, saved together with
 * the journal in one SQL transaction. Rules never meet SQL; the store never meets a rule's meaning.
 */
import type { EventBody } from "./events.ts"
import type {
  ApiTokenRow,
  ChargePointRow,
  ChargingProfileRow,
  CommandRow,
  ConfigurationKeyRow,
  ConnectorRow,
  DeletedChargePointRow,
  DiagnosticsRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  IdTagRow,
  LocalListRow,
  MeterValueRow,
  OrganisationRow,
  ReportRow,
  SealedRequestRow,
  ReservationRow,
  StrayMessageRow,
  TransactionRow,
} from "./rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "./rows-of-campaigns.ts"

/**
 * A rule asked for rows that were not loaded. Within a group that happens when an earlier message of the group changed
 * what this one meets; run alone, with that committed, the same input loads what it needs.
 */
export class NotLoaded extends Error {
  override readonly name = "NotLoaded"
}

/** Rows of one table within a commit group. `get` sees what earlier changes of the same group put. */
export interface Rows<Row, Key> {
  /** Reads the rows with these keys, in one statement for the group; keys without a row are remembered as absent. */
  load(keys: readonly Key[]): Promise<void>
  /** The row, or undefined where there is none. Throws NotLoaded where `load` was not asked for the key. */
  get(key: Key): Readonly<Row> | undefined
  /** Inserts or replaces the row when the group is saved. */
  put(row: Row): void
  delete(key: Key): void
}

/** Rows that are only added; a row whose key is there already is left as it is. */
export interface Additions<Row> {
  add(row: Row): void
}

export interface ConnectorKey {
  chargePointId: string
  connectorId: number
}

export interface IdTagKey {
  organisationId: string
  idTagKey: string
}

/** Asks for the start that followed another one on the same connector. */
export interface NextStartKey extends ConnectorKey {
  startedAt: number
}

/** What makes a repeated StartTransaction the same; `startedAt` is within `startKey`, where no index finds it. */
export type StartKey = Pick<TransactionRow, "chargePointId" | "startedAt" | "startKey">

/** Asks for what was stopped at one instant. */
export interface StoppedAtKey {
  organisationId: string
  chargePointId: string
  stoppedAt: number
}

/** Charge points, also found by the name they introduce themselves with. */
export interface ChargePoints extends Rows<ChargePointRow, string> {
  /** Over all organisations: an identity is unique. */
  loadByIdentity(identities: readonly string[]): Promise<void>
  byIdentity(identity: string): Readonly<ChargePointRow> | undefined
}

/**
 * A charge point that never says StopTransaction leaves more and more behind; what lies further back than this cannot be
 * what a message without a transactionId means, and must not make each of its messages slower than the one before.
 */
export const UNENDED_LIMIT = 200

/** Transactions, which rules look up in more ways than by id. What this group put is always included. */
export interface Transactions extends Rows<TransactionRow, number> {
  /** Loads by what makes a repeated StartTransaction the same. */
  loadByStartKey(keys: readonly StartKey[]): Promise<void>
  byStartKey(key: StartKey): Readonly<TransactionRow> | undefined
  /**
   * Loads the transactions of these charge points without an accepted StopTransaction (Active or EndedInferred); of each
   * at most the UNENDED_LIMIT that started last.
   */
  loadUnended(chargePointIds: readonly string[]): Promise<void>
  /** Those of one charge point, oldest start first. Throws NotLoaded. */
  unended(chargePointId: string): Readonly<TransactionRow>[]
  /** Loads, per key, the earliest `startedAt` greater than the given one on that connector, in whatever state. */
  loadNextStarts(keys: readonly NextStartKey[]): Promise<void>
  nextStart(key: NextStartKey): number | undefined
  /** Loads the transactions (state Ended) of this charge point that were stopped at exactly this instant. */
  loadStoppedAt(keys: readonly StoppedAtKey[]): Promise<void>
  stoppedAt(key: StoppedAtKey): Readonly<TransactionRow>[]
  /** Loads, for these idTags, how many of their transactions are Active in their organisation (locks the idTags first). */
  loadActiveCounts(keys: readonly IdTagKey[]): Promise<void>
  activeCount(key: IdTagKey): number
  /** The next transactionId: positive, 32 bit signed, never given twice. */
  nextId(): number
}

/** Commands, also found by the key under which a client repeats itself. */
export interface Commands extends Rows<CommandRow, string> {
  loadByIdempotencyKey(keys: readonly { organisationId: string; idempotencyKey: string }[]): Promise<void>
  byIdempotencyKey(organisationId: string, idempotencyKey: string): Readonly<CommandRow> | undefined
  /** Loads the Queued commands of these charge points. */
  loadQueued(chargePointIds: readonly string[]): Promise<void>
  /** Those of one charge point, in the order in which they are sent. Throws NotLoaded. */
  queued(chargePointId: string): Readonly<CommandRow>[]
  /** Loads, of each of these charge points, the last wish that was sent out of its queue. */
  loadLastSent(chargePointIds: readonly string[]): Promise<void>
  /** Undefined where none was. Throws NotLoaded. */
  lastSent(chargePointId: string): Readonly<CommandRow> | undefined
}

/** How many of a charge point's transfers a notification may speak of. */
export const LATEST_LIMIT = 5

/** Transfers by their command's id, also those that were requested last. */
export interface Transfers<Row> extends Rows<Row, string> {
  /** Loads, of each of these charge points, the LATEST_LIMIT requested last that have not failed. */
  loadLatestOf(chargePointIds: readonly string[]): Promise<void>
  /** Those of one charge point, newest request first. Throws NotLoaded. */
  latestOf(chargePointId: string): Readonly<Row>[]
}

/** Names a reading. */
export type MeterValueKey = Pick<MeterValueRow, "chargePointId" | "at" | "connectorId" | "digest">

/** Stored readings, looked at again only when a register misbehaved. */
export interface MeterValues {
  /** Keeps a reading that is not stored yet; `powerW` is the power it tells, null where it tells none. */
  add(row: MeterValueRow, powerW: number | null): void
  /** Loads which of these are stored already. */
  loadKnown(keys: readonly MeterValueKey[]): Promise<void>
  /** Whether it is stored already or was added in this group. Throws NotLoaded. */
  isKnown(key: MeterValueKey): boolean
  /** Loads all readings of these transactions. */
  loadOf(transactionIds: readonly number[]): Promise<void>
  /**
   * Those of one transaction in order of their instants, including what this group added. A transaction whose id this
   * group drew counts as loaded, for it can have no others. Throws NotLoaded.
   */
  of(transactionId: number): Readonly<MeterValueRow>[]
}

/** Reservations, also found by charge point and by their number on the wire. */
export interface Reservations extends Rows<ReservationRow, string> {
  /** Loads the reservations of these charge points that are Requested or Active. */
  loadOpen(chargePointIds: readonly string[]): Promise<void>
  /** Those of one charge point, oldest first. Throws NotLoaded. */
  open(chargePointId: string): Readonly<ReservationRow>[]
  loadByNumber(keys: readonly Pick<ReservationRow, "chargePointId" | "reservationId">[]): Promise<void>
  /** All that ever had the number at the charge point, oldest first. Throws NotLoaded. */
  byNumber(key: Pick<ReservationRow, "chargePointId" | "reservationId">): Readonly<ReservationRow>[]
  /** Draws so many reservationIds, for `nextId` to give: positive, 32 bit signed, never given twice. */
  drawIds(count: number): Promise<void>
  nextId(): number
}

/** Firmware campaigns, also found by the key under which a client repeats itself. */
export interface FirmwareCampaigns extends Rows<FirmwareCampaignRow, string> {
  loadByIdempotencyKey(keys: readonly { organisationId: string; idempotencyKey: string }[]): Promise<void>
  byIdempotencyKey(organisationId: string, idempotencyKey: string): Readonly<FirmwareCampaignRow> | undefined
}

export type CampaignEntryKey = Pick<FirmwareCampaignChargePointRow, "campaignId" | "chargePointId">

/** Charge points within campaigns, also those of one campaign and those of one charge point. */
export interface FirmwareCampaignChargePoints extends Rows<FirmwareCampaignChargePointRow, CampaignEntryKey> {
  /** Loads what is Pending in these campaigns. */
  loadPending(campaignIds: readonly string[]): Promise<void>
  /** Those of one campaign. Throws NotLoaded. */
  pending(campaignId: string): Readonly<FirmwareCampaignChargePointRow>[]
  /** Loads the attempts that are under way at these charge points, in whatever campaign. */
  loadUnderWay(chargePointIds: readonly string[]): Promise<void>
  /** Those at one charge point. Throws NotLoaded. */
  underWay(chargePointId: string): Readonly<FirmwareCampaignChargePointRow>[]
}

/** Everything one commit group may read and write. */
export interface Facts {
  readonly organisations: Rows<OrganisationRow, string>
  readonly chargePoints: ChargePoints
  readonly connectors: Rows<ConnectorRow, ConnectorKey> & {
    /** Loads every connector of these charge points. */
    loadOf(chargePointIds: readonly string[]): Promise<void>
    of(chargePointId: string): Readonly<ConnectorRow>[]
  }
  readonly transactions: Transactions
  readonly meterValues: MeterValues
  readonly idTags: Rows<IdTagRow, IdTagKey>
  readonly commands: Commands
  /** By the command's id. */
  readonly sealedRequests: Rows<SealedRequestRow, string>
  readonly configurationKeys: Rows<ConfigurationKeyRow, { chargePointId: string; key: string }> & {
    loadOf(chargePointIds: readonly string[]): Promise<void>
    of(chargePointId: string): Readonly<ConfigurationKeyRow>[]
  }
  readonly deletedChargePoints: Additions<DeletedChargePointRow>
  /** By the charge point's id. */
  readonly localLists: Rows<LocalListRow, string>
  /** By the id of the command that they came with. */
  readonly chargingProfiles: Rows<ChargingProfileRow, string> & {
    loadOf(chargePointIds: readonly string[]): Promise<void>
    of(chargePointId: string): Readonly<ChargingProfileRow>[]
  }
  readonly reservations: Reservations
  readonly firmwareImages: Rows<FirmwareImageRow, string>
  readonly firmwareUpdates: Transfers<FirmwareUpdateRow>
  readonly diagnostics: Transfers<DiagnosticsRow>
  readonly firmwareCampaigns: FirmwareCampaigns
  readonly firmwareCampaignChargePoints: FirmwareCampaignChargePoints
  readonly reports: Additions<ReportRow>
  readonly strayMessages: Additions<StrayMessageRow>
  readonly apiTokens: Rows<ApiTokenRow, string>
  /** Tells an event; it is versioned and written to the journal with the facts. */
  tell(organisationId: string, subject: string, at: number, body: EventBody): void
}

/**
 * How one kind of message or wish changes the facts. The store runs many of them in one SQL transaction: first `load`
 * for all inputs at once, then `apply` for each in order. What fails (a thrown error, a constraint) fails alone: the
 * group is rolled back and run again without it. So `apply` must be repeatable: no clock, no randomness, no I/O. An
 * input that failed in company with NotLoaded succeeds when it is run again alone.
 */
export interface Change<Input, Outcome> {
  /** The subjects whose story this input may continue; the store locks them in key order before loading. */
  subjects(input: Input): string[]
  load(facts: Facts, inputs: readonly Input[]): Promise<void>
  apply(facts: Facts, input: Input): Outcome
}
