/** How the facts' rows lie in tables: names, kinds and keys of the columns, and the way from a row to its values. */
import type {
  ApiTokenRow,
  ChargePointRow,
  ChargingProfileRow,
  CommandRow,
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
  OrganisationRow,
  ReportRow,
  SealedRequestRow,
  ReservationRow,
  StrayMessageRow,
  TransactionRow,
} from "../facts/rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../facts/rows-of-campaigns.ts"

/** What SQL is given and gives back; flags are 0 and 1. */
export type Value = string | number | null

export type Kind = "text" | "integer" | "real" | "flag"

type KindOf<FieldValue> = [NonNullable<FieldValue>] extends [boolean]
  ? "flag"
  : [NonNullable<FieldValue>] extends [number]
    ? "integer" | "real"
    : "text"

/** One table: its columns by the row's field names, in one order for ever, and the fields that make its key. */
export interface Table<Row> {
  readonly name: string
  readonly columns: { readonly [Field in keyof Row]-?: KindOf<Row[Field]> }
  readonly key: readonly (keyof Row & string)[]
}

/** A row as SQL holds it. */
export type Stored<Row> = {
  [Field in keyof Row]: [NonNullable<Row[Field]>] extends [boolean] ? number : Row[Field]
}

/** The column of a field: `heartbeatIntervalS` → `heartbeat_interval_s`. */
export const columnOf = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The fields of a table's rows, in the order of its columns. */
export function fieldsOf<Row>(table: Table<Row>): (keyof Row & string)[]
export function fieldsOf(table: { columns: object }): string[] {
  return Object.keys(table.columns)
}

/** The values of some fields of a row, ready for SQL. */
export function encode<Row>(row: Row, fields: readonly (keyof Row)[]): Value[] {
  const values: Value[] = []
  for (const field of fields) values.push(encodeValue(row[field]))
  return values
}

/** PostgreSQL's text cannot hold NUL, which a charge point may well send; the replacement character stands for it. */
export const encodeText = (text: string): string => (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text)

export function encodeValue(value: unknown): Value {
  if (typeof value === "string") return encodeText(value)
  if (typeof value === "boolean") return value ? 1 : 0
  return typeof value === "number" ? value : null
}

/** The row as the facts know it: flags are booleans again. Changes the object it is given. */
export function decode<Row>(table: Table<Row>, stored: Stored<Row>): Row
export function decode(table: { columns: Record<string, Kind> }, stored: Record<string, unknown>): unknown {
  for (const [field, kind] of Object.entries(table.columns)) if (kind === "flag") stored[field] = stored[field] === 1
  return stored
}

export const organisations: Table<OrganisationRow> = {
  name: "organisations",
  columns: { id: "text", name: "text", createdAt: "integer" },
  key: ["id"],
}

export const chargePoints: Table<ChargePointRow> = {
  name: "charge_points",
  columns: {
    id: "text",
    organisationId: "text",
    identity: "text",
    createdAt: "integer",
    registrationStatus: "text",
    acceptedAt: "integer",
    lastBootAt: "integer",
    heartbeatIntervalS: "integer",
    securityProfile: "integer",
    passwordHash: "text",
    leniency: "text",
    wireLog: "flag",
    vendor: "text",
    model: "text",
    serialNumber: "text",
    chargeBoxSerialNumber: "text",
    firmwareVersion: "text",
    iccid: "text",
    imsi: "text",
    meterType: "text",
    meterSerialNumber: "text",
    online: "flag",
    epoch: "integer",
    nodeId: "text",
    connectedSince: "integer",
    disconnectedAt: "integer",
    lastSeenAt: "integer",
    voltageV: "real",
    phases: "integer",
  },
  key: ["id"],
}

export const deletedChargePoints: Table<DeletedChargePointRow> = {
  name: "deleted_charge_points",
  columns: { id: "text", organisationId: "text", identity: "text", deletedAt: "integer" },
  key: ["id"],
}

export const connectors: Table<ConnectorRow> = {
  name: "connectors",
  columns: {
    organisationId: "text",
    chargePointId: "text",
    connectorId: "integer",
    status: "text",
    errorCode: "text",
    info: "text",
    vendorId: "text",
    vendorErrorCode: "text",
    statusAt: "integer",
  },
  key: ["chargePointId", "connectorId"],
}

export const transactions: Table<TransactionRow> = {
  name: "transactions",
  columns: {
    transactionId: "integer",
    organisationId: "text",
    chargePointId: "text",
    connectorId: "integer",
    idTag: "text",
    idTagKey: "text",
    startKey: "text",
    startedAt: "integer",
    startReceivedAt: "integer",
    meterStart: "integer",
    reservationId: "integer",
    startIdTagInfo: "text",
    state: "text",
    stoppedAt: "integer",
    stopReceivedAt: "integer",
    meterStop: "integer",
    stopReason: "text",
    stopIdTag: "text",
    stopIdTagInfo: "text",
    energyWh: "real",
    energyNote: "text",
    registerAt: "integer",
    registerWh: "real",
  },
  key: ["transactionId"],
}

export const meterValues: Table<MeterValueRow> = {
  name: "meter_values",
  columns: {
    digest: "text",
    organisationId: "text",
    chargePointId: "text",
    connectorId: "integer",
    transactionId: "integer",
    at: "integer",
    receivedAt: "integer",
    sampledValues: "text",
  },
  key: ["chargePointId", "connectorId", "at", "digest"],
}

export const idTags: Table<IdTagRow> = {
  name: "id_tags",
  columns: {
    id: "text",
    organisationId: "text",
    idTag: "text",
    idTagKey: "text",
    status: "text",
    parentIdTag: "text",
    expiryDate: "integer",
    maxActiveTransactions: "integer",
    note: "text",
    createdAt: "integer",
  },
  key: ["organisationId", "idTagKey"],
}

export const commands: Table<CommandRow> = {
  name: "commands",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    action: "text",
    request: "text",
    state: "text",
    requestedBy: "text",
    requestedAt: "integer",
    deadlineAt: "integer",
    expiresAt: "integer",
    sentAt: "integer",
    answeredAt: "integer",
    confirmation: "text",
    error: "text",
    idempotencyKey: "text",
    requestDigest: "text",
    nodeId: "text",
  },
  key: ["id"],
}

export const sealedRequests: Table<SealedRequestRow> = {
  name: "sealed_requests",
  columns: { commandId: "text", organisationId: "text", sealed: "text" },
  key: ["commandId"],
}

export const configurationKeys: Table<ConfigurationKeyRow> = {
  name: "configuration_keys",
  columns: {
    organisationId: "text",
    chargePointId: "text",
    key: "text",
    value: "text",
    readonly: "flag",
    known: "flag",
    rebootRequired: "flag",
    reportedAt: "integer",
  },
  key: ["chargePointId", "key"],
}

export const chargingProfiles: Table<ChargingProfileRow> = {
  name: "charging_profiles",
  columns: {
    commandId: "text",
    organisationId: "text",
    chargePointId: "text",
    connectorId: "integer",
    transactionId: "integer",
    idTagKey: "text",
    chargingProfileId: "integer",
    chargingProfilePurpose: "text",
    stackLevel: "integer",
    chargingProfile: "text",
    acceptedAt: "integer",
  },
  key: ["commandId"],
}

export const localLists: Table<LocalListRow> = {
  name: "local_lists",
  columns: {
    chargePointId: "text",
    organisationId: "text",
    listVersion: "integer",
    highestVersion: "integer",
    entries: "text",
    toldAt: "integer",
    lastStatus: "text",
    lastStatusAt: "integer",
  },
  key: ["chargePointId"],
}

export const reservations: Table<ReservationRow> = {
  name: "reservations",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    reservationId: "integer",
    connectorId: "integer",
    idTag: "text",
    idTagKey: "text",
    parentIdTag: "text",
    expiryDate: "integer",
    state: "text",
    endReason: "text",
    requestedBy: "text",
    requestedAt: "integer",
    acceptedAt: "integer",
    endedAt: "integer",
    transactionId: "integer",
  },
  key: ["id"],
}

export const firmwareImages: Table<FirmwareImageRow> = {
  name: "firmware_images",
  columns: {
    id: "text",
    organisationId: "text",
    name: "text",
    version: "text",
    fileName: "text",
    vendor: "text",
    model: "text",
    size: "integer",
    sha256: "text",
    createdAt: "integer",
    createdBy: "text",
  },
  key: ["id"],
}

export const firmwareUpdates: Table<FirmwareUpdateRow> = {
  name: "firmware_updates",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    firmwareImageId: "text",
    location: "text",
    retrieveDate: "integer",
    requestedAt: "integer",
    tokenHash: "text",
    expiresAt: "integer",
    state: "text",
    status: "text",
    statusAt: "integer",
  },
  key: ["id"],
}

export const diagnostics: Table<DiagnosticsRow> = {
  name: "diagnostics",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    location: "text",
    requestedAt: "integer",
    tokenHash: "text",
    expiresAt: "integer",
    state: "text",
    fileName: "text",
    status: "text",
    statusAt: "integer",
    uploadId: "text",
    leaseUntil: "integer",
    receivedName: "text",
    size: "integer",
    sha256: "text",
    receivedAt: "integer",
  },
  key: ["id"],
}

export const firmwareCampaigns: Table<FirmwareCampaignRow> = {
  name: "firmware_campaigns",
  columns: {
    id: "text",
    organisationId: "text",
    name: "text",
    firmwareImageId: "text",
    location: "text",
    sealedLocation: "text",
    protocol: "text",
    startAt: "integer",
    windowFrom: "integer",
    windowUntil: "integer",
    concurrency: "integer",
    maxFailureShare: "real",
    minFinished: "integer",
    maxAttempts: "integer",
    attemptTimeoutS: "integer",
    retryDelayS: "integer",
    retrieveDelayS: "integer",
    retries: "integer",
    retryInterval: "integer",
    state: "text",
    pauseReason: "text",
    counts: "text",
    finishedBefore: "integer",
    failedBefore: "integer",
    createdBy: "text",
    createdAt: "integer",
    startedAt: "integer",
    endedAt: "integer",
    idempotencyKey: "text",
  },
  key: ["id"],
}

export const firmwareCampaignChargePoints: Table<FirmwareCampaignChargePointRow> = {
  name: "campaign_charge_points",
  columns: {
    id: "text",
    campaignId: "text",
    chargePointId: "text",
    organisationId: "text",
    position: "integer",
    state: "text",
    attempts: "integer",
    commandId: "text",
    sentAt: "integer",
    status: "text",
    statusAt: "integer",
    dueAt: "integer",
    failure: "text",
  },
  key: ["campaignId", "chargePointId"],
}

/** A part of a file; all parts but its last have the same length. */
export interface FileChunkRow {
  fileId: string
  position: number
  at: number
  bytes: Uint8Array
}

export const reports: Table<ReportRow> = {
  name: "reports",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    action: "text",
    payload: "text",
    receivedAt: "integer",
  },
  key: ["id"],
}

export const strayMessages: Table<StrayMessageRow> = {
  name: "stray_messages",
  columns: {
    id: "text",
    organisationId: "text",
    chargePointId: "text",
    action: "text",
    transactionId: "integer",
    reason: "text",
    payload: "text",
    receivedAt: "integer",
  },
  key: ["id"],
}

export const deviations: Table<DeviationRow> = {
  name: "deviations",
  columns: {
    organisationId: "text",
    chargePointId: "text",
    kind: "text",
    place: "text",
    example: "text",
    count: "integer",
    firstAt: "integer",
    lastAt: "integer",
  },
  key: ["chargePointId", "kind", "place"],
}

export const messages: Table<Omit<MessageRow, "id">> = {
  name: "messages",
  columns: {
    organisationId: "text",
    chargePointId: "text",
    at: "integer",
    direction: "text",
    messageType: "text",
    uniqueId: "text",
    action: "text",
    text: "text",
  },
  key: [],
}

export const apiTokens: Table<ApiTokenRow> = {
  name: "api_tokens",
  columns: {
    id: "text",
    organisationId: "text",
    name: "text",
    role: "text",
    tokenHash: "text",
    createdAt: "integer",
    expiresAt: "integer",
    revokedAt: "integer",
  },
  key: ["id"],
}

/** A subject's newest version and the journal row that tells it. */
export interface SubjectRow {
  subject: string
  /** Null until its first event. */
  organisationId: string | null
  version: number
  journalId: number | null
  /** What is known of a charge point's stored readings, see `work/known-readings.ts`; null: nothing. */
  readings: string | null
}

/** The name of their table. */
export const SUBJECTS = "subjects"

/** The events of one commit group. */
export interface JournalRow {
  id: number
  at: number
  /** JSON `Event[]`. */
  events: string
  /** JSON: for each subject in it the journal row that told the subject's versions before. */
  previous: string
}

/**
 * The newest Power.Active.Import of a transaction, taken out of its readings when they are stored, so that a fleet's
 * power is a sum and not a search.
 */
export interface RunningPowerRow {
  transactionId: number
  organisationId: string
  at: number
  powerW: number
}

export const runningPowers: Table<RunningPowerRow> = {
  name: "running_powers",
  columns: { transactionId: "integer", organisationId: "text", at: "integer", powerW: "real" },
  key: ["transactionId"],
}

/** An entry in a list of readings; only SQLite has these tables, see migration 0011. */
interface ListedReading {
  connectorId: number
  at: number
  digest: string
  meterValueId: number
}

/** All tables as queries see them; the plugin of kysely.ts turns these names into those of SQL. */
export interface Schema {
  organisations: Stored<OrganisationRow>
  chargePoints: Stored<ChargePointRow>
  deletedChargePoints: Stored<DeletedChargePointRow>
  connectors: Stored<ConnectorRow>
  transactions: Stored<TransactionRow>
  meterValues: Stored<MeterValueRow> & { id: number }
  meterValuesByConnector: ListedReading & { chargePointId: string }
  meterValuesByTransaction: ListedReading & { transactionId: number }
  idTags: Stored<IdTagRow>
  commands: Stored<CommandRow>
  sealedRequests: Stored<SealedRequestRow>
  configurationKeys: Stored<ConfigurationKeyRow>
  localLists: Stored<LocalListRow>
  chargingProfiles: Stored<ChargingProfileRow>
  reservations: Stored<ReservationRow>
  firmwareImages: Stored<FirmwareImageRow>
  firmwareUpdates: Stored<FirmwareUpdateRow>
  diagnostics: Stored<DiagnosticsRow>
  firmwareCampaigns: Stored<FirmwareCampaignRow>
  campaignChargePoints: Stored<FirmwareCampaignChargePointRow>
  fileChunks: FileChunkRow
  reports: Stored<ReportRow>
  strayMessages: Stored<StrayMessageRow>
  deviations: Stored<DeviationRow>
  messages: Stored<MessageRow>
  apiTokens: Stored<ApiTokenRow>
  subjects: SubjectRow
  journal: JournalRow
  /** The journal's rows that are not marked as published. */
  unpublished: { id: number }
  settings: { key: string; value: string }
  runningPowers: RunningPowerRow
}
