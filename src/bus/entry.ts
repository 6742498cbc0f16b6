/** Entries of the stream: beside every event a head, which says who may want it without reading the event itself. */
import type { Event } from "../facts/events.ts"
import type { Interest, StreamEvent } from "../services/ports.ts"
import { writeCursor } from "./cursor.ts"

/** What can be looked up of an event. */
export interface Head {
  type: Event["type"]
  organisationId: string
  subject: string
  version: number
  /** Empty with type FirmwareCampaign. */
  chargePointId: string
  /** With type ChargePoint. */
  identity: string | undefined
  /** With types Transaction and MeterValues, where there is one. */
  transactionId: number | undefined
  /** With type Command. */
  commandId: string | undefined
  /** With type FirmwareCampaign. */
  campaignId: string | undefined
}

/** As the entry holds it; the last word means what the type says. */
type HeadText = [Event["type"], string, string, number, string, (string | number | null)?]

/** The field under which the stream keeps the event; no two events have the same. */
export function writeHead(event: Event): string {
  const { type, organisationId, subject, version } = event
  return JSON.stringify([type, organisationId, subject, version, ...keysOf(event)] satisfies HeadText)
}

function keysOf(event: Event): [string, string | number | null] {
  switch (event.type) {
    case "ChargePoint":
      return [event.chargePoint.id, event.chargePoint.identity]
    case "Transaction":
      return [event.transaction.chargePointId, event.transaction.transactionId]
    case "MeterValues":
      return [event.chargePointId, event.transactionId]
    case "Command":
      return [event.command.chargePointId, event.command.id]
    case "FirmwareCampaign":
      return ["", event.campaign.id]
  }
}

function readHead(text: string): Head {
  const [type, organisationId, subject, version, chargePointId, key] = JSON.parse(text) as HeadText
  return {
    type,
    organisationId,
    subject,
    version,
    chargePointId,
    identity: type === "ChargePoint" && typeof key === "string" ? key : undefined,
    transactionId: typeof key === "number" ? key : undefined,
    commandId: type === "Command" && typeof key === "string" ? key : undefined,
    campaignId: type === "FirmwareCampaign" && typeof key === "string" ? key : undefined,
  }
}

/** One event of an entry; read in full only when somebody may want it, and then once for all of them. */
export class Told {
  readonly head: Head
  readonly #cursor: () => string
  readonly #text: string
  #item: StreamEvent | undefined

  constructor(head: Head, text: string, cursor: () => string) {
    this.head = head
    this.#text = text
    this.#cursor = cursor
  }

  get item(): StreamEvent {
    this.#item ??= { cursor: this.#cursor(), event: JSON.parse(this.#text) as Event }
    return this.#item
  }

  /** Whether it is what somebody wants; `wants` is asked last. */
  isFor(interest: Interest): boolean {
    const { type, organisationId, chargePointId, identity, transactionId, commandId, campaignId } = this.head
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
  const heads = Object.keys(message).filter((field) => field.startsWith("["))
  const told = heads.map((head, index) => {
    const cursor = () => writeCursor({ generation, entryId: id, index })
    return new Told(readHead(head), message[head] ?? "", cursor)
  })
  return { id, told, lastIndex: Math.max(0, told.length - 1) }
}
