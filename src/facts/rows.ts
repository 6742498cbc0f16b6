/**
 * The facts as they lie on disk: one type per table, in the words of OCPP 1.6. Instants are epoch milliseconds (UTC),
 * energy is Wh, enum words are spelled as the standard spells them, flags are booleans (0/1 in SQL), and what a charge
 * point may say in many shapes is JSON. Every row carries its organisation.
 */
import type { ChargingProfilePurpose } from "../ocpp/types.ts"

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
  /** V, phase to neutral, as the operator states it; null: not stated. */
  voltageV: number | null
  /** How many phases it is supplied with, 1 to 3, as the operator states it; null: not stated. */
  phases: number | null
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

/**
 * What a charge point is believed to hold as its local authorization list. OCPP 1.6 §3.5. It changes by the charge
 * point's answers alone.
 */
export interface LocalListRow {
  chargePointId: string
  organisationId: string
  /** As last told or accepted; 0 an empty list, −1 none at all, null where nothing is known for sure. OCPP 1.6 §5.10. */
  listVersion: number | null
  /** The greatest version ever told or sent: the next one is greater. */
  highestVersion: number
  /** JSON `AuthorizationData[]` in order of idTag; null where they are not known. */
  entries: string | null
  /** When the charge point last told or accepted a version. */
  toldAt: number | null
  /** The newest answer to SendLocalList. */
  lastStatus: "Accepted" | "Failed" | "NotSupported" | "VersionMismatch" | null
  lastStatusAt: number | null
}

/** A charging profile that a charge point accepted and nothing has replaced or cleared since. OCPP 1.6 §5.16, §7.8. */
export interface ChargingProfileRow {
  /** The command that it came with. */
  commandId: string
  organisationId: string
  chargePointId: string
  /** 0: the charge point as a whole. null: that of a transaction yet to start, on whichever connector. */
  connectorId: number | null
  /** The transaction that a TxProfile belongs to; null while that is to come, and for other purposes. */
  transactionId: number | null
  /** The idTag whose transaction a TxProfile waits for, once it was accepted with a remote start. */
  idTagKey: string | null
  chargingProfileId: number
  chargingProfilePurpose: ChargingProfilePurpose
  stackLevel: number
  /** JSON `ChargingProfile`, as it was sent. */
  chargingProfile: string
  acceptedAt: number
}

/** A firmware image that charge points may fetch from Busbar; its bytes lie apart, under its id. */
export interface FirmwareImageRow {
  id: string
  organisationId: string
  /** For people. */
  name: string
  /** As the charge point is going to report it in BootNotification's firmwareVersion. */
  version: string
  /** The last part of its links. */
  fileName: string
  /** What it fits, as BootNotification says it; null: anything. */
  vendor: string | null
  model: string | null
  /** Bytes. */
  size: number
  /** 64 hex digits. */
  sha256: string
  createdAt: number
  createdBy: string
}

/** An UpdateFirmware that somebody asked for, and what is known of its progress. OCPP 1.6 §5.19, §4.5. */
export interface FirmwareUpdateRow {
  /** The command's id. */
  id: string
  organisationId: string
  chargePointId: string
  /** Our own image; null: the operator named a location. */
  firmwareImageId: string | null
  /** As sent, secrets masked. */
  location: string
  retrieveDate: number
  requestedAt: number
  /** Of the link's token; null: no link of ours. */
  tokenHash: string | null
  /** When the link ends. */
  expiresAt: number | null
  /** Requested: no answer known. Failed: not sent, or refused. */
  state: "Requested" | "Accepted" | "Failed"
  /** The status last notified, in the charge point's own word. */
  status: string | null
  statusAt: number | null
}

/** A GetDiagnostics that somebody asked for, and the file that came. OCPP 1.6 §5.9, §4.4. */
export interface DiagnosticsRow {
  /** The command's id. */
  id: string
  organisationId: string
  chargePointId: string
  /** As sent, secrets masked. */
  location: string
  requestedAt: number
  /** Of the link's token; null: the operator named a location, and no file comes to us. */
  tokenHash: string | null
  /** When the link ends. */
  expiresAt: number | null
  /**
   * Requested: no answer known. Failed: not sent, or refused. Nothing: answered without a file name. Expected: answered
   * with one. Receiving and Received: of an upload to us.
   */
  state: "Requested" | "Failed" | "Nothing" | "Expected" | "Receiving" | "Received"
  /** The name in GetDiagnostics.conf. */
  fileName: string | null
  /** The status last notified, in the charge point's own word. */
  status: string | null
  statusAt: number | null
  /** The upload that runs or was complete: the bytes lie under its id. */
  uploadId: string | null
  /** Until when the node that receives the upload has to be heard of. */
  leaseUntil: number | null
  /** The name under which the file was uploaded, where that said one. */
  receivedName: string | null
  /** Bytes. */
  size: number | null
  /** 64 hex digits. */
  sha256: string | null
  receivedAt: number | null
}

/**
 * Requested until the charge point answers; Active: it keeps the connector; Used by a transaction; Cancelled on request,
 * or because the connector can no longer be used; Expired; Refused: it never kept anything. OCPP 1.6 §3.11.
 */
export type ReservationState = "Requested" | "Active" | "Used" | "Cancelled" | "Expired" | "Refused"

/** A connector kept for somebody. OCPP 1.6 §5.13. */
export interface ReservationRow {
  id: string
  organisationId: string
  chargePointId: string
  /** The number on the wire; the newest of several with one number is the one that is meant. */
  reservationId: number
  /** 0: any connector of the charge point. */
  connectorId: number
  idTag: string
  idTagKey: string
  /** Its whole group may use the reservation. */
  parentIdTag: string | null
  expiryDate: number
  state: ReservationState
  /** In a word why it was refused or cancelled, where that is known: the charge point's status, or what went wrong. */
  endReason: string | null
  requestedBy: string
  requestedAt: number
  acceptedAt: number | null
  endedAt: number | null
  /** The transaction that used it. */
  transactionId: number | null
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
