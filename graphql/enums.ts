/** The words of the operations and of what Busbar itself tells, with their meanings. Those of a charge are in enums-of-charging.ts. */
import type { ChargePointChangeKind, TransactionChangeKind } from "../src/facts/events.ts"
import type {
  CommandState,
  EnergyNote,
  Leniency,
  MessageRow,
  RegistrationStatus,
  Role,
  StoredIdTagStatus,
  StrayReason,
  TransactionState,
} from "../src/facts/rows.ts"
import type { SnapshotKind } from "../src/services/following/story.ts"
import { words } from "./words.ts"

type Meanings<Word extends string> = Record<Word, string>

/** What a subscription that begins with a snapshot tells first. */
export const SNAPSHOT_KINDS = {
  Snapshot: "It is there: a part of the snapshot that was asked for.",
  SnapshotEnd: "That was all that is there; what follows are changes behind this cursor.",
}

export const RegistrationStatusWords = words(
  "RegistrationStatus",
  "Whether a charge point may take part; it belongs to the identity and outlives every connection. OCPP 1.6 §7.38.",
  {
    Accepted: "It takes part.",
    Pending: "It has to wait; only what is asked of it is answered.",
    Rejected: "It may only ask again later.",
  } satisfies Meanings<RegistrationStatus>,
)

export const LeniencyWords = words("Leniency", "What deviations from the standard meet.", {
  strict: "What the official schema refuses is refused.",
  tolerant: "What can be understood is understood, and the deviation recorded.",
} satisfies Meanings<Leniency>)

export const RoleWords = words("Role", "What a token lets its bearer do; each role includes those before it.", {
  Viewer: "Sees everything of the organisation.",
  Operator: "Also commands charge points and keeps charge points and idTags.",
  Admin: "Also keeps API tokens.",
} satisfies Meanings<Role>)

export const IdTagStatusWords = words("IdTagStatus", "What is stored about an idTag. OCPP 1.6 §7.2.", {
  Accepted: "It may charge, until its expiry date if it has one.",
  Blocked: "It is blocked.",
  Expired: "Its time is over.",
  Invalid: "It is known, and may not charge.",
} satisfies Meanings<StoredIdTagStatus>)

export const TransactionStateWords = words("TransactionState", "Where a transaction stands.", {
  Active: "Started; no end is known.",
  Ended: "The charge point told its end.",
  EndedInferred: "It must be over, as a newer one runs on its connector; the charge point's own word replaces this.",
} satisfies Meanings<TransactionState>)

export const EnergyNoteWords = words("EnergyNote", "Something odd about the energy register of a transaction.", {
  RegisterRestarted: "The register began anew; energy before and after is added up.",
  RegisterRanBackwards: "The register fell without beginning anew; the fall is not counted.",
  StopBelowStart: "meterStop is below meterStart.",
  NoRegister: "No register reading could be used.",
} satisfies Meanings<EnergyNote>)

export const CommandStateWords = words("CommandState", "Where a command stands.", {
  Queued: "Waits for the charge point to be online and accepted.",
  Sent: "On its way to the charge point; no answer yet.",
  Answered: "The charge point answered with a confirmation.",
  Failed: "It did not leave, or the charge point answered with an error.",
  TimedOut: "No answer came in time: the outcome is unknown.",
  Expired: "Its time was over before it could be sent.",
  Cancelled: "It was taken back before it was sent.",
} satisfies Meanings<CommandState>)

export const WhenOfflineWords = words("WhenOffline", "What becomes of an operation whose charge point is away.", {
  Fail: "It fails at once, and nothing is sent later.",
  Queue: "It waits until the charge point is online and accepted, behind those that wait already.",
})

export const StrayReasonWords = words(
  "StrayReason",
  "Why a message about a transaction could not be taken at its word.",
  {
    UnknownTransaction: "No such transaction is known.",
    OtherChargePoint: "The transaction belongs to another charge point.",
    ConflictingStop: "The transaction was stopped before, with other content.",
    StopBeforeStart: "It would end before it began.",
  } satisfies Meanings<StrayReason>,
)

export const MessageDirectionWords = words("MessageDirection", "Who sent a frame.", {
  FromChargePoint: "The charge point.",
  ToChargePoint: "The central system.",
} satisfies Meanings<MessageRow["direction"]>)

export const MessageTypeWords = words("MessageType", "What a frame is. OCPP-J 1.6 §4.2.", {
  Call: "A request.",
  CallResult: "The confirmation of a request.",
  CallError: "The refusal of a request.",
  Unreadable: "Not a frame of OCPP-J.",
} satisfies Meanings<MessageRow["messageType"]>)

export const ChargePointChangeKindWords = words("ChargePointChangeKind", "What happened to a charge point.", {
  Created: "It was announced.",
  Updated: "Its settings were changed.",
  Deleted: "It was taken away.",
  Booted: "It introduced itself with BootNotification.",
  Online: "Its socket is open.",
  Offline: "Its socket is closed, or it fell silent.",
  ConnectorStatus: "One of its connectors has another status.",
  Configuration: "What is known of its configuration changed.",
  LocalList: "What it is believed to hold as its local list changed.",
  ChargingProfiles: "What it is believed to hold as charging profiles changed.",
  Reservation: "One of its reservations has another state.",
  Report: "It sent a notification that is kept as it came.",
  Diagnostics: "It uploaded its diagnostics.",
  ...SNAPSHOT_KINDS,
} satisfies Meanings<ChargePointChangeKind | SnapshotKind>)

export const TransactionChangeKindWords = words("TransactionChangeKind", "What happened to a transaction.", {
  Started: "It began.",
  Updated: "Its energy or another detail changed.",
  Stopped: "The charge point told its end.",
  EndInferred: "It was concluded to be over.",
  ...SNAPSHOT_KINDS,
} satisfies Meanings<TransactionChangeKind | SnapshotKind>)

export const MeterValuesChangeKindWords = words("MeterValuesChangeKind", "What happened to readings.", {
  Received: "They were stored for the first time.",
  ...SNAPSHOT_KINDS,
})

export const CommandChangeKindWords = words("CommandChangeKind", "What happened to a command.", {
  Changed: "It has the state that is shown.",
  ...SNAPSHOT_KINDS,
})

export const MessageChangeKindWords = words("MessageChangeKind", "What happened on the wire.", {
  Exchanged: "A frame was received or sent.",
  ...SNAPSHOT_KINDS,
})

export const FleetChangeKindWords = words("FleetChangeKind", "What happened to the fleet's sums.", {
  Changed: "At least one of them is another.",
  ...SNAPSHOT_KINDS,
})

export const AvailabilityTypeWords = words("AvailabilityType", "OCPP 1.6 §7.3.", {
  Inoperative: "Not available for charging.",
  Operative: "Available for charging.",
})

export const ResetTypeWords = words("ResetType", "OCPP 1.6 §7.40.", {
  Hard: "Restart at once; transactions are ended if possible.",
  Soft: "End transactions gracefully, then restart.",
})

const doneOrNot = { Accepted: "The charge point does it.", Rejected: "The charge point does not do it." }

export const AvailabilityStatusWords = words("AvailabilityStatus", "OCPP 1.6 §7.4.", {
  ...doneOrNot,
  Scheduled: "It happens when the running transaction has ended.",
})

export const ConfigurationStatusWords = words("ConfigurationStatus", "OCPP 1.6 §7.22.", {
  ...doneOrNot,
  RebootRequired: "The value is set and counts after a reboot.",
  NotSupported: "The charge point does not know the key.",
})

export const ClearCacheStatusWords = words("ClearCacheStatus", "OCPP 1.6 §7.20.", doneOrNot)
export const RemoteStartStopStatusWords = words("RemoteStartStopStatus", "OCPP 1.6 §7.39.", doneOrNot)
export const ResetStatusWords = words("ResetStatus", "OCPP 1.6 §7.41.", doneOrNot)

export const DataTransferStatusWords = words("DataTransferStatus", "OCPP 1.6 §7.23.", {
  ...doneOrNot,
  UnknownMessageId: "The vendor is known, the messageId is not.",
  UnknownVendorId: "The vendorId is not known.",
})

export const UnlockStatusWords = words("UnlockStatus", "OCPP 1.6 §7.46.", {
  Unlocked: "The connector is unlocked.",
  UnlockFailed: "The connector could not be unlocked.",
  NotSupported: "There is no lock, or no such connector.",
})

export const MessageTriggerWords = words("MessageTrigger", "OCPP 1.6 §7.33.", {
  BootNotification: "BootNotification.",
  DiagnosticsStatusNotification: "DiagnosticsStatusNotification.",
  FirmwareStatusNotification: "FirmwareStatusNotification.",
  Heartbeat: "Heartbeat.",
  MeterValues: "MeterValues.",
  StatusNotification: "StatusNotification.",
})

export const TriggerMessageStatusWords = words("TriggerMessageStatus", "OCPP 1.6 §7.44.", {
  Accepted: "The message will come.",
  Rejected: "It will not come.",
  NotImplemented: "The charge point cannot send it on request.",
})
