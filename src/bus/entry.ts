/** Entries of the stream: the heads of some events, and their texts; see `facts/recorded.ts`. */
import type { Event } from "../facts/events.ts"
import { type RecordedEvent, readRecorded } from "../facts/recorded.ts"
import type { TransactionRow } from "../facts/rows.ts"
import { transactionUpdated } from "../facts/running.ts"
import type { Interest, StreamEvent } from "../services/ports.ts"
import { writeCursor } from "./cursor.ts"

/** The fields of an entry. */
export const HEADS_FIELD = "heads"
export const TEXTS_FIELD = "texts"

/**
 * One event of an entry; read in full only when somebody may want it, and then once for all of them. Readings that tell
 * a transaction's energy are told to those who follow transactions as well, once `complete` was called.
 */
export class Told {
  readonly recorded: RecordedEvent
  readonly #cursor: () => string
  #item: StreamEvent | undefined
  /** The transaction as it started; null where there is none. */
  #started: TransactionRow | null | undefined
  #change: StreamEvent | undefined

  constructor(recorded: RecordedEvent, cursor: () => string) {
    this.recorded = recorded
    this.#cursor = cursor
  }

  get item(): StreamEvent {
    this.#item ??= { cursor: this.#cursor(), event: this.recorded.event }
    return this.#item
  }

  /** Whether its transaction has to be known before anybody who follows transactions can be told. */
  get isIncomplete(): boolean {
    return this.recorded.tellsEnergy && this.#started === undefined
  }

  /** `started`: the transaction as it started; undefined where there is none, and nothing is told of it. */
  complete(started: TransactionRow | undefined): void {
    this.#started = started ?? null
  }

  /** What somebody is to be told, who wants it; `wants` is asked last. */
  itemFor(interest: Interest): StreamEvent | undefined {
    if (!this.mayBeFor(interest)) return undefined
    const item = this.#as(interest.type)
    return item !== undefined && (interest.wants?.(item.event) ?? true) ? item : undefined
  }

  /** Whether it is what somebody may want by all that it is looked up by. */
  mayBeFor(interest: Interest): boolean {
    const { types, organisationId, chargePointId, identity, transactionId, commandId, campaignId } = this.recorded
    return (
      types.includes(interest.type) &&
      organisationId === interest.organisationId &&
      (interest.chargePointIds === undefined || interest.chargePointIds.includes(chargePointId)) &&
      (interest.identities === undefined || (identity !== undefined && interest.identities.includes(identity))) &&
      (interest.transactionId === undefined || interest.transactionId === transactionId) &&
      (interest.commandId === undefined || interest.commandId === commandId) &&
      (interest.campaignId === undefined || interest.campaignId === campaignId)
    )
  }

  #as(type: Event["type"]): StreamEvent | undefined {
    if (type === this.recorded.type) return this.item
    if (this.#change === undefined && this.#started) {
      const { cursor, event } = this.item
      const change = transactionUpdated(event, this.#started)
      if (change !== undefined) this.#change = { cursor, event: change }
    }
    return this.#change
  }
}

/** An entry of the stream, read. */
export interface Entry {
  id: string
  told: Told[]
  /** Place of the last event; 0 also where there is none. */
  lastIndex: number
}

/** Reads an entry as Redis gives it. What begins a generation is an entry without events. */
export function readEntry(generation: string, id: string, message: Readonly<Record<string, string>>): Entry {
  const recorded = readRecorded(message[HEADS_FIELD] ?? "[]", message[TEXTS_FIELD] ?? "[]")
  const told = recorded.map((one, index) => new Told(one, () => writeCursor({ generation, entryId: id, index })))
  return { id, told, lastIndex: Math.max(0, told.length - 1) }
}
