/** Readings within a unit of work: added, recognised when replayed, and read back of a whole transaction. */
import type { MeterValueKey, MeterValues } from "../../facts/facts.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Session } from "../session.ts"
import { keepPowers, selectBy } from "../statements.ts"
import { encode, fieldsOf, meterValues, type RunningPowerRow, runningPowers, type Value } from "../tables.ts"
import { AddedRows, addTo, notLoaded } from "./rows.ts"

const adding = addTo(meterValues)
const keyFields = ["chargePointId", "connectorId", "at", "digest"] as const
const selectKnown = selectBy<MeterValueRow>(meterValues, keyFields, "", keyFields)
const powerFields = fieldsOf(runningPowers)
const selectOf = selectBy(meterValues, ["transactionId"])

/** One text for a reading's key; none of these holds a blank but the id, which ends it. */
const textOf = ({ at, digest, connectorId, chargePointId }: MeterValueKey): string =>
  `${at} ${digest} ${connectorId} ${chargePointId}`

export class LoadedMeterValues extends AddedRows<MeterValueRow> implements MeterValues {
  /** Of these it is known whether they are stored. */
  readonly #asked = new Set<string>()
  readonly #known = new Set<string>()
  readonly #ofTransaction = new Map<number, MeterValueRow[]>()
  /** The newest power of each transaction that got one. */
  readonly #powers = new Map<number, RunningPowerRow>()

  readonly #isNew: (transactionId: number) => boolean

  /** `isNew` tells of a transaction that it has no stored readings, because this unit made it. */
  constructor(session: Session, isNew: (transactionId: number) => boolean) {
    super(adding, session)
    this.#isNew = isNew
  }

  override add(row: MeterValueRow, powerW: number | null = null): void {
    super.add(row)
    const { transactionId, organisationId, at } = row
    if (transactionId === null || powerW === null || at < (this.#powers.get(transactionId)?.at ?? at)) return
    this.#powers.set(transactionId, { transactionId, organisationId, at, powerW })
  }

  protected override textOf(row: MeterValueRow): string {
    return textOf(row)
  }

  async loadKnown(keys: readonly MeterValueKey[]): Promise<void> {
    const missing = new Map<string, Value[]>()
    for (const key of keys) {
      const text = textOf(key)
      if (!this.#asked.has(text)) missing.set(text, encode(key, keyFields))
    }
    if (missing.size === 0) return
    for (const row of await this.session.run(selectKnown, [...missing.values()])) this.#known.add(textOf(row))
    for (const text of missing.keys()) this.#asked.add(text)
  }

  takeAsUnknown(keys: readonly MeterValueKey[]): void {
    for (const key of keys) this.#asked.add(textOf(key))
  }

  isKnown(key: MeterValueKey): boolean {
    const text = textOf(key)
    if (this.added.has(text)) return true
    if (!this.#asked.has(text)) throw notLoaded("known readings", text)
    return this.#known.has(text)
  }

  async loadOf(transactionIds: readonly number[]): Promise<void> {
    const missing = new Set(transactionIds.filter((id) => !this.#ofTransaction.has(id)))
    if (missing.size === 0) return
    const rows = await this.session.run(
      selectOf,
      [...missing].map((id) => [id]),
    )
    for (const id of missing) this.#ofTransaction.set(id, [])
    for (const row of rows) if (row.transactionId !== null) this.#ofTransaction.get(row.transactionId)?.push(row)
  }

  of(transactionId: number): Readonly<MeterValueRow>[] {
    const stored = this.#ofTransaction.get(transactionId) ?? (this.#isNew(transactionId) ? [] : undefined)
    if (stored === undefined) throw notLoaded("readings of transactions", String(transactionId))
    const rows = new Map(stored.map((row) => [textOf(row), row] as const))
    for (const [text, row] of this.added)
      if (row.transactionId === transactionId && !rows.has(text)) rows.set(text, row)
    return [...rows.values()].sort((one, other) => one.at - other.at || one.connectorId - other.connectorId)
  }

  /** Issues the keeping of each running transaction's newest power. */
  issuePowers(): Promise<unknown>[] {
    if (this.#powers.size === 0) return []
    return [
      this.session.run(
        keepPowers,
        [...this.#powers.values()].map((row) => encode(row, powerFields)),
      ),
    ]
  }
}
