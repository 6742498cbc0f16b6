/** A commit group: many writes in one SQL transaction, of which each that fails, fails alone. */
import type { ChangeName, InputOf, OutcomeOf } from "../facts/catalogue.ts"
import { type Change, NotLoaded } from "../facts/facts.ts"
import type { JournalEntry } from "../facts/recorded.ts"
import { type ChoreCatalogue, type ChoreName, chores, isChore } from "./chores.ts"
import type { Engine, Session, Verdict } from "./session.ts"
import { Unit } from "./work/unit.ts"

/** The rules by name. */
export type Changes = { readonly [Name in ChangeName]: Change<InputOf<Name>, OutcomeOf<Name>> }

/** Rules whose inputs the types cannot follow any more, because they came over a thread. */
type AnyChanges = Readonly<Record<string, Change<unknown, unknown>>>

/** One change or chore asked for: plain data. */
export interface Write {
  name: ChangeName | ChoreName
  input: unknown
}

/** Why a write failed: plain data too. */
export interface Failure {
  /** The database could not be reached or written: nobody's fault, a later try may succeed. */
  unavailable: boolean
  name: string
  message: string
}

export type Result = { outcome: unknown } | { failure: Failure }

/** What became of a group: a result per write in their order, and what was journalled in the order of the commits. */
export interface Settled {
  results: Result[]
  entries: JournalEntry[]
}

/** A rule threw: it is known which write is to blame. */
class RuleFailed extends Error {
  override readonly name = "RuleFailed"
  readonly index: number

  constructor(index: number, cause: unknown) {
    super("a rule failed", { cause })
    this.index = index
  }
}

/** How often a group is tried in all when it failed like this. */
const triesAfter = (verdict: Verdict): number => ({ deadlock: 4, conflict: 2, unavailable: 1, fault: 1 })[verdict]

/** Commits groups on one engine, by the given rules. `now` is written into the journal rows. */
export class Groups {
  readonly #engine: Engine
  readonly #changes: AnyChanges

  constructor(engine: Engine, changes: Changes) {
    this.#engine = engine
    this.#changes = changes
  }

  /** The subjects that a write locks. */
  subjectsOf(write: Write): string[] {
    return isChore(write.name) ? [] : this.#change(write.name).subjects(write.input)
  }

  /** Commits all writes, in one transaction unless one of them fails. Never rejects. */
  async settle(writes: readonly Write[], now: number): Promise<Settled> {
    if (writes.length === 0) return { results: [], entries: [] }
    try {
      return await this.#commit(writes, now)
    } catch (cause) {
      if (cause instanceof RuleFailed && !(cause.cause instanceof NotLoaded))
        return this.#without(cause.index, failureOf(cause.cause, false), writes, now)
      const verdict = cause instanceof RuleFailed ? "fault" : this.#engine.judge(cause)
      const unavailable = verdict === "unavailable" || verdict === "deadlock"
      if (unavailable || writes.length === 1) {
        const failure = failureOf(cause instanceof RuleFailed ? cause.cause : cause, unavailable)
        return { results: writes.map(() => ({ failure })), entries: [] }
      }
      // What met rows that an earlier write of the group has changed is run after that write is committed.
      return this.#inTwo(cause instanceof RuleFailed && cause.index > 0 ? cause.index : writes.length >> 1, writes, now)
    }
  }

  async #without(index: number, failure: Failure, writes: readonly Write[], now: number): Promise<Settled> {
    const { results, entries } = await this.settle(writes.toSpliced(index, 1), now)
    return { results: results.toSpliced(index, 0, { failure }), entries }
  }

  async #inTwo(at: number, writes: readonly Write[], now: number): Promise<Settled> {
    const first = await this.settle(writes.slice(0, at), now)
    const second = await this.settle(writes.slice(at), now)
    return { results: [...first.results, ...second.results], entries: [...first.entries, ...second.entries] }
  }

  async #commit(writes: readonly Write[], now: number, tries = 1): Promise<Settled> {
    const subjects = new Set<string>()
    for (const [index, write] of writes.entries())
      blaming(index, () => {
        for (const subject of this.subjectsOf(write)) subjects.add(subject)
      })
    const session = await this.#engine.begin([...subjects])
    try {
      return await this.#work(session, new Unit(session, subjects), writes, now)
    } catch (cause) {
      await session.rollback()
      if (tries < triesAfter(this.#engine.judge(cause))) return this.#commit(writes, now, tries + 1)
      throw cause
    }
  }

  async #work(session: Session, unit: Unit, writes: readonly Write[], now: number): Promise<Settled> {
    const inputs = new Map<string, unknown[]>()
    for (const { name, input } of writes) {
      const ofName = inputs.get(name)
      if (ofName !== undefined) ofName.push(input)
      else if (!isChore(name)) inputs.set(name, [input])
    }
    await Promise.all([...inputs].map(([name, ofName]) => this.#change(name).load(unit, ofName)))
    const results: Result[] = []
    for (const [index, { name, input }] of writes.entries()) {
      const outcome = isChore(name)
        ? await runChore(session, name, input)
        : blaming(index, () => this.#change(name).apply(unit, input))
      results.push({ outcome })
    }
    const entry = await unit.commit(now)
    return { results, entries: entry === null ? [] : [entry] }
  }

  #change(name: string): Change<unknown, unknown> {
    const change = this.#changes[name]
    if (change === undefined) throw new Error(`there is no change named ${name}`)
    return change
  }
}

function runChore<Name extends ChoreName>(session: Session, name: Name, input: unknown): Promise<unknown> {
  return chores[name](session, input as ChoreCatalogue[Name][0])
}

function blaming<Outcome>(index: number, act: () => Outcome): Outcome {
  try {
    return act()
  } catch (cause) {
    throw new RuleFailed(index, cause)
  }
}

export function failureOf(cause: unknown, unavailable: boolean): Failure {
  return cause instanceof Error
    ? { unavailable, name: cause.name, message: cause.message }
    : { unavailable, name: "Error", message: String(cause) }
}
