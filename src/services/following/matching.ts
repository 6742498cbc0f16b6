/** Whether what an event tells of lies within a filter, after it and before it. */
import type { Event } from "../../facts/events.ts"
import { idTagKeyOf } from "../../facts/id-tags.ts"
import type { ChargePointRow, TransactionRow } from "../../facts/rows.ts"
import type { ChargePointFilter, TransactionFilter } from "../ports.ts"

export type EventOf<Type extends Event["type"]> = Extract<Event, { type: Type }>

export const isOf = <Type extends Event["type"]>(event: Event, type: Type): event is EventOf<Type> =>
  event.type === type

/** A filter over the events of one type. */
export interface Matcher<Type extends Event["type"]> {
  /** Whether the thing is within after the event. */
  holds(event: EventOf<Type>): boolean
  /** Whether it is within after the event, or was before it. */
  concerns(event: EventOf<Type>): boolean
}

type Narrowed = Pick<ChargePointRow, "identity" | "online" | "registrationStatus" | "vendor" | "model" | "serialNumber">

/** As the store's lists see it. */
export function chargePointMatcher(filter: ChargePointFilter): Matcher<"ChargePoint"> {
  const { identities, online, registrationStatus, connectorStatus, vendor, model } = filter
  const search = filter.search?.toLowerCase()
  const contains = (text: string | null) => text?.toLowerCase().includes(search ?? "") ?? false
  const matches = (state: Narrowed, statuses: readonly string[]) =>
    (identities === undefined || identities.includes(state.identity)) &&
    (online === undefined || state.online === online) &&
    (registrationStatus === undefined || state.registrationStatus === registrationStatus) &&
    (vendor === undefined || state.vendor === vendor) &&
    (model === undefined || state.model === model) &&
    (search === undefined || [state.identity, state.vendor, state.model, state.serialNumber].some(contains)) &&
    (connectorStatus === undefined || statuses.some((status) => connectorStatus.includes(status)))
  const holds = ({ kind, chargePoint, connectorStatuses }: EventOf<"ChargePoint">) =>
    kind !== "Deleted" && matches(chargePoint, connectorStatuses)
  const held = ({ kind, chargePoint, connectorStatuses, before }: EventOf<"ChargePoint">) =>
    kind !== "Created" && matches({ ...chargePoint, ...before }, before?.connectorStatuses ?? connectorStatuses)
  return { holds, concerns: (event) => holds(event) || held(event) }
}

/** As the store's lists see it. */
export function transactionMatcher(filter: TransactionFilter): Matcher<"Transaction"> {
  const { chargePointIds, connectorId, idTag, state, startedAfter, startedBefore } = filter
  const idTagKey = idTag === undefined ? undefined : idTagKeyOf(idTag)
  const matches = (row: TransactionRow) =>
    (chargePointIds === undefined || chargePointIds.includes(row.chargePointId)) &&
    (connectorId === undefined || row.connectorId === connectorId) &&
    (idTagKey === undefined || row.idTagKey === idTagKey) &&
    (state === undefined || state.includes(row.state)) &&
    (startedAfter === undefined || row.startedAt > startedAfter) &&
    (startedBefore === undefined || row.startedAt < startedBefore)
  const holds = ({ transaction }: EventOf<"Transaction">) => matches(transaction)
  const held = ({ transaction, before }: EventOf<"Transaction">) =>
    before !== undefined && matches({ ...transaction, ...before })
  return { holds, concerns: (event) => holds(event) || held(event) }
}
