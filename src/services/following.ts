/** Following what happens: the stream's events narrowed to what a subscriber asked for. */
import type { ChargePointState, Event } from "../facts/events.ts"
import { idTagKeyOf } from "../facts/id-tags.ts"
import type { ConnectorRow, MessageRow, MeterValueRow, TransactionRow } from "../facts/rows.ts"
import {
  type Bus,
  type ChargePointFilter,
  type EventStream,
  Lagging,
  type Store,
  type StreamEvent,
  type TransactionFilter,
} from "./ports.ts"
import type { Viewer } from "./viewer.ts"

type EventOf<Type extends Event["type"]> = Extract<Event, { type: Type }>

/** One event with the position that names it. */
export interface Told<Type extends Event["type"]> {
  cursor: string
  event: EventOf<Type>
}

/** An event about readings, with the readings themselves. */
export interface ToldReadings extends Told<"MeterValues"> {
  readings: MeterValueRow[]
}

/** Where to begin and when to end. */
export interface Span {
  /** Only what came after the event that this cursor names. */
  after?: string | undefined
  signal: AbortSignal
}

/** How many frames of a charge point may wait for a slow reader. */
const MAX_WAITING_MESSAGES = 1_000
/** How many events' readings are kept for those who are told of the same event. */
const REMEMBERED_EVENTS = 512

export class Following {
  readonly #stream: Pick<EventStream, "follow">
  readonly #bus: Pick<Bus, "watchMessages">
  readonly #store: Pick<Store, "read">
  readonly #readings = new Map<string, Promise<MeterValueRow[]>>()

  constructor({
    stream,
    bus,
    store,
  }: {
    stream: Pick<EventStream, "follow">
    bus: Pick<Bus, "watchMessages">
    store: Pick<Store, "read">
  }) {
    this.#stream = stream
    this.#bus = bus
    this.#store = store
  }

  /** Changes that leave the charge point within the filter. @throws CursorExpired, Lagging while it is read */
  chargePoints(viewer: Viewer, filter: ChargePointFilter, span: Span): AsyncIterable<Told<"ChargePoint">> {
    const wants = (event: Event) => event.type === "ChargePoint" && matchesChargePoint(event.chargePoint, filter)
    const changes = this.#follow("ChargePoint", viewer, wants, span)
    const { connectorStatus } = filter
    return connectorStatus === undefined ? changes : this.#withStatus(changes, connectorStatus)
  }

  /** @throws CursorExpired, Lagging while it is read */
  transactions(viewer: Viewer, filter: TransactionFilter, span: Span): AsyncIterable<Told<"Transaction">> {
    const matches = transactionMatcher(filter)
    return this.#follow(
      "Transaction",
      viewer,
      (event) => event.type === "Transaction" && matches(event.transaction),
      span,
    )
  }

  /** New readings with their values, which are loaded once per event on this node. @throws CursorExpired, Lagging */
  meterValues(
    viewer: Viewer,
    of: { chargePointId?: string | undefined; transactionId?: number | undefined },
    span: Span,
  ): AsyncIterable<ToldReadings> {
    const wants = (event: Event) =>
      event.type === "MeterValues" &&
      (of.chargePointId === undefined || event.chargePointId === of.chargePointId) &&
      (of.transactionId === undefined || event.transactionId === of.transactionId)
    return this.#withReadings(this.#follow("MeterValues", viewer, wants, span))
  }

  /** @throws CursorExpired, Lagging while it is read */
  commands(
    viewer: Viewer,
    of: { chargePointId?: string | undefined; commandId?: string | undefined },
    span: Span,
  ): AsyncIterable<Told<"Command">> {
    const wants = (event: Event) =>
      event.type === "Command" &&
      (of.chargePointId === undefined || event.command.chargePointId === of.chargePointId) &&
      (of.commandId === undefined || event.command.id === of.commandId)
    return this.#follow("Command", viewer, wants, span)
  }

  /** Every frame of the charge point from now on, whether its wire log is on or not. @throws Lagging while it is read */
  async *messages(chargePointId: string, signal: AbortSignal): AsyncGenerator<MessageRow, void> {
    const waiting: MessageRow[] = []
    let lagging = false
    let wake: () => void = () => undefined
    const onAbort = () => wake()
    signal.addEventListener("abort", onAbort)
    await using _watch = await this.#bus.watchMessages(chargePointId, (rows) => {
      lagging ||= waiting.length + rows.length > MAX_WAITING_MESSAGES
      if (!lagging) waiting.push(...rows)
      wake()
    })
    try {
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next) yield next
        else if (lagging) throw new Lagging("the frames came faster than they were read")
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort)
    }
  }

  /** The stream is joined in this call, not when the first change is asked for: nothing in between is missed. */
  #follow<Type extends Event["type"]>(
    type: Type,
    viewer: Viewer,
    wants: (event: Event) => boolean,
    { after, signal }: Span,
  ): AsyncIterable<Told<Type>> {
    const from = after === undefined ? { signal } : { after, signal }
    return onlyOf(type, this.#stream.follow(viewer.organisationId, wants, from))
  }

  async *#withReadings(changes: AsyncIterable<Told<"MeterValues">>): AsyncGenerator<ToldReadings, void> {
    for await (const told of changes) {
      const readings = await this.#readingsOf(told)
      // None are left where retention was faster than the reader.
      if (readings.length > 0) yield { ...told, readings }
    }
  }

  async *#withStatus(
    changes: AsyncIterable<Told<"ChargePoint">>,
    statuses: readonly string[],
  ): AsyncGenerator<Told<"ChargePoint">, void> {
    for await (const told of changes) {
      if (await this.#hasStatus(told.event, statuses)) yield told
    }
  }

  #readingsOf({ cursor, event }: Told<"MeterValues">): Promise<MeterValueRow[]> {
    const known = this.#readings.get(cursor)
    if (known !== undefined) return known
    const refs = event.readings.map((reading) => ({ chargePointId: event.chargePointId, ...reading }))
    const loading = this.#store.read.meterValuesByRefs(refs)
    this.#readings.set(cursor, loading)
    loading.catch(() => this.#readings.delete(cursor))
    const oldest = this.#readings.size > REMEMBERED_EVENTS ? this.#readings.keys().next() : undefined
    if (oldest?.done === false) this.#readings.delete(oldest.value)
    return loading
  }

  /** Whether a connector above 0 has one of these statuses; the one the event tells of counts as told. */
  async #hasStatus({ chargePoint, connector }: EventOf<"ChargePoint">, statuses: readonly string[]): Promise<boolean> {
    const has = ({ connectorId, status }: ConnectorRow) => connectorId > 0 && statuses.includes(status)
    if (connector && has(connector)) return true
    const stored = await this.#store.read.connectorsOf([chargePoint.id])
    return stored.some((row) => row.connectorId !== connector?.connectorId && has(row))
  }
}

const isOf = <Type extends Event["type"]>(event: Event, type: Type): event is EventOf<Type> => event.type === type

async function* onlyOf<Type extends Event["type"]>(
  type: Type,
  events: AsyncIterable<StreamEvent>,
): AsyncGenerator<Told<Type>, void> {
  for await (const { cursor, event } of events) {
    if (isOf(event, type)) yield { cursor, event }
  }
}

/** Whether the state is within the filter, connectors aside; as the store's lists see it. */
function matchesChargePoint(state: ChargePointState, filter: ChargePointFilter): boolean {
  const { identities, search, online, registrationStatus, vendor, model } = filter
  const contains = (text: string | null) => text?.toLowerCase().includes(search?.toLowerCase() ?? "") ?? false
  return (
    (identities === undefined || identities.includes(state.identity)) &&
    (online === undefined || state.online === online) &&
    (registrationStatus === undefined || state.registrationStatus === registrationStatus) &&
    (vendor === undefined || state.vendor === vendor) &&
    (model === undefined || state.model === model) &&
    (search === undefined || [state.identity, state.vendor, state.model, state.serialNumber].some(contains))
  )
}

function transactionMatcher(filter: TransactionFilter): (row: TransactionRow) => boolean {
  const { chargePointIds, connectorId, idTag, state, startedAfter, startedBefore } = filter
  const idTagKey = idTag === undefined ? undefined : idTagKeyOf(idTag)
  return (row) =>
    (chargePointIds === undefined || chargePointIds.includes(row.chargePointId)) &&
    (connectorId === undefined || row.connectorId === connectorId) &&
    (idTagKey === undefined || row.idTagKey === idTagKey) &&
    (state === undefined || state.includes(row.state)) &&
    (startedAfter === undefined || row.startedAt > startedAfter) &&
    (startedBefore === undefined || row.startedAt < startedBefore)
}
