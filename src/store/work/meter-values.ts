/** Readings within a unit of work: added, recognised when replayed, and read back of a whole transaction. */
import type { MeterValueKey, MeterValues } from "../../facts/facts.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import { chargePointSubject } from "../../facts/events.ts"
import {
  addReadings,
  lastReadingId,
  listReadings,
  selectListed,
  selectOfTransaction,
  selectUnlisted,
} from "../reading-statements.ts"
import type { Session } from "../session.ts"
import { keepPowers } from "../statements.ts"
import { encode, fieldsOf, meterValues, type RunningPowerRow, runningPowers, type Value } from "../tables.ts"
import { KnownReadings } from "./known-readings.ts"
import { AddedRows, addTo, notLoaded } from "./rows.ts"

const adding = { ...addTo(meterValues), add: addReadings }
const keyFields = ["chargePointId", "connectorId", "at", "digest"] as const
/** Under this name what is known of a charge point's readings is kept. */
const KNOWN_READINGS = "known readings"
const powerFields = fieldsOf(runningPowers)

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

  /** As the subjects' rows have it. */
  #texts: Map<string, string | null> | undefined
  readonly #ofChargePoint = new Map<string, KnownReadings>()
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
    const unlisted = new Set<number>()
    await this.#loadChargePoints()
    for (const key of keys) {
      const text = textOf(key)
      if (this.#asked.has(text)) continue
      const known = this.#knownOf(key.chargePointId)
      if (known.isCertainlyNew(key)) {
        this.#asked.add(text)
        continue
      }
      missing.set(text, encode(key, keyFields))
      for (const id of known.unlisted) unlisted.add(id)
    }
    if (missing.size === 0) return
    const found = await Promise.all([
      this.session.run(selectListed, [...missing.values()]),
      this.session.run(
        selectUnlisted,
        [...unlisted].map((id) => [id]),
      ),
    ])
    for (const row of found.flat()) this.#known.add(textOf(row))
    for (const text of missing.keys()) this.#asked.add(text)
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
      selectOfTransaction,
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

  /**
   * Enters in the lists what is to be entered now, once the readings are stored; gives what is then to be kept with each
   * subject, as text. Waits for no answer where the lists are indexes.
   */
  async list(): Promise<Map<string, string>> {
    const texts = new Map<string, string>()
    if (this.added.size === 0) return texts
    await this.#loadChargePoints()
    const [last] = await this.session.run(lastReadingId, [[1]])
    let id = last === undefined ? undefined : last.id - this.added.size + 1
    const touched = new Map<string, KnownReadings>()
    for (const row of this.added.values()) {
      const known = this.#knownOf(row.chargePointId)
      known.add(row, id)
      touched.set(row.chargePointId, known)
      if (id !== undefined) id++
    }
    const due: number[] = []
    for (const [chargePointId, known] of touched) {
      due.push(...known.takeUnlisted())
      texts.set(chargePointSubject(chargePointId), known.toString())
    }
    if (due.length > 0) for (const statement of listReadings) await this.session.run(statement, [[JSON.stringify(due)]])
    return texts
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

  /** To be called once what was listed and saved is committed; what is not committed is not kept. */
  committed(): void {
    const { kept } = this.session
    if (kept === undefined) return
    for (const [chargePointId, known] of this.#ofChargePoint) kept.set(KNOWN_READINGS, chargePointId, known)
  }

  async #loadChargePoints(): Promise<void> {
    if (this.#texts !== undefined) return
    this.#texts = new Map((await this.session.subjects).map(({ subject, readings }) => [subject, readings]))
  }

  #knownOf(chargePointId: string): KnownReadings {
    const there = this.#ofChargePoint.get(chargePointId)
    if (there !== undefined) return there
    // Only these are kept under this name.
    const kept = this.session.kept?.get(KNOWN_READINGS, chargePointId) as KnownReadings | undefined
    const known = kept ?? new KnownReadings(this.#texts?.get(chargePointSubject(chargePointId)) ?? null)
    this.#ofChargePoint.set(chargePointId, known)
    return known
  }
}
