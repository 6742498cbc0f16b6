/** Transactions within a unit of work, found by start key, charge point and idTag as well. */
import {
  type IdTagKey,
  type NextStartKey,
  type StartKey,
  type StoppedAtKey,
  type Transactions,
  UNENDED_LIMIT,
} from "../../facts/facts.ts"
import { FIRST_PLAUSIBLE, isClockSet } from "../../facts/instants.ts"
import type { TransactionRow } from "../../facts/rows.ts"
import type { Session } from "../session.ts"
import {
  countActive,
  lockIdTags,
  remove,
  selectBy,
  selectLastBy,
  selectNextStarts,
  takeTransactionIds,
} from "../statements.ts"
import { encode, encodeValue, runningPowers, transactions, type Value } from "../tables.ts"
import { type Gathering, keyText, LoadedRows, notLoaded, workOn } from "./rows.ts"

const isUnended = ({ state }: TransactionRow): boolean => state !== "Ended"

const work = workOn<TransactionRow, number>(transactions, (transactionId) => [transactionId], isUnended)
const startKeyFields = ["chargePointId", "startedAt", "startKey"] as const
const selectByStartKey = selectBy(transactions, startKeyFields)
/** Very many may have started at one instant by a clock that is not set: these have an index by their keys. */
const withoutClockFields = ["chargePointId", "startKey"] as const
const selectWithoutClock = selectBy(transactions, withoutClockFields, `t.started_at < ${FIRST_PLAUSIBLE}`)
const selectUnended = selectLastBy(
  transactions,
  ["chargePointId"],
  "t.state <> 'Ended'",
  ["startedAt", "transactionId"],
  UNENDED_LIMIT,
)
const stoppedAtFields = ["organisationId", "chargePointId", "stoppedAt"] as const
const selectStoppedAt = selectBy(transactions, stoppedAtFields, "t.state = 'Ended'")
const nextStartFields = ["chargePointId", "connectorId", "startedAt"] as const
const removePowers = remove(runningPowers)

const connectorOf = ({ chargePointId, connectorId }: Pick<TransactionRow, "chargePointId" | "connectorId">): string =>
  `${connectorId} ${chargePointId}`

const isTimed = ({ startedAt }: StartKey): boolean => isClockSet(startedAt)

const valuesOf = (key: IdTagKey): Value[] => [encodeValue(key.organisationId), encodeValue(key.idTagKey)]

export class LoadedTransactions extends LoadedRows<TransactionRow, number> implements Transactions {
  readonly #byStartKey: Gathering<TransactionRow>
  readonly #withoutClock: Gathering<TransactionRow>
  readonly #unended: Gathering<TransactionRow>
  /** As in the database when loaded. */
  readonly #activeCounts = new Map<string, number>()
  /** What this unit added to those counts. */
  readonly #started = new Map<string, number>()
  readonly #stoppedAt: Gathering<TransactionRow>
  /** As in the database when loaded; null: no later start. */
  readonly #nextStarts = new Map<string, number | null>()
  /** What this unit put, by connector; a transaction stays on its own. */
  readonly #putOn = new Map<string, TransactionRow[]>()
  readonly #ids: number[] = []
  readonly #drawn = new Set<number>()

  constructor(session: Session) {
    super(work, session)
    this.#byStartKey = this.gather(startKeyFields, selectByStartKey)
    this.#withoutClock = this.gather(withoutClockFields, selectWithoutClock)
    this.#unended = this.gather(["chargePointId"], selectUnended)
    this.#stoppedAt = this.gather(stoppedAtFields, selectStoppedAt)
  }

  async loadByStartKey(keys: readonly StartKey[]): Promise<void> {
    const [timed, untimed] = [keys.filter(isTimed), keys.filter((key) => !isTimed(key))]
    await Promise.all([
      this.#byStartKey.load(timed.map((key) => encode(key, startKeyFields))),
      this.#withoutClock.load(untimed.map((key) => encode(key, withoutClockFields))),
    ])
    // Each start that is not known yet will want an id, which cannot be fetched while rules run.
    const starts = new Map(keys.map((key) => [keyText(encode(key, startKeyFields)), key]))
    const unknown = [...starts.values()].filter((key) => this.byStartKey(key) === undefined)
    if (unknown.length === 0) return
    const taken = await this.session.run(
      takeTransactionIds,
      unknown.map(() => [1]),
    )
    this.#ids.push(...taken.map((row) => row.transactionId))
  }

  byStartKey(key: StartKey): Readonly<TransactionRow> | undefined {
    const found = isTimed(key)
      ? this.#byStartKey.of(encode(key, startKeyFields))
      : this.#withoutClock.of(encode(key, withoutClockFields))
    return found[0]
  }

  loadUnended(chargePointIds: readonly string[]): Promise<void> {
    return this.#unended.load(chargePointIds.map((id) => [id]))
  }

  unended(chargePointId: string): Readonly<TransactionRow>[] {
    return this.#unended
      .of([chargePointId])
      .filter((row) => row.state !== "Ended")
      .sort((one, other) => one.startedAt - other.startedAt || one.transactionId - other.transactionId)
  }

  async loadNextStarts(keys: readonly NextStartKey[]): Promise<void> {
    const missing = new Map(keys.map((key) => [keyText(encode(key, nextStartFields)), encode(key, nextStartFields)]))
    for (const text of missing.keys()) if (this.#nextStarts.has(text)) missing.delete(text)
    if (missing.size === 0) return
    for (const row of await this.session.run(selectNextStarts, [...missing.values()]))
      this.#nextStarts.set(keyText(encode(row, nextStartFields)), row.next)
  }

  nextStart(key: NextStartKey): number | undefined {
    const text = keyText(encode(key, nextStartFields))
    const stored = this.#nextStarts.get(text)
    if (stored === undefined) throw notLoaded("next starts", text)
    const put = (this.#putOn.get(connectorOf(key)) ?? []).map((row) => row.startedAt)
    const later = put.filter((startedAt) => startedAt > key.startedAt)
    const next = Math.min(stored ?? Number.POSITIVE_INFINITY, ...later)
    return Number.isFinite(next) ? next : undefined
  }

  loadStoppedAt(keys: readonly StoppedAtKey[]): Promise<void> {
    return this.#stoppedAt.load(keys.map((key) => encode(key, stoppedAtFields)))
  }

  stoppedAt(key: StoppedAtKey): Readonly<TransactionRow>[] {
    return this.#stoppedAt.of(encode(key, stoppedAtFields)).filter((row) => row.state === "Ended")
  }

  async loadActiveCounts(keys: readonly IdTagKey[]): Promise<void> {
    const missing = new Map(keys.map((key) => [keyText(valuesOf(key)), valuesOf(key)] as const))
    for (const text of missing.keys()) if (this.#activeCounts.has(text)) missing.delete(text)
    if (missing.size === 0) return
    const rows = [...missing.values()]
    const [, counts] = await Promise.all([this.session.run(lockIdTags, rows), this.session.run(countActive, rows)])
    for (const text of missing.keys()) this.#activeCounts.set(text, 0)
    for (const count of counts) this.#activeCounts.set(keyText(valuesOf(count)), count.active)
  }

  activeCount(key: IdTagKey): number {
    const text = keyText(valuesOf(key))
    const stored = this.#activeCounts.get(text)
    if (stored === undefined) throw notLoaded("active counts", text)
    return stored + (this.#started.get(text) ?? 0)
  }

  nextId(): number {
    const id = this.#ids.shift()
    if (id === undefined)
      throw new Error("a transactionId is only at hand for a start that loadByStartKey did not find")
    this.#drawn.add(id)
    return id
  }

  /** Whether this unit gave out the id, so that nothing of it can be stored yet. */
  drew(transactionId: number): boolean {
    return this.#drawn.has(transactionId)
  }

  /** Issues the forgetting of the power of transactions that are over. */
  issueEndOfPower(): Promise<unknown>[] {
    const over = [...this.putRows()].filter((row) => row.state !== "Active").map((row) => [row.transactionId])
    return over.length === 0 ? [] : [this.session.run(removePowers, over)]
  }

  protected override changing(before: TransactionRow | undefined, after: TransactionRow | undefined): void {
    if (after !== undefined && before === undefined) {
      const there = this.#putOn.get(connectorOf(after))
      if (there === undefined) this.#putOn.set(connectorOf(after), [after])
      else there.push(after)
    }
    // Most changes are of a transaction that runs before and after.
    if (before?.state === after?.state && before?.idTagKey === after?.idTagKey) return
    this.#count(before, -1)
    this.#count(after, 1)
  }

  #count(row: TransactionRow | undefined, step: number): void {
    if (row?.state !== "Active") return
    const text = keyText(valuesOf(row))
    this.#started.set(text, (this.#started.get(text) ?? 0) + step)
  }
}
