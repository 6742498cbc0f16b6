/** Readings within a unit of work: added, recognised when replayed, and read back of a whole transaction. */
import type { MeterValues } from "../../facts/facts.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Session } from "../session.ts"
import { keepPowers, selectBy } from "../statements.ts"
import { encode, fieldsOf, meterValues, type RunningPowerRow, runningPowers } from "../tables.ts"
import { powerOf } from "./power.ts"
import { AddedRows, addTo, keyText, notLoaded } from "./rows.ts"

type Key = Parameters<MeterValues["isKnown"]>[0]

const adding = addTo(meterValues)
const keyFields = ["chargePointId", "connectorId", "at", "digest"] as const
const selectKnown = selectBy<Key & MeterValueRow>(meterValues, keyFields, "", keyFields)
const selectOf = selectBy(meterValues, ["transactionId"])

export class LoadedMeterValues extends AddedRows<MeterValueRow> implements MeterValues {
  readonly #asked = new Set<string>()
  readonly #known = new Set<string>()
  readonly #ofTransaction = new Map<number, MeterValueRow[]>()

  readonly #isNew: (transactionId: number) => boolean

  /** `isNew` tells of a transaction that it has no stored readings, because this unit made it. */
  constructor(session: Session, isNew: (transactionId: number) => boolean) {
    super(adding, session)
    this.#isNew = isNew
  }

  async loadKnown(keys: readonly Key[]): Promise<void> {
    const missing = new Map(keys.map((key) => [keyText(encode(key, keyFields)), encode(key, keyFields)] as const))
    for (const text of missing.keys()) if (this.#asked.has(text)) missing.delete(text)
    if (missing.size === 0) return
    for (const row of await this.session.run(selectKnown, [...missing.values()]))
      this.#known.add(keyText(encode(row, keyFields)))
    for (const text of missing.keys()) this.#asked.add(text)
  }

  isKnown(key: Key): boolean {
    const text = keyText(encode(key, keyFields))
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
    const rows = new Map(stored.map((row) => [keyText(encode(row, keyFields)), row] as const))
    for (const [text, row] of this.added)
      if (row.transactionId === transactionId && !rows.has(text)) rows.set(text, row)
    return [...rows.values()].sort((one, other) => one.at - other.at || one.connectorId - other.connectorId)
  }

  /** Issues the keeping of each running transaction's newest power. */
  issuePowers(): Promise<unknown>[] {
    const newest = new Map<number, RunningPowerRow>()
    for (const { transactionId, organisationId, at, sampledValues } of this.added.values()) {
      if (transactionId === null) continue
      const powerW = powerOf(sampledValues)
      if (powerW === null || at < (newest.get(transactionId)?.at ?? at)) continue
      newest.set(transactionId, { transactionId, organisationId, at, powerW })
    }
    if (newest.size === 0) return []
    const fields = fieldsOf(runningPowers)
    return [
      this.session.run(
        keepPowers,
        [...newest.values()].map((row) => encode(row, fields)),
      ),
    ]
  }
}
