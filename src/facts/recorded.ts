/**
 * Events as they are carried from the commit to those who follow: written as text once, beside it a head by which they
 * are looked up; read again only by who wants them.
 */
import { chargePointIdOf, chargePointSubject, type Event } from "./events.ts"

/** Type, organisation, subject, version, kind, charge point (null: the subject's), and what else the type is looked up by. */
type Head = readonly [Event["type"], string, string, number, string, string | null, (string | number | null)?]

/** The kind of MeterValues that tell a transaction's energy too. */
const WITH_ENERGY = "Energy"

/** The types of event as which something is told. */
const TYPES: { readonly [Type in Event["type"]]: readonly [Type] } = {
  ChargePoint: ["ChargePoint"],
  Transaction: ["Transaction"],
  MeterValues: ["MeterValues"],
  Command: ["Command"],
  FirmwareCampaign: ["FirmwareCampaign"],
}
const READINGS_AND_ENERGY = ["MeterValues", "Transaction"] as const

/** JSON holds no line break of its own, so that texts joined by one are found again without being read. */
const BETWEEN = ",\n"

/** Events written down together, as JSON lists: taken apart only by who wants less than all of them. */
class Written {
  readonly heads: string
  readonly texts: string
  readonly count: number
  readonly #lines: { heads?: string[]; texts?: string[] } = {}

  constructor(heads: string, texts: string, count: number) {
    this.heads = heads
    this.texts = texts
    this.count = count
  }

  line(of: "heads" | "texts", index: number): string {
    this.#lines[of] ??= this[of].slice(1, -1).split(BETWEEN)
    return this.#lines[of][index] ?? "null"
  }
}

/** One event and how to find it. */
export class RecordedEvent {
  readonly #head: Head
  readonly #written: Written
  readonly #index: number
  #event: Event | undefined

  /** The one with this index of those that were written down together. */
  constructor(head: Head, written: Written, index: number) {
    this.#head = head
    this.#written = written
    this.#index = index
  }

  /** The heads of events, or the events, as one JSON list. What was written down together and still is goes as it is. */
  static join(events: readonly RecordedEvent[], of: "heads" | "texts"): string {
    const parts: string[] = []
    for (let at = 0; at < events.length;) {
      const first = events[at]
      if (first === undefined) break
      const written = first.#written
      const isWhole = first.#leads(events, at)
      if (isWhole && written.count === events.length) return written[of]
      parts.push(isWhole ? written[of].slice(1, -1) : written.line(of, first.#index))
      at += isWhole ? written.count : 1
    }
    return `[${parts.join(BETWEEN)}]`
  }

  /** The event as JSON, in one line. */
  get text(): string {
    return this.#written.line("texts", this.#index)
  }

  /** The event itself, read from its text the first time somebody asks. */
  get event(): Event {
    this.#event ??= complete(JSON.parse(this.text) as Shortened)
    return this.#event
  }

  get type(): Event["type"] {
    return this.#head[0]
  }

  /** Its type, and what else it tells of: whoever follows transactions is concerned by the energy that comes with readings. */
  get types(): readonly Event["type"][] {
    return this.tellsEnergy ? READINGS_AND_ENERGY : TYPES[this.type]
  }

  /** Whether it is MeterValues with a transaction's energy. */
  get tellsEnergy(): boolean {
    return this.kind === WITH_ENERGY
  }

  get organisationId(): string {
    return this.#head[1]
  }

  get subject(): string {
    return this.#head[2]
  }

  get version(): number {
    return this.#head[3]
  }

  /** What happened; empty where the type says it. */
  get kind(): string {
    return this.#head[4]
  }

  /** Empty with type FirmwareCampaign. */
  get chargePointId(): string {
    return this.#head[5] ?? chargePointIdOf(this.subject)
  }

  /** With type ChargePoint. */
  get identity(): string | undefined {
    return this.#keyOf("ChargePoint")
  }

  /** With types Transaction and MeterValues, where there is one. */
  get transactionId(): number | undefined {
    const key = this.#head[6]
    return typeof key === "number" ? key : undefined
  }

  /** With type Command. */
  get commandId(): string | undefined {
    return this.#keyOf("Command")
  }

  /** With type FirmwareCampaign. */
  get campaignId(): string | undefined {
    return this.#keyOf("FirmwareCampaign")
  }

  /** Whether all that was written down together with it follows it in this list, from its own place on. */
  #leads(events: readonly RecordedEvent[], at: number): boolean {
    if (this.#index !== 0) return false
    for (let index = 1; index < this.#written.count; index++) {
      const event = events[at + index]
      if (event === undefined || event.#written !== this.#written || event.#index !== index) return false
    }
    return true
  }

  #keyOf(type: Event["type"]): string | undefined {
    const key = this.#head[6]
    return this.#head[0] === type && typeof key === "string" ? key : undefined
  }
}

/** One commit group's events, in order. */
export interface JournalEntry {
  /** The journal row; grows within one database, but rows of several nodes may commit out of order. */
  id: number
  events: readonly RecordedEvent[]
}

/** Writes an event down. */
export function record(event: Event): RecordedEvent {
  const { type, organisationId, subject, version } = event
  const [kind, chargePointId, key] = keysOf(event)
  const own = chargePointSubject(chargePointId) === subject ? null : chargePointId
  const head: Head = [type, organisationId, subject, version, kind, own, key]
  const written = new Written(`[${JSON.stringify(head)}]`, `[${JSON.stringify(shorten(event))}]`, 1)
  return new RecordedEvent(head, written, 0)
}

/** An event without what the rest of it says. */
type Shortened =
  Event | (Omit<Extract<Event, { type: "MeterValues" }>, "chargePointId"> & { chargePointId?: undefined })

function shorten(event: Event): Shortened {
  if (event.type !== "MeterValues" || event.subject !== chargePointSubject(event.chargePointId)) return event
  return { ...event, chargePointId: undefined }
}

function complete(event: Shortened): Event {
  if (event.type !== "MeterValues" || event.chargePointId !== undefined) return event
  return { ...event, chargePointId: chargePointIdOf(event.subject) }
}

function keysOf(event: Event): [kind: string, chargePointId: string, key: string | number | null] {
  switch (event.type) {
    case "ChargePoint":
      return [event.kind, event.chargePoint.id, event.chargePoint.identity]
    case "Transaction":
      return [event.kind, event.transaction.chargePointId, event.transaction.transactionId]
    case "MeterValues":
      return [event.energy === undefined ? "" : WITH_ENERGY, event.chargePointId, event.transactionId]
    case "Command":
      return ["", event.command.chargePointId, event.command.id]
    case "FirmwareCampaign":
      return [event.kind, "", event.campaign.id]
  }
}

/** The heads of events, as one JSON list. */
export const writeHeads = (events: readonly RecordedEvent[]): string => RecordedEvent.join(events, "heads")

/** The events, as one JSON list. */
export const writeTexts = (events: readonly RecordedEvent[]): string => RecordedEvent.join(events, "texts")

/** The events themselves, from what `writeTexts` has made of them. */
export const readEvents = (texts: string): Event[] => (JSON.parse(texts) as Shortened[]).map(complete)

/** Events from what `writeHeads` and `writeTexts` have made of them. */
export function readRecorded(heads: string, texts: string): RecordedEvent[] {
  const list: Head[] = JSON.parse(heads)
  const written = new Written(heads, texts, list.length)
  return list.map((head, index) => new RecordedEvent(head, written, index))
}
