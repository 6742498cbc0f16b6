/** Entries of the stream: the heads of some events, and their texts; see `facts/recorded.ts`. */
import type { Event } from "../facts/events.ts"
import { type RecordedEvent, readRecorded, writeHeads, writeTexts } from "../facts/recorded.ts"
import type { TransactionRow } from "../facts/rows.ts"
import { transactionUpdated } from "../facts/running.ts"
import type { Interest, StreamEvent } from "../services/ports.ts"
import { type Position, writeCursor } from "./cursor.ts"

/** The fields of an entry: heads and texts, or both in one, packed. */
const HEADS_FIELD = "heads"
const TEXTS_FIELD = "texts"
const PACKED_FIELD = "packed"
/** The field beside its id in the order of entries: who has appended it, as which of its own. */
export const ORIGIN_FIELD = "origin"

/** Events that lie together say much the same; of fewer characters the packing costs more than it saves. */
const PACKED_FROM = 8_192
/** Stands in no JSON, and so between two of them. */
const BETWEEN = "\n\n"

/**
 * One event of an entry; read in full only when somebody may want it, and then once for all of them. Readings that tell
 * a transaction's energy are told to those who follow transactions as well, once `complete` was called.
 */
export class Told {
  readonly recorded: RecordedEvent
  readonly #position: Position
  #item: StreamEvent | undefined
  /** The transaction as it started; null where there is none. */
  #started: TransactionRow | null | undefined
  #change: StreamEvent | undefined

  constructor(recorded: RecordedEvent, position: Position) {
    this.recorded = recorded
    this.#position = position
  }

  get item(): StreamEvent {
    this.#item ??= { cursor: writeCursor(this.#position), event: this.recorded.event }
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

/** An entry of the stream, read. What begins a generation is an entry without events. */
export class Entry {
  readonly id: string
  readonly events: readonly RecordedEvent[]
  readonly #generation: string
  #told: Told[] | undefined

  constructor(generation: string, id: string, events: readonly RecordedEvent[]) {
    this.#generation = generation
    this.id = id
    this.events = events
  }

  /** Its events for those who follow; nobody may. */
  get told(): readonly Told[] {
    this.#told ??= this.events.map(
      (event, index) => new Told(event, { generation: this.#generation, entryId: this.id, index }),
    )
    return this.#told
  }

  /** Place of the last event; 0 also where there is none. */
  get lastIndex(): number {
    return Math.max(0, this.events.length - 1)
  }
}

/** The fields of an entry with these events. */
export function fieldsOf(events: readonly RecordedEvent[]): Record<string, string> {
  const [heads, texts] = [writeHeads(events), writeTexts(events)]
  if (heads.length + texts.length < PACKED_FROM) return { [HEADS_FIELD]: heads, [TEXTS_FIELD]: texts }
  const packed = Bun.zstdCompressSync(heads + BETWEEN + texts, { level: 1 })
  return { [PACKED_FIELD]: packed.toString("base64") }
}

/** Reads an entry as Redis gives it. */
export function readEntry(generation: string, id: string, message: Readonly<Record<string, string>>): Entry {
  const { [HEADS_FIELD]: heads = "[]", [TEXTS_FIELD]: texts = "[]", [PACKED_FIELD]: packed } = message
  return new Entry(generation, id, packed === undefined ? readRecorded(heads, texts) : unpack(packed))
}

function unpack(packed: string): RecordedEvent[] {
  const [heads = "[]", texts = "[]"] = Bun.zstdDecompressSync(Buffer.from(packed, "base64")).toString().split(BETWEEN)
  return readRecorded(heads, texts)
}
