/**
 * What others may follow: each event tells one fact about one subject, with the subject's version and the state as of
 * the event. Readings appear only as references; who needs their values loads them once.
 */
import type { ChargePointRow, CommandRow, ConnectorRow, TransactionRow } from "./rows.ts"

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

/** What happened to a charge point. */
export type ChargePointChangeKind =
  "Created" | "Updated" | "Deleted" | "Booted" | "Online" | "Offline" | "ConnectorStatus" | "Configuration" | "Report"

/** What happened to a transaction. */
export type TransactionChangeKind = "Started" | "Updated" | "Stopped" | "EndInferred"

/** Names one stored reading. */
export interface MeterValueRef {
  at: number
  connectorId: number
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
      /** The notification's action, with kind Report. */
      action?: string
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
    }
  | { type: "Command"; command: CommandRow }

/** An event as it lies in the journal and the stream. */
export type Event = EventBody & {
  organisationId: string
  /** Whose story this is: `charge-point:<id>`, or `organisation:<id>` for what belongs to no charge point. */
  subject: string
  /** 1 for the subject's first event, then 2, 3, … without a gap. */
  version: number
  /** When it was recorded, ms. */
  at: number
}

/** One commit group's events, in order. */
export interface JournalEntry {
  /** The journal row; grows within one database, but rows of several nodes may commit out of order. */
  id: number
  events: Event[]
}

/** The subject under which everything about a charge point is told. */
export const chargePointSubject = (chargePointId: string): string => `charge-point:${chargePointId}`

/** The subject of what belongs to no charge point. */
export const organisationSubject = (organisationId: string): string => `organisation:${organisationId}`
