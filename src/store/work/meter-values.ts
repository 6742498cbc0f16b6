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
import { encode, fieldsOf, meterValues, type RunningPowerRow, runningPowers } from "../tables.ts"
import { KnownReadings } from "./known-readings.ts"
import { notLoaded } from "./rows.ts"

const keyFields = ["chargePointId", "connectorId", "at", "digest"] as const
const rowFields = fieldsOf(meterValues)
/** Under this name what is known of a charge point's readings is kept. */
const KNOWN_READINGS = "known readings"
const powerFields = fieldsOf(runningPowers)

/** What is known of a reading: that it cannot be stored yet, that it is, or that this unit stores it. */
type Standing = "new" | "stored" | "added"

export class LoadedMeterValues implements MeterValues {
  readonly #session: Session
  readonly #added: MeterValueRow[] = []
  /** By charge point and digest, which stands for all else that names a reading. */
  readonly #standings = new Map<string, Map<string, Standing>>()
  readonly #ofTransaction = new Map<number, MeterValueRow[]>()
  /** The newest power of each transaction that got one. */
  readonly #powers = new Map<number, RunningPowerRow>()
  /** As the subjects' rows have it. */
  #texts: Map<string, string | null> | undefined
  readonly #ofChargePoint = new Map<string, KnownReadings>()
  readonly #isNew: (transactionId: number) => boolean

  /** `isNew` tells of a transaction that it has no stored readings, because this unit made it. */
  constructor(session: Session, isNew: (transactionId: number) => boolean) {
    this.#session = session
    this.#isNew = isNew
  }

  add(row: MeterValueRow, powerW: number | null): void {
    const standings = this.#standingsOf(row.chargePointId)
    if (standings.get(row.digest) === "added") return
    standings.set(row.digest, "added")
    this.#added.push(row)
    const { transactionId, organisationId, at } = row
    if (transactionId === null || powerW === null || at < (this.#powers.get(transactionId)?.at ?? at)) return
    this.#powers.set(transactionId, { transactionId, organisationId, at, powerW })
  }

  issueSaves(): Promise<unknown>[] {
    if (this.#added.length === 0) return []
    return [
      this.#session.run(
        addReadings,
        this.#added.map((row) => encode(row, rowFields)),
      ),
    ]
  }

  async loadKnown(keys: readonly MeterValueKey[]): Promise<void> {
    const missing: MeterValueKey[] = []
    await this.#loadChargePoints()
    for (const key of keys) {
      const standings = this.#standingsOf(key.chargePointId)
      if (standings.has(key.digest)) continue
      standings.set(key.digest, "new")
      if (!this.#knownOf(key.chargePointId).isCertainlyNew(key)) missing.push(key)
    }
    if (missing.length === 0) return
    const chargePointIds = new Set(missing.map(({ chargePointId }) => chargePointId))
    const unlisted = [...chargePointIds].flatMap((id) => this.#knownOf(id).unlisted)
    const found = await Promise.all([
      this.#session.run(
        selectListed,
        missing.map((key) => encode(key, keyFields)),
      ),
      this.#session.run(
        selectUnlisted,
        unlisted.map((id) => [id]),
      ),
    ])
    for (const { chargePointId, digest } of found.flat()) this.#standingsOf(chargePointId).set(digest, "stored")
  }

  isKnown({ chargePointId, digest }: MeterValueKey): boolean {
    const standing = this.#standings.get(chargePointId)?.get(digest)
    if (standing === undefined) throw notLoaded("known readings", `${digest} of ${chargePointId}`)
    return standing !== "new"
  }

  async loadOf(transactionIds: readonly number[]): Promise<void> {
    const missing = new Set(transactionIds.filter((id) => !this.#ofTransaction.has(id)))
    if (missing.size === 0) return
    const rows = await this.#session.run(
      selectOfTransaction,
      [...missing].map((id) => [id]),
    )
    for (const id of missing) this.#ofTransaction.set(id, [])
    for (const row of rows) if (row.transactionId !== null) this.#ofTransaction.get(row.transactionId)?.push(row)
  }

  of(transactionId: number): Readonly<MeterValueRow>[] {
    const stored = this.#ofTransaction.get(transactionId) ?? (this.#isNew(transactionId) ? [] : undefined)
    if (stored === undefined) throw notLoaded("readings of transactions", String(transactionId))
    const added = this.#added.filter((row) => row.transactionId === transactionId)
    return [...stored, ...added].sort((one, other) => one.at - other.at || one.connectorId - other.connectorId)
  }

  /**
   * Enters in the lists what is to be entered now, once the readings are stored; gives what is then to be kept with each
   * subject, as text. Waits for no answer where the lists are indexes.
   */
  async list(): Promise<Map<string, string>> {
    const texts = new Map<string, string>()
    if (this.#added.length === 0) return texts
    await this.#loadChargePoints()
    const [last] = await this.#session.run(lastReadingId, [[1]])
    let id = last === undefined ? undefined : last.id - this.#added.length + 1
    const touched = new Map<string, KnownReadings>()
    for (const row of this.#added) {
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
    if (due.length > 0)
      for (const statement of listReadings) await this.#session.run(statement, [[JSON.stringify(due)]])
    return texts
  }

  /** Issues the keeping of each running transaction's newest power. */
  issuePowers(): Promise<unknown>[] {
    if (this.#powers.size === 0) return []
    return [
      this.#session.run(
        keepPowers,
        [...this.#powers.values()].map((row) => encode(row, powerFields)),
      ),
    ]
  }

  /** To be called once what was listed and saved is committed; what is not committed is not kept. */
  committed(): void {
    const { kept } = this.#session
    if (kept === undefined) return
    for (const [chargePointId, known] of this.#ofChargePoint) kept.set(KNOWN_READINGS, chargePointId, known)
  }

  async #loadChargePoints(): Promise<void> {
    if (this.#texts !== undefined) return
    this.#texts = new Map((await this.#session.subjects).map(({ subject, readings }) => [subject, readings]))
  }

  #standingsOf(chargePointId: string): Map<string, Standing> {
    const there = this.#standings.get(chargePointId)
    if (there !== undefined) return there
    const none = new Map<string, Standing>()
    this.#standings.set(chargePointId, none)
    return none
  }

  #knownOf(chargePointId: string): KnownReadings {
    const there = this.#ofChargePoint.get(chargePointId)
    if (there !== undefined) return there
    // Only these are kept under this name.
    const kept = this.#session.kept?.get(KNOWN_READINGS, chargePointId) as KnownReadings | undefined
    const known = kept ?? new KnownReadings(this.#texts?.get(chargePointSubject(chargePointId)) ?? null)
    this.#ofChargePoint.set(chargePointId, known)
    return known
  }
}
