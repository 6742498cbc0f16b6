/** Readings as events refer to them, and the newest ones of each connector. */
import DataLoader from "dataloader"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { ReadingRef, Reads } from "../ports.ts"
import type { EventOf } from "./matching.ts"

type Key = Parameters<Reads["meterValuesByRefs"]>[0][number]

/** How many readings are asked for at a time. */
const PAGE = 500
/** How many events' readings are kept for those who are told of the same event. */
const REMEMBERED_EVENTS = 512

/** A connector's newest readings, newest first. */
export interface ReadingsOfConnector {
  chargePointId: string
  connectorId: number
  refs: ReadingRef[]
}

/** What a connector's meter shows. */
interface Shown {
  readings: MeterValueRow[]
  chargePointId: string
  connectorId: number
  transactionId: number | null
}

export const keyOfConnector = ({
  chargePointId,
  connectorId,
}: {
  chargePointId: string
  connectorId: number
}): string => `${connectorId} ${chargePointId}`

const keyOfReading = ({ chargePointId, connectorId, at, digest }: Key): string =>
  `${connectorId} ${at} ${digest} ${chargePointId}`

/** Sorts readings by the connector whose they are. */
export function inConnectors(refs: readonly ReadingRef[]): ReadingsOfConnector[] {
  const byConnector = Map.groupBy(refs, keyOfConnector)
  return [...byConnector.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { chargePointId, connectorId } = first
    return { chargePointId, connectorId, refs: group.sort(newestFirst) }
  })
}

/** Adds an event's readings, of which the newest `kept` stay. */
export function foldReadings(
  items: Map<string, ReadingsOfConnector>,
  { chargePointId, connectorId, transactionId, readings }: EventOf<"MeterValues">,
  kept: number,
): void {
  const key = keyOfConnector({ chargePointId, connectorId })
  const known = items.get(key)?.refs ?? []
  const whose = { chargePointId, connectorId, transactionId }
  const refs = [...known, ...readings.map(({ at, digest }) => ({ ...whose, at, digest }))]
  items.set(key, { chargePointId, connectorId, refs: refs.sort(newestFirst).slice(0, kept) })
}

const newestFirst = (one: ReadingRef, other: ReadingRef): number =>
  other.at - one.at || (one.digest < other.digest ? 1 : -1)

/** Loads readings by what refers to them. */
export class Readings {
  readonly #read: Pick<Reads, "meterValuesByRefs">
  /** What the events of one turn refer to, whoever follows them, is asked for together. Nothing is kept of it. */
  readonly #loader: DataLoader<Key, MeterValueRow | undefined>
  readonly #known = new Map<string, Promise<MeterValueRow[]>>()

  constructor(read: Pick<Reads, "meterValuesByRefs">) {
    this.#read = read
    this.#loader = new DataLoader(
      async (keys) => {
        const rows = new Map((await read.meterValuesByRefs(keys)).map((row) => [keyOfReading(row), row]))
        return keys.map((key) => rows.get(keyOfReading(key)))
      },
      { cache: false, maxBatchSize: PAGE },
    )
  }

  /** Those of an event that are still kept, loaded once for all who are told of it one after another. */
  of(cursor: string, { chargePointId, connectorId, readings }: EventOf<"MeterValues">): Promise<MeterValueRow[]> {
    const known = this.#known.get(cursor)
    if (known !== undefined) return known
    const loading = this.#load(readings.map(({ at, digest }) => ({ chargePointId, connectorId, at, digest })))
    this.#known.set(cursor, loading)
    loading.catch(() => this.#known.delete(cursor))
    const oldest = this.#known.size > REMEMBERED_EVENTS ? this.#known.keys().next() : undefined
    if (oldest?.done === false) this.#known.delete(oldest.value)
    return loading
  }

  async #load(keys: readonly Key[]): Promise<MeterValueRow[]> {
    const rows = await Promise.all(keys.map((key) => this.#loader.load(key)))
    return rows.filter((row) => row !== undefined)
  }

  /** Of each connector the newest that belong together: to the transaction of the very newest, or to none. Oldest first. */
  async ofConnectors(connectors: readonly ReadingsOfConnector[]): Promise<Shown[]> {
    const together = connectors.map(({ refs }) => refs.filter((ref) => ref.transactionId === refs[0]?.transactionId))
    const rows = Map.groupBy(await this.#read.meterValuesByRefs(together.flat()), keyOfConnector)
    return connectors.flatMap(({ chargePointId, connectorId, refs }) => {
      const readings = rows.get(keyOfConnector({ chargePointId, connectorId })) ?? []
      readings.sort((one, other) => one.at - other.at)
      const transactionId = refs[0]?.transactionId ?? null
      return readings.length === 0 ? [] : { readings, chargePointId, connectorId, transactionId }
    })
  }
}
