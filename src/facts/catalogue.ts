/**
 * Every change by name: what goes in and what comes out. Inputs are plain data (they cross a thread), complete (ids and
 * instants are given, nothing is drawn inside) and already understood (OCPP's shapes, instants in epoch ms).
 */
import type { RequestOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"
import type { CampaignCatalogue } from "./catalogue-of-campaigns.ts"
import type { Change } from "./facts.ts"
import type { AlreadyExists, NotFound, Superseded } from "./outcomes.ts"
import type {
  ApiTokenRow,
  ChargePointRow,
  CommandError,
  CommandRow,
  ConfigurationKeyRow,
  IdTagRow,
  DiagnosticsRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  RegistrationStatus,
  SealedRequestRow,
  ReservationRow,
  StrayReason,
} from "./rows.ts"

type Request<Action extends keyof FromChargePoint> = RequestOf<FromChargePoint[Action]>

/** Where a message came from and when. */
export interface FromCaller {
  organisationId: string
  chargePointId: string
  /** The ownership the socket was opened under. */
  epoch: number
  receivedAt: number
}

/** idTagInfo with its instant still as ISO 8601, ready for the wire. OCPP 1.6 §7.27. */
export interface IdTagInfo {
  status: "Accepted" | "Blocked" | "Expired" | "Invalid" | "ConcurrentTx"
  expiryDate?: string
  parentIdTag?: string
}

export interface ChangeCatalogue extends CampaignCatalogue {
  /** The charge point introduced itself. OCPP 1.6 §4.2. Ends what a reboot ends (pending RebootRequired keys), no transaction. */
  reportBoot: [
    input: FromCaller & { request: Request<"BootNotification"> },
    outcome: { status: RegistrationStatus; heartbeatIntervalS: number | null } | Superseded,
  ]
  /** OCPP 1.6 §4.9. `statusAt` is the request's timestamp or the receipt. An equal report tells no event. */
  reportStatus: [
    input: FromCaller & { request: Request<"StatusNotification">; statusAt: number },
    outcome: { recorded: true } | Superseded,
  ]
  /**
   * OCPP 1.6 §4.8, design rule "said twice, counted once". `startKey` is computed by the service (transaction-key.ts).
   * A refused start gets an id and a row too.
   */
  startTransaction: [
    input: FromCaller & { request: Request<"StartTransaction">; startedAt: number; startKey: string },
    outcome: { transactionId: number; idTagInfo: IdTagInfo; repeated: boolean },
  ]
  /** OCPP 1.6 §4.10. `idTagInfo` only where the request names an idTag. Unknown, −1 and foreign ids are answered alike. */
  stopTransaction: [
    input: FromCaller & {
      request: Request<"StopTransaction">
      stoppedAt: number
      /** transactionData with instants parsed and digests computed (transaction-key.ts). */
      readings: Reading[]
    },
    outcome: { idTagInfo?: IdTagInfo; transactionId: number | null; stray?: StrayReason; repeated: boolean },
  ]
  /** OCPP 1.6 §4.7. Attaches readings without a known transaction where exactly one fits. */
  reportMeterValues: [
    input: FromCaller & { connectorId: number; transactionId: number | null; readings: Reading[] },
    outcome: { stored: number; transactionId: number | null; stray?: StrayReason },
  ]
  /** A notification kept as it came (DataTransfer, firmware, diagnostics, log, security). `id` is given. */
  report: [input: FromCaller & { id: string; action: string; payload: string }, outcome: { recorded: true }]
  /**
   * The socket is open and ours. Without an epoch of its own (Redis away) it takes the one after the row's, as that was
   * when the socket was admitted; whoever came in between is newer.
   */
  goOnline: [
    input: {
      organisationId: string
      chargePointId: string
      nodeId: string
      epoch: number | { after: number }
      at: number
    },
    outcome: { epoch: number } | Superseded | NotFound,
  ]
  /** The socket closed, or the charge point fell silent. */
  goOffline: [
    input: { organisationId: string; chargePointId: string; epoch: number; at: number; lastSeenAt: number | null },
    outcome: { recorded: true } | Superseded | NotFound,
  ]
  /**
   * Signs of life of one socket, written in bulk now and then; tells no event. `offline`: by the books the charge point
   * is gone, though this is its newest socket.
   */
  noteSeen: [
    input: { organisationId: string; chargePointId: string; epoch: number; lastSeenAt: number },
    outcome: { recorded: boolean; offline: boolean } | Superseded | NotFound,
  ]
  createChargePoint: [input: { chargePoint: ChargePointRow }, outcome: { chargePoint: ChargePointRow } | AlreadyExists]
  /** Only the given fields change. */
  updateChargePoint: [
    input: {
      organisationId: string
      chargePointId: string
      at: number
      change: Partial<
        Pick<
          ChargePointRow,
          | "registrationStatus"
          | "passwordHash"
          | "securityProfile"
          | "leniency"
          | "wireLog"
          | "heartbeatIntervalS"
          | "voltageV"
          | "phases"
        >
      >
    },
    outcome: { chargePoint: ChargePointRow } | NotFound,
  ]
  /**
   * Takes the charge point away with its connectors and configuration; transactions and readings stay as records, and
   * commands that waited for it are Cancelled.
   */
  deleteChargePoint: [
    input: { organisationId: string; chargePointId: string; at: number },
    outcome: { chargePoint: ChargePointRow } | NotFound,
  ]
  createIdTag: [input: { idTag: IdTagRow }, outcome: { idTag: IdTagRow } | AlreadyExists]
  updateIdTag: [
    input: {
      organisationId: string
      idTagKey: string
      change: Partial<Pick<IdTagRow, "status" | "parentIdTag" | "expiryDate" | "maxActiveTransactions" | "note">>
    },
    outcome: { idTag: IdTagRow } | NotFound,
  ]
  deleteIdTag: [input: { organisationId: string; idTagKey: string }, outcome: { idTag: IdTagRow } | NotFound]
  /**
   * A command takes its place in the books before its frame leaves (state Sent), or at once as ended (state Failed,
   * answeredAt set). With an idempotencyKey already used the stored command comes back and nothing is written.
   */
  recordCommand: [input: { command: CommandRow }, outcome: { command: CommandRow; repeated: boolean }]
  /**
   * A command begins to wait for its charge point; `request` is what it will send. `isFirst`: no earlier one waits there.
   * With an idempotencyKey already used the stored command comes back. At most QUEUE_LIMIT wait for one charge point.
   */
  queueCommand: [
    input: { command: CommandRow; request: SealedRequestRow },
    outcome: { command: CommandRow; repeated: boolean; isFirst: boolean } | { queueFull: true } | NotFound,
  ]
  /**
   * The one way from Queued to Sent, just before the frame leaves. Nothing is sent that is no longer Queued, has expired
   * (then it ends as that), has an earlier one before it, or is held by an older socket than the books know; and, if
   * acceptance is asked for, nothing to a charge point that is not accepted.
   */
  sendQueuedCommand: [
    input: {
      organisationId: string
      commandId: string
      chargePointId: string
      nodeId: string
      /** The ownership of the socket that the frame will leave by. */
      epoch: number
      needsAcceptance: boolean
      at: number
    },
    outcome: { command: CommandRow; isSent: boolean } | NotFound,
  ]
  /**
   * The frame of a command recorded as Sent certainly never left this node: the command waits again, in its old place. Where
   * a later wish was sent meanwhile its turn is over: it stays Sent, and ends with its deadline.
   */
  requeueCommand: [
    input: { organisationId: string; commandId: string; chargePointId: string; nodeId: string; at: number } & {
      request: SealedRequestRow
    },
    outcome: { command: CommandRow } | NotFound,
  ]
  /** A Queued command ends without having been sent: taken back, or (where its time is over) expired. */
  dropQueuedCommand: [
    input: {
      organisationId: string
      commandId: string
      chargePointId: string
      state: "Cancelled" | "Expired"
      at: number
    },
    outcome: { command: CommandRow; moved: boolean } | NotFound,
  ]
  /**
   * A Sent command ends. What a confirmation teaches is taken over in the same transaction: GetConfiguration's keys,
   * ChangeConfiguration's value. A command that has ended already stays as it is; a Queued one can only end as Failed.
   */
  endCommand: [
    input: {
      organisationId: string
      commandId: string
      chargePointId: string
      state: "Answered" | "Failed" | "TimedOut"
      at: number
      /** JSON with secrets masked. */
      confirmation: string | null
      error: CommandError | null
      configurationKeys: ConfigurationKeyRow[]
    },
    outcome: { command: CommandRow; moved: boolean } | NotFound,
  ]
  /**
   * Takes the next version for a list about to be sent: greater than all before, or the given one. What is sent in the end
   * is learnt from its answer.
   */
  takeListVersion: [
    input: { organisationId: string; chargePointId: string; listVersion: number | null },
    outcome: { listVersion: number } | NotFound,
  ]
  addFirmwareImage: [input: { firmwareImage: FirmwareImageRow }, outcome: { firmwareImage: FirmwareImageRow }]
  removeFirmwareImage: [
    input: { organisationId: string; firmwareImageId: string },
    outcome: { firmwareImage: FirmwareImageRow } | NotFound,
  ]
  /** An UpdateFirmware is about to be asked for: from now on its link, if it has one, opens the image. */
  requestFirmwareUpdate: [input: { firmwareUpdate: FirmwareUpdateRow }, outcome: { recorded: true }]
  /** A GetDiagnostics is about to be asked for: from now on its link, if it has one, takes the file. */
  requestDiagnostics: [input: { diagnostics: DiagnosticsRow }, outcome: { recorded: true }]
  /** The command of a requested transfer never came to be. */
  withdrawTransfer: [input: { chargePointId: string; commandId: string }, outcome: { recorded: true }]
  /** A file begins to arrive under an id of its own. Over: the link takes nothing. Spent: a file is there. Busy: one comes. */
  beginUpload: [
    input: { chargePointId: string; diagnosticsId: string; uploadId: string; at: number; leaseUntil: number },
    outcome: { diagnostics: DiagnosticsRow } | { refused: "Over" | "Spent" | "Busy" },
  ]
  /** The file is still arriving. Not held: another upload took its place. */
  keepUpload: [
    input: { chargePointId: string; diagnosticsId: string; uploadId: string; leaseUntil: number },
    outcome: { held: boolean },
  ]
  /** The file is complete (`received`), or will not become so. */
  endUpload: [
    input: {
      chargePointId: string
      diagnosticsId: string
      uploadId: string
      at: number
      received: { name: string | null; size: number; sha256: string } | null
    },
    outcome: { held: boolean },
  ]
  /**
   * A reservation takes its place in the books under the id of its command, and its number where none is given, before
   * the charge point is asked.
   * What becomes of it is learnt from the answers to ReserveNow and CancelReservation, and from transactions.
   */
  requestReservation: [
    input: Omit<
      ReservationRow,
      "reservationId" | "state" | "endReason" | "acceptedAt" | "endedAt" | "transactionId"
    > & { reservationId: number | null },
    outcome: { reservation: ReservationRow } | NotFound,
  ]
  /** The command it was taken into the books for never came to be: it is Refused, for this reason. */
  withdrawReservation: [
    input: { organisationId: string; chargePointId: string; id: string; reason: string; at: number },
    outcome: { withdrawn: boolean },
  ]
  /** Its time is over by `at`; one that has ended, or whose time has not come, stays as it is. */
  expireReservation: [
    input: { organisationId: string; chargePointId: string; id: string; at: number },
    outcome: { expired: boolean },
  ]
  createApiToken: [input: { apiToken: ApiTokenRow }, outcome: { apiToken: ApiTokenRow } | AlreadyExists]
  revokeApiToken: [
    input: { organisationId: string; apiTokenId: string; at: number },
    outcome: { apiToken: ApiTokenRow } | NotFound,
  ]
}

/** A MeterValue ready to be stored. */
export interface Reading {
  digest: string
  at: number
  /** JSON `SampledValue[]`. */
  sampledValues: string
  /** Energy.Active.Import.Register of the connector as a whole, normalised to Wh, where the reading has one. */
  registerWh: number | null
  /** Power.Active.Import of the connector as a whole, in W, where the reading has one. */
  powerW: number | null
}

export type ChangeName = keyof ChangeCatalogue
export type InputOf<Name extends ChangeName> = ChangeCatalogue[Name][0]
export type OutcomeOf<Name extends ChangeName> = ChangeCatalogue[Name][1]
/** The rule of one change. */
export type ChangeOf<Name extends ChangeName> = Change<InputOf<Name>, OutcomeOf<Name>>
