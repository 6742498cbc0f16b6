// The energy of a transaction, from register readings. OCPP 1.6 §4.8, §7.43: Wh, and the energy is a difference.
import type { SampledValue } from "../ocpp/types.ts"
import type { EnergyNote, TransactionRow } from "./rows.ts"

/** A reading of the energy register: epoch ms and Wh. */
export interface Register {
  at: number
  wh: number
}

/** What a transaction's row says about its energy. */
export type Energy = Pick<TransactionRow, "energyWh" | "energyNote" | "registerAt" | "registerWh">

/**
 * Energy.Active.Import.Register of one MeterValue in whole Wh, or null. The value over all phases is preferred, else the
 * sum of all three; the outlet's is preferred to that measured elsewhere. What cannot be read as a number is left aside.
 */
export function registerWhOf(sampledValues: readonly SampledValue[]): number | null {
  let only: SampledValue | undefined
  for (const sampled of sampledValues) {
    if (!isRegister(sampled)) continue
    if (only !== undefined) return preferredWhOf(sampledValues)
    only = sampled
  }
  // By far the most readings: nothing to choose between, nothing to gather.
  return only === undefined || only.phase !== undefined ? null : wholeWh(whOf(only))
}

const register = "Energy.Active.Import.Register"

const isRegister = ({ measurand, format }: SampledValue): boolean =>
  (measurand === undefined || measurand === register) && format !== "SignedData"

function preferredWhOf(sampledValues: readonly SampledValue[]): number | null {
  const registers = sampledValues
    .filter(isRegister)
    // A charge point may put the value of the transaction's begin beside the present one.
    .sort((one, other) => Number(one.context === "Transaction.Begin") - Number(other.context === "Transaction.Begin"))
  const atOutlet = registers.filter(({ location }) => (location ?? "Outlet") === "Outlet")
  return overAllPhases(atOutlet) ?? overAllPhases(registers)
}

const phases = [[undefined], ["L1", "L2", "L3"], ["L1-N", "L2-N", "L3-N"]]

function overAllPhases(sampledValues: readonly SampledValue[]): number | null {
  for (const group of phases) {
    const values = group.map((phase) => first(sampledValues.filter((sampled) => sampled.phase === phase)))
    const wh = wholeWh(values.reduce((total, value) => total + value, 0))
    if (wh !== null) return wh
  }
  return null
}

function wholeWh(wh: number): number | null {
  const whole = Math.round(wh)
  return Number.isSafeInteger(whole) ? whole : null
}

/** The first readable value in Wh, or NaN. */
const first = (sampledValues: readonly SampledValue[]): number =>
  sampledValues.map(whOf).find((wh) => !Number.isNaN(wh)) ?? Number.NaN

function whOf({ value, unit = "Wh" }: SampledValue): number {
  if (unit !== "Wh" && unit !== "kWh") return Number.NaN
  if (!/^\s*\+?\d+(\.\d*)?([eE][+-]?\d+)?\s*$/.test(value)) return Number.NaN
  return Number(value) * (unit === "kWh" ? 1000 : 1)
}

/** Oldest first; of the same instant, the lower first. */
export const inOrder = (registers: readonly Register[]): readonly Register[] =>
  registers.length < 2 ? registers : registers.toSorted((one, other) => one.at - other.at || one.wh - other.wh)

/** Whether a reading of this instant belongs to what the transaction's register did while it ran. */
export const counts = ({ startedAt, stoppedAt }: Pick<TransactionRow, "startedAt" | "stoppedAt">, at: number) =>
  at > startedAt && (stoppedAt === null || stoppedAt < startedAt || at <= stoppedAt)

/** Below half of what it stood at, a register has restarted; above, it ran backwards and will be caught up with. */
const restarted = (wh: number, before: number) => wh * 2 <= before

/** A restarted register that comes back near its old level in one step never was away: the readings between were wrong. */
const cameBack = (wh: number, last: number, before: number) => restarted(last, before) && wh * 10 >= before * 9

/** The same without knowing the old level: what cannot have come back needs no look at the readings before. */
const mayHaveComeBack = (wh: number, last: number) => wh * 10 >= last * 18

/**
 * Takes newer readings into a transaction's energy, oldest first. Undefined where that needs a look at all readings: one
 * of them is older than the newest known, the register went down or came back, or the transaction has ended already.
 */
export function advance(transaction: TransactionRow, registers: readonly Register[]): Energy | undefined {
  let { energyWh, registerAt, registerWh } = transaction
  const energyNote = transaction.energyNote === "NoRegister" ? null : transaction.energyNote
  for (const { at, wh } of registers) {
    if (!counts(transaction, at)) continue
    const last = registerWh ?? transaction.meterStart
    if (at === registerAt && wh === registerWh) continue
    if (transaction.state === "Ended") return undefined
    if ((registerAt !== null && at <= registerAt) || wh < last) return undefined
    if (energyNote && mayHaveComeBack(wh, last)) return undefined
    energyWh = (energyWh ?? 0) + wh - last
    registerAt = at
    registerWh = wh
  }
  return { energyWh, energyNote: registerAt === null ? transaction.energyNote : energyNote, registerAt, registerWh }
}

/**
 * The energy of a transaction from all of its readings, in any order. A restarted register begins a new streak, and the
 * streaks are added up. With a StopTransaction it is meterStop − meterStart, unless the register went through a restart
 * or stopped below its start.
 */
export function energyOf(transaction: TransactionRow, readings: readonly Register[]): Energy {
  const { meterStart, meterStop, state } = transaction
  const registers = inOrder(readings.filter(({ at }) => counts(transaction, at)))
  const streaks = new Streaks(meterStart)
  for (const { wh } of registers) streaks.take(wh)
  const newest = registers.at(-1)
  const kept = { registerAt: newest?.at ?? null, registerWh: newest ? streaks.last : null }
  if (meterStop === null) {
    if (newest) return { energyWh: streaks.energyWh, energyNote: streaks.note, ...kept }
    return { energyWh: null, energyNote: state === "EndedInferred" ? "NoRegister" : null, ...kept }
  }
  if (meterStop >= meterStart && streaks.isOne) {
    const fellBack = streaks.note ?? (meterStop < streaks.last ? "RegisterRanBackwards" : null)
    return { energyWh: meterStop - meterStart, energyNote: fellBack, ...kept }
  }
  streaks.take(meterStop)
  if (meterStop < meterStart) return { energyWh: streaks.energyWh, energyNote: "StopBelowStart", ...kept }
  const energyWh = streaks.isOne ? meterStop - meterStart : streaks.energyWh
  return { energyWh, energyNote: streaks.note, ...kept }
}

/** A register's way up, in one streak or, where it restarted, in several. */
class Streaks {
  /** Where the register stands. */
  last: number
  #first: number
  #finished: { first: number; last: number }[] = []
  #ranBackwards = false

  constructor(meterStart: number) {
    this.#first = meterStart
    this.last = meterStart
  }

  get isOne(): boolean {
    return this.#finished.length === 0
  }

  get energyWh(): number {
    return this.#finished.reduce((sum, { first, last }) => sum + last - first, this.last - this.#first)
  }

  get note(): EnergyNote | null {
    if (!this.isOne) return "RegisterRestarted"
    return this.#ranBackwards ? "RegisterRanBackwards" : null
  }

  take(wh: number): void {
    if (wh < this.last) this.#fall(wh)
    else this.#rise(wh)
  }

  #fall(wh: number) {
    if (!restarted(wh, this.last)) {
      this.#ranBackwards = true
      return
    }
    this.#finished.push({ first: this.#first, last: this.last })
    this.#first = wh
    this.last = wh
  }

  #rise(wh: number) {
    let before = this.#finished.at(-1)
    while (before && cameBack(wh, this.last, before.last)) {
      this.#finished.pop()
      this.#ranBackwards = true
      this.#first = before.first
      this.last = before.last
      before = this.#finished.at(-1)
    }
    this.last = Math.max(this.last, wh)
  }
}
