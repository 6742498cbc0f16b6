/**
 * What subscribers were told, held against what happened: the journal as it lies in the database, read past everything
 * that publishes it.
 */
import { SQL } from "bun"
import type { Event } from "../../src/facts/events.ts"
import { type AnyChange, Subscriber, type Subscription, TRANSPORTS, type Transport } from "./subscribers.ts"

type EventType = Event["type"]
type EventOf<Type extends EventType> = Extract<Event, { type: Type }>

interface Kind<Type extends EventType, Change extends AnyChange> {
  field: string
  selection: string
  /** How a subscription is narrowed to one charge point. */
  narrowedTo(identity: string): string
  /** A change in a line, which names what only one charge point has. */
  told(change: Change): string
  /** The same line, from the journal. */
  happened(event: EventOf<Type>, identity: string): string
  /** That line, where another type of event tells of such a change too; undefined where it does not. */
  toldBeside?(event: Event): string | undefined
}

export interface ChargePointChange extends AnyChange {
  chargePoint: { identity: string; online: boolean; registrationStatus: string }
  connector: { connectorId: number; info: string | null } | null
}
export interface TransactionChange extends AnyChange {
  transaction: { transactionId: number; state: string; energyWh: number | null }
}
export interface MeterValuesChange extends AnyChange {
  connectorId: number
  meterValues: { timestamp: string }[]
}
export interface CommandChange extends AnyChange {
  command: { idempotencyKey: string | null; state: string }
}

/** `EndInferred` as GraphQL spells it. */
const spelled = (word: string): string => word.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()

const line = (...parts: unknown[]): string => parts.map(String).join(" ")

const ChargePoint: Kind<"ChargePoint", ChargePointChange> = {
  field: "chargePointChanged",
  selection: "chargePoint { identity online registrationStatus } connector { connectorId info }",
  narrowedTo: (identity) => `filter: { identities: ["${identity}"] }`,
  told: ({ kind, chargePoint: { identity, online, registrationStatus }, connector }) =>
    line(identity, kind, online, registrationStatus, connector?.connectorId, connector?.info),
  happened: ({ kind, chargePoint: { identity, online, registrationStatus }, connector }) =>
    line(identity, spelled(kind), online, spelled(registrationStatus), connector?.connectorId, connector?.info),
}

const Transaction: Kind<"Transaction", TransactionChange> = {
  field: "transactionChanged",
  selection: "transaction { transactionId state energyWh }",
  narrowedTo: (identity) => `filter: { chargePoints: ["${identity}"] }`,
  told: ({ kind, transaction: { transactionId, state, energyWh } }) => line(transactionId, kind, state, energyWh),
  happened: ({ kind, transaction: { transactionId, state, energyWh } }) =>
    line(transactionId, spelled(kind), spelled(state), energyWh),
  toldBeside: (event) =>
    event.type === "MeterValues" && event.energy !== undefined
      ? line(event.transactionId, "UPDATED", "ACTIVE", event.energy.energyWh)
      : undefined,
}

const MeterValues: Kind<"MeterValues", MeterValuesChange> = {
  field: "meterValuesReceived",
  selection: "connectorId meterValues { timestamp }",
  narrowedTo: (identity) => `chargePoint: "${identity}"`,
  told: ({ connectorId, meterValues }) => line(connectorId, meterValues.map(({ timestamp }) => timestamp).sort()),
  happened: ({ connectorId, readings }) =>
    line(connectorId, readings.map(({ at }) => new Date(at).toISOString()).sort()),
}

const Command: Kind<"Command", CommandChange> = {
  field: "commandChanged",
  selection: "command { idempotencyKey state }",
  narrowedTo: (identity) => `chargePoint: "${identity}"`,
  told: ({ command: { idempotencyKey, state } }) => line(idempotencyKey, state),
  happened: ({ command: { idempotencyKey, state } }) => line(idempotencyKey, spelled(state)),
}

const kinds = { ChargePoint, Transaction, MeterValues, Command }

export const STORIES = ["ChargePoint", "Transaction", "MeterValues", "Command"] as const satisfies EventType[]
export type StoryType = (typeof STORIES)[number]
type ChangeOf<Type extends StoryType> = Parameters<(typeof kinds)[Type]["told"]>[0]

/** Somebody who follows one kind of change, of one charge point or of all. */
export class Listener<Type extends StoryType = StoryType> {
  readonly type: Type
  readonly identity: string | undefined
  readonly subscriber: Subscriber<ChangeOf<Type>>

  /** `more`: what else is asked of each change. */
  constructor(type: Type, options: { transport: Transport; token: string; identity?: string; more?: string }) {
    const { transport, token, identity, more = "" } = options
    const { field, selection, narrowedTo } = kinds[type]
    const subscription: Subscription = { field, selection: `${selection} ${more}` }
    if (identity !== undefined) subscription.args = narrowedTo(identity)
    this.type = type
    this.identity = identity
    this.subscriber = new Subscriber(transport, token, subscription)
  }

  /** What it was told so far, a line each. */
  get told(): string[] {
    const told = kinds[this.type].told as (change: ChangeOf<Type>) => string
    return this.subscriber.seen.map(told)
  }

  get name(): string {
    return `${kinds[this.type].field}(${this.identity ?? ""}) over ${this.subscriber.transport}`
  }
}

/** Several who listen; all are cut off in the end. */
export class Audience implements Disposable {
  readonly listeners: readonly Listener[]

  constructor(listeners: readonly Listener[]) {
    this.listeners = listeners
  }

  /** One for every kind of change over each transport. */
  static ofAll(token: string): Audience {
    return new Audience(
      STORIES.flatMap((type) => TRANSPORTS.map((transport) => new Listener(type, { transport, token }))),
    )
  }

  /** How connections ended that were not cut here. */
  get endings(): string[] {
    return this.listeners.flatMap(({ name, subscriber }) => subscriber.endings.map((ending) => `${name}: ${ending}`))
  }

  /** From now on whoever is told that something is away comes back to one of these nodes, as a front end does. */
  comesBack(urls: readonly string[]): Disposable {
    let tries = 0
    const coming = setInterval(() => {
      for (const { subscriber } of this.listeners) {
        if (subscriber.isConnected || subscriber.endings.at(-1) !== "UNAVAILABLE") continue
        subscriber.endings.pop()
        subscriber.resume(urls[tries++ % urls.length] ?? "")
      }
    }, 50)
    return { [Symbol.dispose]: () => clearInterval(coming) }
  }

  [Symbol.dispose](): void {
    for (const { subscriber } of this.listeners) subscriber.cut()
  }
}

/** The journal of one database, as far as it was written after a point in time. */
export class Journal implements AsyncDisposable {
  readonly #sql: SQL
  #from = 0
  #prefix = ""

  constructor(databaseUrl: string) {
    this.#sql = new SQL(databaseUrl, { max: 1 })
  }

  /** Only what is written from now on is of interest, and only charge points whose identity begins like this. */
  async begin(prefix = ""): Promise<void> {
    const [{ newest }] = await this.#sql`SELECT coalesce(max(id), 0)::int AS newest FROM journal`
    this.#from = newest
    this.#prefix = prefix
  }

  /** What happened, a line for each event. @throws Error where a version is missing */
  async read(type: StoryType, identity?: string): Promise<Happened> {
    const identities = new Map<string, string>()
    for (const { id, identity } of await this.#sql`SELECT id, identity FROM charge_points`) identities.set(id, identity)
    const rows: { id: number; events: string }[] = await this.#sql`SELECT id::int AS id, events FROM journal`
    const told = rows.flatMap(({ id, events }) => (JSON.parse(events) as Event[]).map((event) => ({ id, event })))
    const happened: Happened = { due: new Map(), elsewhere: new Set() }
    const happenedOf = kinds[type].happened as (event: Event, identity: string) => string
    const lineOf = (event: Event, identity: string) =>
      event.type === type ? happenedOf(event, identity) : kinds[type].toldBeside?.(event)
    for (const [subject, entries] of Map.groupBy(told, ({ event }) => event.subject)) {
      const name = identities.get(subject.replace("charge-point:", "")) ?? subject
      entries.sort((one, other) => one.event.version - other.event.version)
      const gap = entries.findIndex(({ event }, index) => event.version !== (entries[0]?.event.version ?? 0) + index)
      if (gap >= 0) throw new Error(`the journal has a gap in the story of ${name}`)
      const lines = (some: typeof entries) => some.flatMap(({ event }) => lineOf(event, name) ?? [])
      if (identity === undefined ? name.startsWith(this.#prefix) : name === identity)
        happened.due.set(name, lines(entries.filter(({ id }) => id > this.#from)))
      else for (const other of lines(entries)) happened.elsewhere.add(other)
    }
    return happened
  }

  /** How many unpublished rows there are. */
  async unpublished(): Promise<number> {
    const [{ count }] = await this.#sql`SELECT count(*)::int AS count FROM unpublished`
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.close()
  }
}

/** What happened: of each charge point of interest, in order, what is to be told; and what is nobody's concern. */
export interface Happened {
  due: Map<string, string[]>
  elsewhere: Set<string>
}

export interface Verdict {
  /** What must never be, in words. */
  faults: string[]
  /** How many lines are still to be told. */
  missing: number
}

/** Exactly once and in order means: of each charge point, what was told is the beginning of what happened. */
export function compare({ due, elsewhere }: Happened, told: readonly string[]): Verdict {
  const subjectOf = new Map([...due].flatMap(([subject, lines]) => lines.map((text) => [text, subject])))
  const toldOf = Map.groupBy(told, (text) => subjectOf.get(text))
  const unknown = (toldOf.get(undefined) ?? []).filter((text) => !elsewhere.has(text))
  const faults = unknown.map((text) => `told, but never happened: ${text}`)
  let missing = 0
  for (const [subject, lines] of due) {
    const heard = toldOf.get(subject) ?? []
    missing += Math.max(0, lines.length - heard.length)
    const wrong = heard.findIndex((text, index) => text !== lines[index])
    if (wrong >= 0) {
      const [is, was] = [heard[wrong] ?? "", lines[wrong]]
      const what = heard.indexOf(is) < wrong && was !== is ? "told twice, or out of order" : "told too early"
      faults.push(`${subject}, number ${wrong}: ${is} was ${what}; ${was ?? "nothing"} was due`)
    }
  }
  return { faults, missing }
}

/** Waits until the listener was told all that happened; what it must never be told fails at once. */
export async function complete(listener: Listener, journal: Journal): Promise<string[]> {
  const end = Date.now() + 60_000
  let heard = -1
  for (;;) {
    const told = listener.told
    if (told.length !== heard || Date.now() > end) {
      heard = told.length
      // In this order: whatever was told by then is in the journal.
      const { faults, missing } = compare(await journal.read(listener.type, listener.identity), told)
      if (faults.length > 0) return faults.slice(0, 5).map((fault) => `${listener.name}: ${fault}`)
      if (missing === 0) return []
      if (Date.now() > end) return [`${listener.name}: ${missing} of ${told.length + missing} were never told`]
    }
    await Bun.sleep(10)
  }
}
