/**
 * The facts as they lie on disk: one type per table, in the words of OCPP 1.6. Instants are epoch milliseconds (UTC),
 * energy is Wh, enum words are spelled as the standard spells them, flags are booleans (0/1 in SQL), and what a charge
 * point may say in many shapes is JSON. Every row carries its organisation.
 */

/** Whether a charge point may take part: the word that BootNotification.conf carries. OCPP 1.6 §7.37. */
export type RegistrationStatus = "Accepted" | "Pending" | "Rejected"

/** How much a charge point's deviations from the standard are forgiven; see ARCHITECTURE, "two levels". */
export type Leniency = "strict" | "tolerant"

/** A charge point, known by its identity, which is unique over all organisations. */
export interface ChargePointRow {
  id: string
  organisationId: string
  identity: string
  createdAt: number
  /** The operator's decision; it belongs to the identity and outlives every connection. */
  registrationStatus: RegistrationStatus
  /** When a BootNotification was first answered Accepted; null: never yet. */
  acceptedAt: number | null
  lastBootAt: number | null
  /** Seconds, as returned in BootNotification.conf; null: the node's default. */
  heartbeatIntervalS: number | null
  /** 0 none, 1 Basic, 2 Basic over TLS, 3 client certificate. */
  securityProfile: number
  /** Keyed hash of the Basic password's bytes; null: no password. Never leaves the store's callers. */
  passwordHash: string | null
  /** null: the node's default. */
  leniency: Leniency | null
  /** Whether every frame of this charge point is kept in the wire log. */
  wireLog: boolean
  vendor: string | null
  model: string | null
  serialNumber: string | null
  chargeBoxSerialNumber: string | null
  firmwareVersion: string | null
  iccid: string | null
  imsi: string | null
  meterType: string | null
  meterSerialNumber: string | null
  online: boolean
  /** The ownership that `online` and the connectors' state were last written under; an older one is refused. */
  epoch: number
  nodeId: string | null
  connectedSince: number | null
  disconnectedAt: number | null
  lastSeenAt: number | null
}

/** What is kept of a charge point that was taken away: whose the records are that it left behind. */
export interface DeletedChargePointRow {
  id: string
  organisationId: string
  identity: string
  deletedAt: number
}

/** A connector as last reported by StatusNotification; connector 0 is the charge point itself. OCPP 1.6 §4.9. */
export interface ConnectorRow {
  organisationId: string
  chargePointId: string
  connectorId: number
  status: string
  errorCode: string
  info: string | null
  vendorId: string | null
  vendorErrorCode: string | null
  /** The charge point's own instant of the status, or that of receipt where it gave none. */
  statusAt: number
}

/**
 * `Active`: started, no end known. `Ended`: a StopTransaction was accepted. `EndedInferred`: Busbar concluded that it is
 * over (a newer one runs on its connector); provisional, the first real StopTransaction replaces it.
 */
export type TransactionState = "Active" | "Ended" | "EndedInferred"

/** Something odd about a transaction's energy register that the operator should see. */
export type EnergyNote = "RegisterRestarted" | "RegisterRanBackwards" | "StopBelowStart" | "NoRegister"

/** A transaction from StartTransaction to StopTransaction. OCPP 1.6 §4.8, §4.10. */
export interface TransactionRow {
  transactionId: number
  organisationId: string
  chargePointId: string
  connectorId: number
  idTag: string
  idTagKey: string
  /** What makes a repeated StartTransaction the same one; unique within the charge point. */
  startKey: string
  /** The charge point's timestamp. */
  startedAt: number
  /** When StartTransaction was received. */
  startReceivedAt: number
  meterStart: number
  reservationId: number | null
  /** The idTagInfo that was answered first (JSON), returned again to a repetition. */
  startIdTagInfo: string
  state: TransactionState
  stoppedAt: number | null
  stopReceivedAt: number | null
  meterStop: number | null
  stopReason: string | null
  stopIdTag: string | null
  /** The idTagInfo answered to the accepted StopTransaction (JSON), if any. */
  stopIdTagInfo: string | null
  /** Wh delivered so far or in all; null: no register reading yet. */
  energyWh: number | null
  energyNote: EnergyNote | null
  /** The instant of the newest register reading looked at for `energyWh`, and the Wh at which the register then stood. */
  registerAt: number | null
  registerWh: number | null
}

/** One MeterValue (an instant and its sampled values) as reported. OCPP 1.6 §7.33. */
export interface MeterValueRow {
  /** 16 hex digits over connector, transaction, instant and content: a replayed MeterValue has the same. */
  digest: string
  organisationId: string
  chargePointId: string
  connectorId: number
  transactionId: number | null
  at: number
  receivedAt: number
  /** JSON `SampledValue[]`, in the charge point's own words with the standard's defaults left out. */
  sampledValues: string
}

/** Accepted, Blocked or Invalid as stored; Expired follows from `expiryDate` (or is stored), ConcurrentTx from the limit. */
export type StoredIdTagStatus = "Accepted" | "Blocked" | "Expired" | "Invalid"

/** An idTag, unique within its organisation whatever its letter case. OCPP 1.6 §7.28. */
export interface IdTagRow {
  id: string
  organisationId: string
  idTag: string
  /** `idTag` in the one form that comparisons use (lower case). */
  idTagKey: string
  status: StoredIdTagStatus
  parentIdTag: string | null
  expiryDate: number | null
  /** How many transactions may run on this idTag at once; null: no limit (the default). */
  maxActiveTransactions: number | null
  note: string | null
  createdAt: number
}

/** The life of a command; see ARCHITECTURE, "the journey of one command". */
export type CommandState = "Queued" | "Sent" | "Answered" | "Failed" | "TimedOut" | "Expired" | "Cancelled"

/** A CALL that somebody asked a charge point to be sent. Request and confirmation are kept with secrets masked. */
export interface CommandRow {
  id: string
  organisationId: string
  chargePointId: string
  action: string
  /** JSON. */
  request: string
  state: CommandState
  requestedBy: string
  requestedAt: number
  /** After this instant a command still Sent is lost: its outcome is unknown. While Queued, the latest that may become. */
  deadlineAt: number
  /** Until when it may wait in the queue; null: it was never to wait. */
  expiresAt: number | null
  sentAt: number | null
  /** When it ended, whatever the end. */
  answeredAt: number | null
  /** JSON. */
  confirmation: string | null
  /** JSON `CommandError`. */
  error: string | null
  idempotencyKey: string | null
  /** Tells whether a repetition under the key wishes the same, unmasked secrets included; null without a key. */
  requestDigest: string | null
  nodeId: string | null
}

/** What a Queued command will send, sealed; gone once the command is no longer Queued. */
export interface SealedRequestRow {
  commandId: string
  organisationId: string
  sealed: string
}

/** Why a command ended without a confirmation. */
export interface CommandError {
  code:
    "Offline" | "Timeout" | "CallError" | "Lost" | "Unavailable" | "InvalidConfirmation" | "Disconnected" | "Deleted"
  /** The OCPP error code of a CALLERROR. */
  callErrorCode?: string
  description: string
}

/** A configuration key as the charge point last reported it or accepted it. OCPP 1.6 §7.29. */
export interface ConfigurationKeyRow {
  organisationId: string
  chargePointId: string
  key: string
  value: string | null
  readonly: boolean
  /** False: asked for and answered in unknownKey. */
  known: boolean
  /** True while a ChangeConfiguration answered RebootRequired waits for the next BootNotification. */
  rebootRequired: boolean
  reportedAt: number
}

/** A notification that is kept as it came: firmware, diagnostics, log and security reports, data transfers. */
export interface ReportRow {
  id: string
  organisationId: string
  chargePointId: string
  action: string
  /** JSON, the request. */
  payload: string
  receivedAt: number
}

/** Why a message about a transaction could not be taken at its word. StopBeforeStart alone was taken, and is only shown. */
export type StrayReason = "UnknownTransaction" | "OtherChargePoint" | "ConflictingStop" | "StopBeforeStart"

/** A transaction message that fits no transaction, or contradicts one: answered, kept, shown; it changes nothing else. */
export interface StrayMessageRow {
  /** Derived from charge point and content: a repetition is the same row. */
  id: string
  organisationId: string
  chargePointId: string
  action: string
  /** The transactionId that the message names. */
  transactionId: number
  reason: StrayReason
  /** JSON, the request. */
  payload: string
  receivedAt: number
}

/** A deviation from the standard, counted per kind and place. Written lazily: no fact depends on it. */
export interface DeviationRow {
  organisationId: string
  chargePointId: string
  kind: string
  /** Action and path of the field, or where in the handshake. */
  place: string
  example: string
  count: number
  firstAt: number
  lastAt: number
}

/** A frame on the wire with secrets masked. Written lazily, only where the log is on or watched, or something was wrong. */
export interface MessageRow {
  /** Assigned by the store, growing. */
  id: number
  organisationId: string
  chargePointId: string
  at: number
  direction: "FromChargePoint" | "ToChargePoint"
  messageType: "Call" | "CallResult" | "CallError" | "Unreadable"
  uniqueId: string | null
  action: string | null
  /** The frame's text. */
  text: string
}

/** What a token lets its bearer do; each role includes those before it. */
export type Role = "Viewer" | "Operator" | "Admin"

/** A bearer token of the API; only its hash is kept. */
export interface ApiTokenRow {
  id: string
  organisationId: string
  name: string
  role: Role
  tokenHash: string
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
}

/** The tenant to which everything belongs. */
export interface OrganisationRow {
  id: string
  name: string
  createdAt: number
}

/** The organisation of an installation that knows only one. */
export const DEFAULT_ORGANISATION_ID = "default"
