/** What the tests of the stream share: a journal in memory, nodes on one Redis, and somebody who writes down what is told. */
import { openEventStream, type EventStreamOptions, type StreamStore } from "../../src/bus/stream.ts"
import { type JournalEntry, record } from "../../src/facts/recorded.ts"
import type { TransactionRow } from "../../src/facts/rows.ts"
import { openRedis } from "../../src/redis/redis.ts"
import { type EventStream, type Interest, type StreamEvent, StoreUnavailable } from "../../src/services/ports.ts"
import { createClient } from "redis"
import { quietLog, systemClock } from "./support.ts"

/** A subject whose events are readings of the charge point of that name. */
export interface Told {
  subject: string
  organisationId?: string
  transactionId?: number
  /** The readings change the transaction's energy to this. */
  energyWh?: number
}

/** A row of the journal; `at` is when it was recorded, ms. */
interface Kept extends JournalEntry {
  at: number
  published: boolean
}

/** The part of a database that the stream leans on, shared by the nodes of a test. */
export class MemoryJournal implements StreamStore {
  entries: Kept[] = []
  readonly settings = new Map<string, string>()
  readonly #versions = new Map<string, number>()
  #rows = 0
  /** The transactions that the readings are of, and which of them were asked for, question by question. */
  readonly transactions = new Map<number, TransactionRow>()
  readonly asked: number[][] = []
  /** Whether the database cannot be asked for transactions. */
  isAway = false
  readonly read = {
    transactionsByIds: async (transactionIds: readonly number[]) => {
      this.asked.push([...transactionIds])
      if (this.isAway) throw new StoreUnavailable()
      return transactionIds.flatMap((id) => this.transactions.get(id) ?? [])
    },
  }

  /** Commits events: their versions follow those of their subjects. */
  commit(...bodies: Told[]): Kept {
    const at = Date.now()
    const events = bodies.map(({ subject, organisationId = "default", transactionId = null, energyWh }) => {
      const version = this.version(subject) + 1
      this.#versions.set(subject, version)
      return record({
        type: "MeterValues",
        chargePointId: subject,
        connectorId: 1,
        transactionId,
        readings: [],
        ...(energyWh !== undefined && {
          energy: { energyWh, energyNote: null, registerAt: at, registerWh: 1_000 + energyWh },
        }),
        organisationId,
        subject,
        version,
        at,
      })
    })
    const entry = { id: ++this.#rows, events, at, published: false }
    this.entries.push(entry)
    return entry
  }

  version(subject: string): number {
    return this.#versions.get(subject) ?? 0
  }

  /** The generation that the books name. */
  get generation(): string | undefined {
    return this.settings.get("stream.generation")?.split(" ")[0]
  }

  get isPublished(): boolean {
    return this.entries.every((entry) => entry.published)
  }

  async journalOf(subject: string, from: number, to: number) {
    const all = this.entries
      .flatMap((entry) => entry.events.map(({ event }) => event))
      .filter((event) => event.subject === subject)
    return all.filter(({ version }) => version >= from && version <= to)
  }

  async unpublished(limit: number, olderThan: number, afterId = 0, except: ReadonlySet<number> = new Set()) {
    const old = this.entries.filter(({ id, at }) => id > afterId && at <= olderThan && !except.has(id))
    return old.filter((entry) => !entry.published).slice(0, limit)
  }

  async firstUnpublished(atMost: number) {
    const ids = this.entries.filter((entry) => !entry.published).map(({ id }) => id)
    return ids.length > atMost ? (ids.at(-atMost) ?? 0) : 0
  }

  async markPublished(ids: readonly number[], { key, from, to }: { key: string; from: string; to: string }) {
    if (this.settings.get(key) !== from) return false
    this.settings.set(key, to)
    for (const entry of this.entries) if (ids.includes(entry.id)) entry.published = true
    return true
  }

  async toldVersions(sinceId: number) {
    const told = new Map(this.#versions)
    const untold = this.entries.filter(({ id, published }) => id >= sinceId && !published)
    for (const event of untold.flatMap(({ events }) => events).reverse()) told.set(event.subject, event.version - 1)
    return told
  }

  async prune({ journal = 0 }: { journal?: number }) {
    const before = this.entries.length
    this.entries = this.entries.filter(({ at }) => at >= journal)
    return before - this.entries.length
  }

  async setting(key: string) {
    return this.settings.get(key)
  }

  async putSetting(key: string, value: string) {
    this.settings.set(key, value)
  }
}

/** A node that reads and publishes; it marks what it has published without waiting for Redis's disk. */
export async function openNode(url: string, store: StreamStore, options: Partial<EventStreamOptions> = {}) {
  const redis = await openRedis({ url, dataDir: "", log: quietLog })
  const parts = { redis, store, clock: systemClock, log: quietLog, markEveryMs: 20 }
  const stream = await openEventStream({ ...parts, ...options })
  return {
    stream,
    /** Ends as a crash would: nothing more is published or marked. */
    crash: () => redis[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await stream[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}

const clientOf = (url: string) => createClient({ url })
type Client = ReturnType<typeof clientOf>

/** Does something to Redis behind everybody's back. */
export async function behindTheBack<Result>(url: string, act: (client: Client) => Promise<Result>): Promise<Result> {
  const client = clientOf(url)
  await client.connect()
  try {
    return await act(client)
  } finally {
    client.destroy()
  }
}

export const all = (organisationId = "default"): Interest => ({ organisationId, type: "MeterValues" })

/** Somebody who listens from now on, or from a cursor on: first what was missed, then what comes. */
export function listen(stream: EventStream, { after, interest = all() }: { after?: string; interest?: Interest } = {}) {
  const stop = new AbortController()
  const items: StreamEvent[] = []
  const { signal } = stop
  let live = after === undefined ? stream.live(interest, signal) : undefined
  let caughtUpAt: string | undefined
  const caughtUp = (cursor: string) => {
    caughtUpAt = cursor
    live = stream.live(interest, signal)
  }
  const ended = (async () => {
    if (after !== undefined)
      for await (const item of stream.replay(interest, after, { signal, caughtUp })) items.push(item)
    if (live !== undefined) for await (const item of live) items.push(item)
  })()
  ended.catch(() => undefined)
  return {
    items,
    ended,
    get caughtUpAt() {
      return caughtUpAt
    },
    said: () => items.map(({ event }) => `${event.subject}/${event.version}`),
    stop: () => stop.abort(),
  }
}

/** What is said of a subject's versions, in order. */
export const story = (subject: string, count: number, from = 1) =>
  Array.from({ length: count }, (_, n) => `${subject}/${from + n}`)

/** The cursor of the present generation's beginning. */
export function beginning(url: string): Promise<string> {
  return behindTheBack(url, async (client) => {
    const generation = await client.get("busbar:events:3:generation")
    const [first] = (await client.xRange(`busbar:events:3:${generation}:stream`, "-", "+", { COUNT: 1 })) ?? []
    return Buffer.from(`${generation} ${first?.id} 0`).toString("base64url")
  })
}
