/** Readings as events refer to them, and the newest ones of each connector. */
import type { MeterValueRow } from "../../facts/rows.ts"
import type { ReadingRef, Reads } from "../ports.ts"
import type { EventOf } from "./matching.ts"

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
  const refs = [...known, ...readings.map((reading) => ({ chargePointId, transactionId, ...reading }))]
  items.set(key, { chargePointId, connectorId, refs: refs.sort(newestFirst).slice(0, kept) })
}

const newestFirst = (one: ReadingRef, other: ReadingRef): number =>
  other.at - one.at || (one.digest < other.digest ? 1 : -1)

/** Loads readings by what refers to them. */
export class Readings {
  readonly #read: Pick<Reads, "meterValuesByRefs">
  readonly #known = new Map<string, Promise<MeterValueRow[]>>()

  constructor(read: Pick<Reads, "meterValuesByRefs">) {
    this.#read = read
  }

  /** Those of an event, loaded once for all who are told of it one after another. */
  of(cursor: string, { chargePointId, readings }: EventOf<"MeterValues">): Promise<MeterValueRow[]> {
    const known = this.#known.get(cursor)
    if (known !== undefined) return known
    const loading = this.#read.meterValuesByRefs(readings.map((reading) => ({ chargePointId, ...reading })))
    this.#known.set(cursor, loading)
    loading.catch(() => this.#known.delete(cursor))
    const oldest = this.#known.size > REMEMBERED_EVENTS ? this.#known.keys().next() : undefined
    if (oldest?.done === false) this.#known.delete(oldest.value)
    return loading
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
