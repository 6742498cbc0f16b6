/**
 * What others may follow: each event tells one fact about one subject, with the subject's version and the state as of
 * the event. Readings appear only as references; who needs their values loads them once. What they change of a running
 * transaction comes with them; see `running.ts` for the transaction as a whole.
 */
import type { Energy } from "./energy.ts"
import type {
  ChargePointRow,
  CommandRow,
  ConnectorRow,
  DiagnosticsRow,
  ReservationRow,
  TransactionRow,
} from "./rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "./rows-of-campaigns.ts"

/** What everybody may see of a charge point: its row without the password's hash. */
export type ChargePointState = Omit<ChargePointRow, "passwordHash">

/** The state of a charge point that an event may carry. */
export function chargePointState({ passwordHash: _, ...state }: ChargePointRow): ChargePointState {
  return state
}

/** What can change of a charge point and be asked for by a filter, its connectors aside. */
const NARROWING = ["online", "registrationStatus", "vendor", "model", "serialNumber"] as const

/** What an event changed of that by which charge points are narrowed, as it was before. */
export type ChargePointBefore = Partial<Pick<ChargePointRow, (typeof NARROWING)[number]>> & {
  connectorStatuses?: string[]
}

/** What of `row` that filters look at is another than it was; undefined where nothing is. */
export function chargePointBefore(was: ChargePointRow, row: ChargePointRow): ChargePointBefore | undefined {
  const changed = NARROWING.filter((field) => was[field] !== row[field])
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map((field) => [field, was[field]]))
}

/** What everybody may see of a request for diagnostics: its row without what stands for its link. */
export type DiagnosticsState = Omit<DiagnosticsRow, "tokenHash">

/** The state of a request for diagnostics that an event may carry. */
export function diagnosticsState({ tokenHash: _, ...state }: DiagnosticsRow): DiagnosticsState {
  return state
}

/** What everybody may see of a firmware campaign. */
export type CampaignState = Omit<FirmwareCampaignRow, "sealedLocation" | "idempotencyKey">

/** The state of a firmware campaign that an event may carry. */
export function campaignState({
  sealedLocation: _sealed,
  idempotencyKey: _key,
  ...state
}: FirmwareCampaignRow): CampaignState {
  return state
}

/** What happened to a firmware campaign; Progress: to one of its charge points. */
export type FirmwareCampaignChangeKind =
  "Created" | "Started" | "Progress" | "Paused" | "Resumed" | "Completed" | "Cancelled"

/** What happened to a charge point. */
export type ChargePointChangeKind =
  | "Created"
  | "Updated"
  | "Deleted"
  | "Booted"
  | "Online"
  | "Offline"
  | "ConnectorStatus"
  | "Configuration"
  | "LocalList"
  | "Reservation"
  | "ChargingProfiles"
  | "Report"
  | "Diagnostics"

/** What happened to a transaction. */
export type TransactionChangeKind = "Started" | "Updated" | "Stopped" | "EndInferred"

/** Names one stored reading, within its charge point and connector. */
export interface MeterValueRef {
  at: number
  digest: string
}

/** The part of an event that says what happened; `subject` and `version` are added by the store when it commits. */
export type EventBody =
  | {
      type: "ChargePoint"
      kind: ChargePointChangeKind
      chargePoint: ChargePointState
      /** The statuses of its connectors above 0, in order of connectorId. */
      connectorStatuses: string[]
      /** What filters look at and this event changed, as it was; absent where that is nothing, or there was nothing before. */
      before?: ChargePointBefore
      /** The connector that changed, with kind ConnectorStatus. */
      connector?: ConnectorRow
      /** The reservation that changed, with kind Reservation. */
      reservation?: ReservationRow
      /** The notification's action, with kind Report. */
      action?: string
      /** What was received, with kind Diagnostics. */
      diagnostics?: DiagnosticsState
    }
  | {
      type: "Transaction"
      kind: TransactionChangeKind
      transaction: TransactionRow
      /** The state that this event ended. */
      before?: Pick<TransactionRow, "state">
    }
  | {
      type: "MeterValues"
      chargePointId: string
      connectorId: number
      transactionId: number | null
      readings: MeterValueRef[]
      /**
       * The energy as of these readings, where they changed that of an Active transaction: to whoever follows
       * transactions this is its change of kind Updated. Of one that has ended in whatever way, an event of its own tells.
       */
      energy?: Energy
    }
  | { type: "Command"; command: CommandRow }
  | {
      type: "FirmwareCampaign"
      kind: FirmwareCampaignChangeKind
      campaign: CampaignState
      /** The charge point that has moved, with kind Progress. */
      chargePoint?: FirmwareCampaignChargePointRow
    }

/** An event as it lies in the journal and the stream. */
export type Event = EventBody & {
  organisationId: string
  /** Whose story this is: `charge-point:<id>`, `campaign:<id>`, or `organisation:<id>` for what belongs to neither. */
  subject: string
  /** 1 for the subject's first event, then 2, 3, … without a gap. */
  version: number
  /** When it was recorded, ms. */
  at: number
}

const CHARGE_POINT = "charge-point:"

/** The subject under which everything about a charge point is told. */
export const chargePointSubject = (chargePointId: string): string => CHARGE_POINT + chargePointId

/** The charge point that a subject is about; for subjects that `chargePointSubject` gave. */
export const chargePointIdOf = (subject: string): string => subject.slice(CHARGE_POINT.length)

/** The subject under which everything about a firmware campaign is told. */
export const campaignSubject = (campaignId: string): string => `campaign:${campaignId}`

/** The subject of what belongs to no charge point. */
export const organisationSubject = (organisationId: string): string => `organisation:${organisationId}`
