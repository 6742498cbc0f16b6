/** The story of a charge point's wire: its log where somebody comes back, then the frames as they are exchanged. */
import type { MessageRow } from "../../facts/rows.ts"
import { type Bus, type Clock, CursorExpired, Lagging, type Reads } from "../ports.ts"
import { type Beginning, type SnapshotKind, type Story, type Telling, tellAll, UNFINISHED } from "./story.ts"

export interface MessageTold extends Telling {
  kind: "Exchanged" | SnapshotKind
  /** Null with SnapshotEnd. */
  message: MessageRow | null
}

interface Wire {
  chargePointId: string
  bus: Pick<Bus, "watchMessages">
  read: Pick<Reads, "messagesFrom" | "messagesOf">
  clock: Clock
}

/** How many frames of a charge point may wait to be told. */
const MAX_WAITING = 1_000
const PAGE = 200
/** The position before the log's first frame. */
const BEFORE_ALL = 0

/** Positions are the ids of frames in the log, which grow. */
export class MessageStory implements Story<MessageTold> {
  readonly scope: string
  readonly #wire: Wire
  readonly #beginning: Beginning

  constructor(wire: Wire, beginning: Beginning) {
    this.#wire = wire
    this.#beginning = beginning
    this.scope = wire.chargePointId
  }

  async *begin(signal: AbortSignal, join: (cursor: string) => void): AsyncGenerator<MessageTold[], void> {
    const { after, snapshot } = this.#beginning
    if (after === undefined && !snapshot) {
      join(String(BEFORE_ALL))
      return
    }
    // Watched before the log is read, so that no frame falls between the two.
    await using watch = await Watch.open(this.#wire, signal)
    if (after !== undefined) {
      const kept = await this.#kept(after)
      if (kept !== undefined) {
        yield* this.#resume(watch, kept, signal, join)
        return
      }
      if (!snapshot) throw new CursorExpired("the position is no longer kept in the wire log")
    }
    // What was exchanged before is history, and no part of what is there now.
    const { chargePointId, read, clock } = this.#wire
    const newest = (await read.messagesOf(chargePointId, {}, { first: 1 })).rows[0]?.row.id ?? BEFORE_ALL
    yield [{ cursor: String(newest), at: clock.now(), kind: "SnapshotEnd", message: null }]
    yield* this.#resume(watch, newest, signal, join)
  }

  live(signal: AbortSignal): AsyncIterable<MessageTold> {
    const opening = Watch.open(this.#wire, signal)
    // It fails again where it is read.
    opening.catch(() => undefined)
    return this.#told(opening)
  }

  isAfter(cursor: string, other: string): boolean {
    return Number(cursor) > Number(other)
  }

  [Symbol.asyncIterator](): AsyncIterator<MessageTold> {
    return tellAll(this)
  }

  /** The position, where the log still holds its frame; else what followed it cannot be known. */
  async #kept(after: string): Promise<number | undefined> {
    const id = after !== UNFINISHED && /^\d{1,15}$/.test(after) ? Number(after) : undefined
    if (id === undefined || id === BEFORE_ALL) return id
    const [first] = await this.#wire.read.messagesFrom(this.#wire.chargePointId, id, 1)
    return first?.id === id ? id : undefined
  }

  async *#resume(
    watch: Watch,
    position: number,
    signal: AbortSignal,
    join: (cursor: string) => void,
  ): AsyncGenerator<MessageTold[], void> {
    let last = position
    for (let full = true; full && !signal.aborted;) {
      const page = await this.#wire.read.messagesFrom(this.#wire.chargePointId, last + 1, PAGE)
      last = page.at(-1)?.id ?? last
      full = page.length === PAGE
      if (page.length > 0) yield page.map(tell)
    }
    for (let waiting = watch.take(last); waiting.length > 0; waiting = watch.take(last)) {
      last = waiting.at(-1)?.id ?? last
      yield waiting.map(tell)
    }
    if (!signal.aborted) join(String(last))
  }

  async *#told(opening: Promise<Watch>): AsyncGenerator<MessageTold, void> {
    await using watch = await opening
    while (await watch.more()) for (const message of watch.take(BEFORE_ALL)) yield tell(message)
  }
}

const tell = (message: MessageRow): MessageTold => ({
  cursor: String(message.id),
  at: message.at,
  kind: "Exchanged",
  message,
})

/** The frames of one charge point as they come, kept until they are taken. */
class Watch implements AsyncDisposable {
  readonly #signal: AbortSignal
  readonly #onAbort = () => this.#wake()
  #watching: AsyncDisposable | undefined
  #waiting: MessageRow[] = []
  #lagging = false
  #wake: () => void = () => undefined

  private constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener("abort", this.#onAbort)
  }

  /** Frames are kept from this call on where the wire is watched already, else from when this resolves. */
  static async open({ bus, chargePointId }: Wire, signal: AbortSignal): Promise<Watch> {
    const watch = new Watch(signal)
    watch.#watching = await bus.watchMessages(chargePointId, (rows) => watch.#receive(rows))
    return watch
  }

  /** Those with ids beyond this one. @throws Lagging */
  take(after: number): MessageRow[] {
    if (this.#lagging) throw new Lagging("the frames came faster than they were read")
    const taken = this.#waiting.filter(({ id }) => id > after)
    this.#waiting = []
    return taken
  }

  /** Resolves when there is something to take; false: the end. */
  async more(): Promise<boolean> {
    while (!this.#signal.aborted) {
      if (this.#waiting.length > 0 || this.#lagging) return true
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort)
    await this.#watching?.[Symbol.asyncDispose]()
  }

  #receive(rows: readonly MessageRow[]): void {
    this.#lagging ||= this.#waiting.length + rows.length > MAX_WAITING
    if (!this.#lagging) this.#waiting.push(...rows)
    this.#wake()
  }
}
