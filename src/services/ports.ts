/** What services ask of the world: facts on disk, other nodes, jobs and time. The rooms store, bus and jobs provide it. */
import type { ChangeName, InputOf, OutcomeOf } from "../facts/catalogue.ts"
import type { Event } from "../facts/events.ts"
import type { JournalEntry } from "../facts/recorded.ts"
import type {
  ApiTokenRow,
  ChargePointRow,
  ChargingProfileRow,
  CommandRow,
  CommandState,
  ConfigurationKeyRow,
  ConnectorRow,
  DeletedChargePointRow,
  DeviationRow,
  DiagnosticsRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  IdTagRow,
  LocalListRow,
  MessageRow,
  MeterValueRow,
  RegistrationStatus,
  ReportRow,
  ReservationRow,
  ReservationState,
  StoredIdTagStatus,
  StrayMessageRow,
  TransactionRow,
  TransactionState,
} from "../facts/rows.ts"
import type { CampaignEntry } from "../facts/catalogue-of-campaigns.ts"
import type {
  FirmwareCampaignChargePointRow,
  FirmwareCampaignChargePointState,
  FirmwareCampaignRow,
  FirmwareCampaignState,
} from "../facts/rows-of-campaigns.ts"

/** Time as services see it, so that tests can hold it still. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

/** Which rows of a list: at most one of the directions. A cursor is the opaque text a `Slice` gave for a row. */
export interface Page {
  first?: number
  after?: string
  last?: number
  before?: string
}

/** A page at one end of a list. */
export type EndPage = Pick<Page, "first" | "last">

/** The cursor is not one that this list gave. */
export class BadCursor extends Error {
  override readonly name = "BadCursor"
}

/** A part of a list in its order, with a cursor for each row. */
export interface Slice<Row> {
  rows: { row: Row; cursor: string }[]
  hasNextPage: boolean
  hasPreviousPage: boolean
}

export interface ChargePointFilter {
  /** Held by this node, by the books. */
  nodeId?: string
  identities?: string[]
  /** Part of identity, vendor, model or serial number, whatever its letter case. */
  search?: string
  online?: boolean
  registrationStatus?: RegistrationStatus
  /** At least one connector (above 0) has one of these statuses. */
  connectorStatus?: string[]
  vendor?: string
  model?: string
}

export interface TransactionFilter {
  chargePointIds?: string[]
  connectorId?: number
  idTag?: string
  state?: TransactionState[]
  startedAfter?: number
  startedBefore?: number
}

export interface IdTagFilter {
  search?: string
  status?: StoredIdTagStatus
  parentIdTag?: string
}

export interface CommandFilter {
  chargePointIds?: string[]
  action?: string
  state?: CommandState[]
}

export interface ReservationFilter {
  chargePointIds?: string[]
  idTag?: string
  state?: ReservationState[]
}

export interface FirmwareImageFilter {
  /** Part of name, version or file name, whatever its letter case. */
  search?: string
  /** Only those that fit charge points of this vendor, or of any. */
  vendor?: string
  model?: string
}

export interface FirmwareCampaignFilter {
  state?: FirmwareCampaignState[]
}

export interface CampaignProgressFilter {
  state?: FirmwareCampaignChargePointState[]
}

/** Sums over an organisation's charge points. */
export interface FleetSums {
  chargePoints: number
  online: number
  offline: number
  /** Connectors above 0 of all charge points, by status as last reported. */
  connectorsByStatus: Record<string, number>
  activeTransactions: number
  /** W now delivered by active transactions, from the newest Power.Active.Import reading not older than `powerSince`. */
  powerW: number
  /** Wh delivered since `energySince`: ended transactions' energy by their end, plus active ones' so far. */
  energyWh: number
}

/** What is there now, and how far the stories of all subjects in scope had come: both of one instant. */
export interface Present<Row> {
  rows: Row[]
  /** By subject; one that is left out has no story yet. */
  versions: Map<string, number>
}

/** A campaign as a whole, or with one of its charge points. */
export interface PresentCampaign {
  campaign: FirmwareCampaignRow
  chargePoint: FirmwareCampaignChargePointRow | null
}

/** Names one stored reading, and the transaction it belongs to. */
export type ReadingRef = Pick<MeterValueRow, "chargePointId" | "connectorId" | "transactionId" | "at" | "digest">

/** What tells whether a charge point that is online by the books is so indeed. */
export type OnlineChargePoint = Pick<
  ChargePointRow,
  "id" | "organisationId" | "identity" | "epoch" | "nodeId" | "lastSeenAt" | "connectedSince" | "heartbeatIntervalS"
>

/** Questions to the facts; what takes a page throws BadCursor. Lists come newest first unless said otherwise; all are bound to one organisation. */
export interface Reads {
  /** Over all organisations: identities are unique. Case-sensitive. */
  chargePointByIdentity(identity: string): Promise<ChargePointRow | undefined>
  /** Whatever its letter case (of ASCII letters); undefined where none or several are meant. */
  chargePointByIdentityInAnyCase(identity: string): Promise<ChargePointRow | undefined>
  /** Over all organisations, those that there are. Case-sensitive. */
  chargePointsOfIdentities(identities: readonly string[]): Promise<ChargePointRow[]>
  chargePointsByIds(ids: readonly string[]): Promise<ChargePointRow[]>
  deletedChargePointsByIds(ids: readonly string[]): Promise<DeletedChargePointRow[]>
  chargePointsByIdentities(organisationId: string, identities: readonly string[]): Promise<ChargePointRow[]>
  /** In order of identity. */
  chargePoints(organisationId: string, filter: ChargePointFilter, page: Page): Promise<Slice<ChargePointRow>>
  countChargePoints(organisationId: string, filter: ChargePointFilter): Promise<number>
  /** How many charge points of the organisation each of these nodes holds, by the books; nodes without any are left out. */
  countHeld(organisationId: string, nodeIds: readonly string[]): Promise<Map<string, number>>
  /** In order of connectorId. */
  connectorsOf(chargePointIds: readonly string[]): Promise<ConnectorRow[]>
  configurationOf(chargePointIds: readonly string[]): Promise<ConfigurationKeyRow[]>
  reservationsByIds(ids: readonly string[]): Promise<ReservationRow[]>
  /** Newest first. */
  reservations(organisationId: string, filter: ReservationFilter, page: Page): Promise<Slice<ReservationRow>>
  reservationsOfEach(chargePointIds: readonly string[], page: EndPage): Promise<Map<string, Slice<ReservationRow>>>
  /** The Active reservations of these charge points, soonest end first. */
  activeReservationsOf(chargePointIds: readonly string[]): Promise<ReservationRow[]>
  /** Requested or Active, with an expiryDate up to `until`, over all organisations, soonest first. */
  overdueReservations(until: number, limit: number): Promise<ReservationRow[]>
  localListsOf(chargePointIds: readonly string[]): Promise<LocalListRow[]>
  /** What these charge points accepted, oldest first, without TxProfiles whose transaction is known to be over. */
  chargingProfilesOf(chargePointIds: readonly string[]): Promise<ChargingProfileRow[]>
  deviationsOf(chargePointIds: readonly string[]): Promise<DeviationRow[]>
  transactionsByIds(transactionIds: readonly number[]): Promise<TransactionRow[]>
  /** The Active transactions of these charge points. */
  activeTransactionsOf(chargePointIds: readonly string[]): Promise<TransactionRow[]>
  transactions(organisationId: string, filter: TransactionFilter, page: Page): Promise<Slice<TransactionRow>>
  countTransactions(organisationId: string, filter: TransactionFilter): Promise<number>
  /** Of each of these charge points a page; here and below, all of them with one statement. */
  transactionsOfEach(
    chargePointIds: readonly string[],
    filter: Pick<TransactionFilter, "state">,
    page: EndPage,
  ): Promise<Map<string, Slice<TransactionRow>>>
  /** Charge points without any are left out. */
  countTransactionsOfEach(
    chargePointIds: readonly string[],
    filter: Pick<TransactionFilter, "state">,
  ): Promise<Map<string, number>>
  /** In order of their instants, oldest first. */
  meterValues(
    organisationId: string,
    of: { transactionId: number } | { chargePointId: string; connectorId?: number },
    page: Page,
  ): Promise<Slice<MeterValueRow>>
  meterValuesOfEach(transactionIds: readonly number[], page: EndPage): Promise<Map<number, Slice<MeterValueRow>>>
  /** The newest stored readings per connector of these charge points (up to `perConnector`, 8 unless told). */
  latestMeterValuesOf(chargePointIds: readonly string[], perConnector?: number): Promise<MeterValueRow[]>
  meterValuesByRefs(
    refs: readonly { chargePointId: string; at: number; connectorId: number; digest: string }[],
  ): Promise<MeterValueRow[]>
  idTagsByKeys(organisationId: string, idTagKeys: readonly string[]): Promise<IdTagRow[]>
  idTagsByIds(ids: readonly string[]): Promise<IdTagRow[]>
  /** In order of idTag. */
  idTags(organisationId: string, filter: IdTagFilter, page: Page): Promise<Slice<IdTagRow>>
  commandsByIds(ids: readonly string[]): Promise<CommandRow[]>
  commandByIdempotencyKey(organisationId: string, idempotencyKey: string): Promise<CommandRow | undefined>
  commands(organisationId: string, filter: CommandFilter, page: Page): Promise<Slice<CommandRow>>
  /** Of each of these charge points a page. */
  commandsOfEach(
    chargePointIds: readonly string[],
    filter: Pick<CommandFilter, "state">,
    page: EndPage,
  ): Promise<Map<string, Slice<CommandRow>>>
  /** The command that is to be sent next of those Queued for the charge point, with its sealed request. */
  nextQueuedCommand(chargePointId: string): Promise<{ command: CommandRow; sealed: string } | undefined>
  /** Which of these charge points have a command Queued; without ids: which of those that are online and accepted. */
  chargePointsWithQueue(chargePointIds?: readonly string[]): Promise<string[]>
  /** Queued commands whose time is over at `at`, over all organisations, oldest expiry first. */
  expiredCommands(at: number, limit: number): Promise<CommandRow[]>
  /** How many commands are Queued, over all organisations. */
  countQueuedCommands(): Promise<number>
  /** Commands still Sent whose deadline is before `before`, over all organisations, oldest first. */
  overdueCommands(before: number, limit: number): Promise<CommandRow[]>
  reportsOf(chargePointId: string, actions: readonly string[], page: Page): Promise<Slice<ReportRow>>
  /** The newest report of each of these charge points with each of these actions, where there is one. */
  latestReportsOf(chargePointIds: readonly string[], actions: readonly string[]): Promise<ReportRow[]>
  strayMessagesOf(chargePointId: string, page: Page): Promise<Slice<StrayMessageRow>>
  strayMessagesOfEach(chargePointIds: readonly string[], page: EndPage): Promise<Map<string, Slice<StrayMessageRow>>>
  messagesOf(
    chargePointId: string,
    filter: { action?: string; uniqueId?: string },
    page: Page,
  ): Promise<Slice<MessageRow>>
  messagesOfEach(
    chargePointIds: readonly string[],
    filter: { action?: string; uniqueId?: string },
    page: EndPage,
  ): Promise<Map<string, Slice<MessageRow>>>
  /** In order of their ids, from this one on. */
  messagesFrom(chargePointId: string, fromId: number, limit: number): Promise<MessageRow[]>
  /** The charge points within the filter; in scope are all of the organisation, or those with the filter's identities. */
  presentChargePoints(organisationId: string, filter: ChargePointFilter): Promise<Present<ChargePointRow>>
  /** The Active transactions within the filter; in scope are all charge points, or the filter's. */
  presentTransactions(organisationId: string, filter: TransactionFilter): Promise<Present<TransactionRow>>
  /** The commands that have not ended (Queued or Sent), of everybody, of one charge point, or one of them. */
  presentCommands(
    organisationId: string,
    of: { chargePointId?: string; commandId?: string },
  ): Promise<Present<CommandRow>>
  /** The newest `perConnector` readings of each connector: of everybody, of one charge point, or those of one transaction. */
  presentReadings(
    organisationId: string,
    of: { chargePointId?: string; transactionId?: number },
    perConnector: number,
  ): Promise<Present<ReadingRef>>
  /** The campaign with its charge points, in the order in which they were named. */
  presentFirmwareCampaign(organisationId: string, campaignId: string): Promise<Present<PresentCampaign>>
  organisationExists(organisationId: string): Promise<boolean>
  apiTokenByHash(tokenHash: string): Promise<ApiTokenRow | undefined>
  apiTokens(organisationId: string): Promise<ApiTokenRow[]>
  /** Charge points that are online by the books, over all organisations, page by page in order of id. */
  onlineChargePoints(afterId: string | null, limit: number): Promise<OnlineChargePoint[]>
  fleet(organisationId: string, energySince: number, powerSince: number): Promise<FleetSums>
  firmwareImages(organisationId: string, filter: FirmwareImageFilter, page: Page): Promise<Slice<FirmwareImageRow>>
  firmwareImagesByIds(ids: readonly string[]): Promise<FirmwareImageRow[]>
  firmwareUpdatesByIds(ids: readonly string[]): Promise<FirmwareUpdateRow[]>
  firmwareUpdateByTokenHash(tokenHash: string): Promise<FirmwareUpdateRow | undefined>
  firmwareUpdatesOf(chargePointId: string, page: Page): Promise<Slice<FirmwareUpdateRow>>
  firmwareUpdatesOfEach(
    chargePointIds: readonly string[],
    page: EndPage,
  ): Promise<Map<string, Slice<FirmwareUpdateRow>>>
  diagnosticsByIds(ids: readonly string[]): Promise<DiagnosticsRow[]>
  diagnosticsByTokenHash(tokenHash: string): Promise<DiagnosticsRow | undefined>
  diagnosticsOf(chargePointId: string, page: Page): Promise<Slice<DiagnosticsRow>>
  diagnosticsOfEach(chargePointIds: readonly string[], page: EndPage): Promise<Map<string, Slice<DiagnosticsRow>>>
  firmwareCampaignsByIds(ids: readonly string[]): Promise<FirmwareCampaignRow[]>
  firmwareCampaigns(
    organisationId: string,
    filter: FirmwareCampaignFilter,
    page: Page,
  ): Promise<Slice<FirmwareCampaignRow>>
  firmwareCampaignChargePointsByIds(ids: readonly string[]): Promise<FirmwareCampaignChargePointRow[]>
  /** In the order in which the charge points were named. */
  firmwareCampaignProgress(
    campaignId: string,
    filter: CampaignProgressFilter,
    page: Page,
  ): Promise<Slice<FirmwareCampaignChargePointRow>>
  firmwareCampaignProgressOfEach(
    campaignIds: readonly string[],
    filter: CampaignProgressFilter,
    page: EndPage,
  ): Promise<Map<string, Slice<FirmwareCampaignChargePointRow>>>
  /** Of all organisations: Scheduled ones whose start has come by `at`, and the Running ones. */
  firmwareCampaignsAtWork(at: number): Promise<FirmwareCampaignRow[]>
  /** Pending in this campaign and due by `at`, where a request can leave now or the charge point is gone. */
  askableChargePoints(campaignId: string, at: number, limit: number): Promise<CampaignEntry[]>
  /** Attempts, of all organisations, of which the books know more than their campaigns, or whose time is over by `at`. */
  firmwareAttemptsToFollow(at: number, limit: number): Promise<CampaignEntry[]>
  /** What of these charge points a campaign may still wait for. */
  campaignEntriesOf(chargePointIds: readonly string[]): Promise<CampaignEntry[]>
  /** One part of a file's bytes; undefined where there is none. */
  fileChunk(fileId: string, position: number): Promise<Uint8Array | undefined>
}

/** Thrown by every store call while the database cannot be reached or written; a later try may succeed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable"
}

/** Of each kind, before which instant (epoch ms) it goes. */
export interface PruneBefore {
  messages?: number
  meterValues?: number
  journal?: number
  /** Requests for diagnostics, with their files. */
  diagnostics?: number
  /** Parts of files that belong to nothing: what a broken upload left behind. */
  looseFileChunks?: number
}

export interface Store extends AsyncDisposable {
  /**
   * Applies one change; resolves when it is committed to disk with its journal. Changes that arrive together share a
   * transaction; each fails alone.
   * @throws StoreUnavailable; or what the change's rule or a constraint threw, for this input only.
   */
  change<Name extends ChangeName>(name: Name, input: InputOf<Name>): Promise<OutcomeOf<Name>>
  readonly read: Reads
  /** Adds to the counts; resolves when written. Losing some at a crash is acceptable. */
  addDeviations(rows: readonly DeviationRow[]): Promise<void>
  /** Appends to the wire log, giving ids in order; resolves to the stored rows. */
  addMessages(rows: readonly Omit<MessageRow, "id">[]): Promise<MessageRow[]>
  /** Keeps one part of a file's bytes, whose place in the file is its position (0, 1, …); resolves when it is on disk. */
  addFileChunk(fileId: string, position: number, bytes: Uint8Array, at: number): Promise<void>
  removeFileChunks(fileId: string): Promise<void>
  /**
   * Removes what is older than these instants, journal rows published or not, a bounded number of rows per call; how many
   * went.
   */
  prune(before: PruneBefore, limit: number): Promise<number>
  /** Called after each commit on this node with what was journalled, in the order of the commits. */
  onJournal(listener: (entry: JournalEntry) => void): void
  /**
   * Journal rows not yet marked published, oldest first: those recorded before `olderThan` (ms), with ids above `afterId`
   * that are not in `except`.
   */
  unpublished(limit: number, olderThan: number, afterId?: number, except?: ReadonlySet<number>): Promise<JournalEntry[]>
  /** The id below which journal rows lie in excess of the newest `atMost` unpublished ones; 0 where there are no more. */
  firstUnpublished(atMost: number): Promise<number>
  /**
   * Marks journal rows as published and moves a setting on, both or none: resolves to false, with nothing written, where
   * the setting no longer has the value `from`.
   */
  markPublished(ids: readonly number[], setting: { key: string; from: string; to: string }): Promise<boolean>
  /**
   * For every subject the version up to which its story counts as told: all of it, or what lies before the first of its
   * events in unpublished rows with ids from `sinceId` on. One consistent read.
   */
  toldVersions(sinceId: number): Promise<Map<string, number>>
  /** The events of one subject with versions from `fromVersion` up to and including `toVersion`, as far as retained. */
  journalOf(subject: string, fromVersion: number, toVersion: number): Promise<Event[]>
  /** A named value kept with the facts (the stream's generation, keys); undefined where never set. */
  setting(key: string): Promise<string | undefined>
  putSetting(key: string, value: string): Promise<void>
  /** Sets a named value unless it is set already; resolves to the value that all nodes then read. */
  settleSetting(key: string, value: string): Promise<string>
  /** Null while commits succeed; else since when they have failed or been stuck (epoch ms). */
  troubleSince(): number | null
}

/** Jobs that hurry firmware campaigns; never rejects, for what is lost a sweep finds. */
export interface CampaignJobs {
  /** Something is known anew of these. */
  follow(entries: readonly CampaignEntry[]): Promise<void>
  /** These may begin attempts. */
  advance(campaignIds: readonly string[]): Promise<void>
}

/** A command on its way to the node that holds the charge point's socket. */
export type CommandOrder = DirectOrder | QueuedOrder

/** A command that is sent now or never. */
export interface DirectOrder {
  commandId: string
  organisationId: string
  chargePointId: string
  action: string
  request: unknown
  requestedBy: string
  requestedAt: number
  /** Epoch ms by which the confirmation must be there. */
  deadlineAt: number
  idempotencyKey: string | null
  requestDigest: string | null
}

/** A command that is in the books as Queued, and goes on waiting where it cannot be sent. */
export interface QueuedOrder {
  commandId: string
  command: CommandRow
  /** What it sends; only nodes with sockets open the seal. */
  sealed: string
  /** Whether the charge point has to be accepted first. */
  needsAcceptance: boolean
  /** Epoch ms by which its turn and then the confirmation must have come. */
  deadlineAt: number
}

/** What became of an order. */
export type CommandResult =
  | { kind: "Confirmed"; command: CommandRow; confirmation: Record<string, unknown> }
  | { kind: "CallError"; command: CommandRow; code: string; description: string }
  | { kind: "Timeout"; command: CommandRow }
  | { kind: "Offline"; command: CommandRow }
  | { kind: "NotAllowedNow"; reason: string }
  /** It waits for the charge point. */
  | { kind: "Queued"; command: CommandRow }
  /** It was asked for, sent or ended by somebody else: the row says where it stands. */
  | { kind: "Repeated"; command: CommandRow }
  | { kind: "InvalidInput"; path: string; reason: string }
  | { kind: "Unavailable"; reason: string }

/** Hurries what a sweep does anyway, on whichever node works. Never throws: what is not taken waits for the sweep. */
export interface QueueJobs {
  /** The commands Queued for these charge points may be sent now. */
  prompt(chargePointIds: readonly string[]): Promise<void>
  /** The command is to be looked at when it expires. */
  expireAt(command: CommandRow): Promise<void>
}

/** A charge point taken by this node. */
export interface Claim {
  /** Resolves when no older socket answers any more: it is closed, or its node has to find out before it may answer. */
  yielded: Promise<void>
}

/** Who holds a charge point's socket. */
export interface Ownership {
  nodeId: string
  epoch: number
}

/** A node as the others see it. */
export interface NodePresence {
  nodeId: string
  startedAt: number
  roles: string[]
  version: string
  /** Names the store that the node works on: all nodes on one Redis have to share it. */
  storeId: string
  seenAt: number
}

/** The nodes' way to each other. Every method fails with BusUnavailable rather than wait while Redis is away. */
export interface Bus extends AsyncDisposable {
  readonly nodeId: string
  /**
   * An epoch for a socket that is about to be opened, greater than all given before on any node: the greatest of the
   * last one + 1, `storedEpoch` + 1 and Redis's clock in µs.
   */
  nextEpoch(storedEpoch: number): Promise<number>
  /**
   * Makes this node the owner under an epoch from `nextEpoch`; null where a newer one holds it. Those that held it
   * before, `formerNodeId` as the books have it among them, are told to close their sockets.
   */
  claim(chargePointId: string, epoch: number, formerNodeId: string | null): Promise<Claim | null>
  /** Gives ownership up if it is still this epoch's. */
  release(chargePointId: string, epoch: number): Promise<void>
  ownerOf(chargePointId: string): Promise<Ownership | null>
  /** Which of these are held by a node that is alive. */
  ownersOf(chargePointIds: readonly string[]): Promise<Map<string, Ownership>>
  /**
   * Sends an order to the node that holds the charge point and waits for its result, until the order's deadline and a
   * margin; null where nobody holds it. After BusUnavailable it may have been sent all the same.
   */
  order(chargePointId: string, order: CommandOrder): Promise<CommandResult | null>
  /** The same, to this node. */
  call(nodeId: string, order: CommandOrder): Promise<CommandResult>
  /** What this node does with an order sent to it. */
  onOrder(handler: (order: CommandOrder) => Promise<CommandResult>): void
  /** Called when a newer owner elsewhere took the charge point: close sockets with an epoch below this one. */
  onSuperseded(handler: (chargePointId: string, epoch: number) => void): void
  /** Asks the owner to close the charge point's socket (deleted, credentials revoked, silent). */
  disconnect(chargePointId: string, reason: DisconnectReason): Promise<void>
  onDisconnect(handler: (chargePointId: string, reason: DisconnectReason) => void): void
  /** Tells the owner that the charge point's row was changed by an operator; never throws. */
  tellUpdated(chargePointId: string): void
  onUpdated(handler: (chargePointId: string) => void): void
  /** Whether Redis answers this node. */
  readonly isReady: boolean
  /** Whether this node certainly has heard, but for the last moment, of every newer socket that others have told it of. */
  readonly isCertain: boolean
  /** Resolves when it is certain again. @throws BusUnavailable when that takes longer than it should */
  certain(): Promise<void>
  /**
   * Makes known an ownership whose epoch the store gave while Redis was away. A greater one wins: then this node hears
   * that it is superseded.
   */
  register(chargePointId: string, epoch: number): Promise<void>
  nodes(): Promise<NodePresence[]>
  /** The nodes whose lease has lately run out: not those that have left in order, or that an emptied Redis has forgotten. */
  lapsedNodes(): Promise<string[]>
  /** Delivers what is published of a charge point's wire, on whichever node, until disposed. */
  watchMessages(chargePointId: string, handler: (rows: MessageRow[]) => void): Promise<AsyncDisposable>
  /** Whether somebody on any node watches this charge point's wire now (known locally, no round trip). */
  isWatched(chargePointId: string): boolean
  /** Sends wire-log rows to whoever watches; never throws. */
  publishMessages(chargePointId: string, rows: readonly MessageRow[]): void
  /**
   * Called when the connection to Redis is back after it was lost, and when this node has been away for longer than its
   * lease; the node is certain of what it holds only when these are done.
   */
  onReturn(handler: () => Promise<void> | void): void
}

export type DisconnectReason = "Deleted" | "CredentialsChanged" | "Rejected" | "Silent"

export class BusUnavailable extends Error {
  override readonly name = "BusUnavailable"
}

/** One event as delivered to followers, with the position that names it. */
export interface StreamEvent {
  cursor: string
  event: Event
}

/** Which events somebody wants: found by what they name, then looked at. */
export interface Interest {
  organisationId: string
  type: Event["type"]
  /** Each key that is given narrows; the stream uses one of them for its lookup and checks the others. */
  chargePointIds?: readonly string[]
  /** Charge points by name: it may not exist yet, or be made anew. With type ChargePoint; other events name none. */
  identities?: readonly string[]
  /** With types Transaction and MeterValues. */
  transactionId?: number
  /** With type Command. */
  commandId?: string
  /** With type FirmwareCampaign. */
  campaignId?: string
  /** What no lookup can tell. */
  wants?(event: Event): boolean
}

/** The one ordered story of all nodes. */
export interface EventStream extends AsyncDisposable {
  /** Publishes what was committed on this node; never throws, what fails is published later from the journal. */
  publish(entry: JournalEntry): void
  /** Names the last event that this node has read: what is told later comes after it. */
  readonly cursor: string
  /** Whether the first cursor names an event behind the second one; never where they belong to two stories. */
  isAfter(cursor: string, other: string): boolean
  /** Events from this call on. Ends with the signal. @throws CursorExpired, Lagging (as rejections of the iteration) */
  live(interest: Interest, signal: AbortSignal): AsyncIterable<StreamEvent>
  /**
   * Events after a cursor, until nothing lies between the last one and what `live` would tell from now on: `caughtUp` is
   * called in exactly that turn with the cursor of that point, and the iteration ends. It also ends with the signal, then
   * without that call.
   * @throws CursorExpired, BusUnavailable, StoreUnavailable (as rejections of the iteration)
   */
  replay(
    interest: Interest,
    after: string,
    options: { signal: AbortSignal; caughtUp: (cursor: string) => void },
  ): AsyncIterable<StreamEvent>
  /**
   * Resolves when this node has read everything up to these versions of their subjects, or with the signal.
   * @throws BusUnavailable when that takes too long
   */
  reached(versions: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void>
}

/** The cursor names a position that is no longer kept, or another generation of the stream. */
export class CursorExpired extends Error {
  override readonly name = "CursorExpired"
}

/** The follower read too slowly and was let go. */
export class Lagging extends Error {
  override readonly name = "Lagging"
}
