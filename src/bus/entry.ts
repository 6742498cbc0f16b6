/** Entries of the stream: the heads of some events, and their texts; see `facts/recorded.ts`. */
import { type RecordedEvent, readRecorded } from "../facts/recorded.ts"
import type { Interest, StreamEvent } from "../services/ports.ts"
import { writeCursor } from "./cursor.ts"

/** The fields of an entry. */
export const HEADS_FIELD = "heads"
export const TEXTS_FIELD = "texts"

/** One event of an entry; read in full only when somebody may want it, and then once for all of them. */
export class Told {
  readonly recorded: RecordedEvent
  readonly #cursor: () => string
  #item: StreamEvent | undefined

  constructor(recorded: RecordedEvent, cursor: () => string) {
    this.recorded = recorded
    this.#cursor = cursor
  }

  get item(): StreamEvent {
    this.#item ??= { cursor: this.#cursor(), event: this.recorded.event }
    return this.#item
  }

  /** Whether it is what somebody wants; `wants` is asked last. */
  isFor(interest: Interest): boolean {
    const { type, organisationId, chargePointId, identity, transactionId, commandId, campaignId } = this.recorded
    return (
      type === interest.type &&
      organisationId === interest.organisationId &&
      (interest.chargePointIds === undefined || interest.chargePointIds.includes(chargePointId)) &&
      (interest.identities === undefined || (identity !== undefined && interest.identities.includes(identity))) &&
      (interest.transactionId === undefined || interest.transactionId === transactionId) &&
      (interest.commandId === undefined || interest.commandId === commandId) &&
      (interest.campaignId === undefined || interest.campaignId === campaignId) &&
      (interest.wants?.(this.item.event) ?? true)
    )
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
