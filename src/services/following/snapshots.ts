/** Snapshots: what is there now, read once from SQL and brought up to a position of the stream. */
import type { Event } from "../../facts/events.ts"
import { type Clock, CursorExpired, type EventStream, type Interest, type Present } from "../ports.ts"
import { type EventOf, isOf } from "./matching.ts"
import type { Telling } from "./story.ts"

/** How one type of event is told, and what is there at any time. A place is where in the story something is told. */
export interface Plot<Type extends Event["type"], Told extends Telling, Item> {
  readonly interest: Interest & { type: Type }
  /** What `interest.wants` looks at. */
  readonly narrowing: object
  /** Undefined where there is nothing left to tell. */
  tell(event: EventOf<Type>, place: Telling): Told | undefined | Promise<Told | undefined>
  /** What is there by the books. */
  present(): Promise<Present<Item>>
  keyOf(item: Item): string
  /** Brings what is there up to an event later than the books. */
  fold(items: Map<string, Item>, event: EventOf<Type>): void
  /** Tells a part of what is there. */
  show(items: readonly Item[], place: Telling): Told[] | Promise<Told[]>
  /** Tells that this was all. */
  end(place: Telling): Told
}

/** What was there at the position that the cursor names. */
export interface Snapshot<Item> {
  parts: Item[][]
  cursor: string
  at: number
}

/** How many things are told at once: one statement loads what hangs on all of them. */
const PART = 100
/** How many snapshots are read from the store at once. */
const AT_ONCE = 2
/** How often a snapshot is begun anew because the stream began anew under it. */
const ATTEMPTS = 3

/** Takes snapshots; who asks for one that is about to be taken shares it. */
export class Snapshots {
  readonly #stream: Pick<EventStream, "cursor" | "replay" | "reached">
  readonly #clock: Clock
  /** Those that wait for their turn: whoever comes later must not be shown an earlier present. */
  readonly #coming = new Map<string, Promise<unknown>>()
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(stream: Pick<EventStream, "cursor" | "replay" | "reached">, clock: Clock) {
    this.#stream = stream
    this.#clock = clock
  }

  /** `scope` names the plot among all. @throws StoreUnavailable, BusUnavailable, CursorExpired */
  take<Type extends Event["type"], Told extends Telling, Item>(
    scope: string,
    plot: Plot<Type, Told, Item>,
  ): Promise<Snapshot<Item>> {
    const known = this.#coming.get(scope)
    // The same scope is the same plot, whose items are of this type.
    if (known !== undefined) return known as Promise<Snapshot<Item>>
    const begin = () => {
      this.#coming.delete(scope)
      return this.#take(plot, ATTEMPTS)
    }
    // Not in this turn: it has to be among those that come before it begins.
    const coming = Promise.resolve().then(() => this.#inTurn(begin))
    this.#coming.set(scope, coming)
    return coming
  }

  /** What was committed after the books were read, and only that, is still to come when they are folded. */
  async #take<Type extends Event["type"], Told extends Telling, Item>(
    plot: Plot<Type, Told, Item>,
    attempts: number,
  ): Promise<Snapshot<Item>> {
    // Nobody's going away ends it: others may have come to share it.
    const { signal } = new AbortController()
    const before = this.#stream.cursor
    const at = this.#clock.now()
    const { rows, versions } = await plot.present()
    const items = new Map(rows.map((row) => [plot.keyOf(row), row]))
    try {
      await this.#stream.reached(versions, signal)
      let cursor = before
      const caughtUp = (position: string) => {
        cursor = position
      }
      for await (const { event } of this.#stream.replay(plot.interest, before, { signal, caughtUp })) {
        const isLater = event.version > (versions.get(event.subject) ?? 0)
        if (isLater && isOf(event, plot.interest.type)) plot.fold(items, event)
      }
      return { parts: inParts([...items.values()]), cursor, at }
    } catch (cause) {
      if (!(cause instanceof CursorExpired) || attempts <= 1) throw cause
      return this.#take(plot, attempts - 1)
    }
  }

  async #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    while (this.#busy >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#busy++
    try {
      return await act()
    } finally {
      this.#busy--
      this.#waiting.shift()?.()
    }
  }
}

const inParts = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / PART) }, (_, index) => items.slice(index * PART, (index + 1) * PART))
