/** A story as one subscriber is told it: first what concerns this one alone, then what all who follow alike are told. */
import type { Event } from "../../facts/events.ts"
import { CursorExpired, type EventStream, type Interest, type StreamEvent } from "../ports.ts"
import { isOf } from "./matching.ts"
import type { Plot, Snapshots } from "./snapshots.ts"

/** Something told, with the cursor behind which the story goes on. */
export interface Telling {
  cursor: string
  /** When it was recorded; with a snapshot, when that was taken. Epoch ms. */
  at: number
}

/** What a snapshot consists of: what is there, one by one, and the word that this was all. */
export type SnapshotKind = "Snapshot" | "SnapshotEnd"

/**
 * Whoever follows is first told by `begin` and then, from the cursor that `join` was given on, by `live`, which those
 * whose stories have the same scope can share.
 */
export interface Story<Told extends Telling> extends AsyncIterable<Told> {
  /** Two stories of one kind with the same scope are told alike. */
  readonly scope: string
  /**
   * What this subscriber alone is to be told, in parts. Before it ends it calls `join`, in the very turn in which nothing
   * lies between what was told and what `live` tells when called in that turn.
   * @throws CursorExpired, StoreUnavailable, BusUnavailable while it is read
   */
  begin(signal: AbortSignal, join: (cursor: string) => void): AsyncIterable<Told[]>
  /** What happens from this call on. Ends with the signal. @throws CursorExpired, Lagging while it is read */
  live(signal: AbortSignal): AsyncIterable<Told>
  /** Whether something told with this cursor is news for whoever has been told up to the other one. */
  isAfter(cursor: string, other: string): boolean
}

/** Where a story begins. */
export interface Beginning {
  /** Only what came after the event that this cursor names. */
  after?: string | undefined
  /** First what is there now; with `after`, only where the cursor is no longer good. */
  snapshot?: boolean | undefined
}

/** The cursor of what is told within a snapshot: to resume there would leave out the rest of it. */
export const UNFINISHED = Buffer.from("unfinished snapshot").toString("base64url")

/** A whole story in one piece, for one reader, who can give it up at any time. */
export function tellAll<Told extends Telling>(story: Pick<Story<Told>, "begin" | "live">): AsyncIterator<Told> {
  const ending = new AbortController()
  const { signal } = ending
  const telling = (async function* () {
    let live: AsyncIterable<Told> | undefined
    const join = () => {
      live = story.live(signal)
    }
    for await (const part of story.begin(signal, join)) yield* part
    if (live !== undefined) yield* live
  })()
  return {
    next: () => telling.next(),
    return: async () => {
      ending.abort()
      return telling.return(undefined)
    },
  }
}

type Stream = Pick<EventStream, "cursor" | "live" | "replay" | "isAfter">

/** The story of one kind of event. */
export class StreamStory<Type extends Event["type"], Told extends Telling, Item> implements Story<Told> {
  readonly scope: string
  readonly #stream: Stream
  readonly #snapshots: Snapshots
  readonly #plot: Plot<Type, Told, Item>
  readonly #beginning: Beginning

  constructor(parts: { stream: Stream; snapshots: Snapshots; plot: Plot<Type, Told, Item>; beginning: Beginning }) {
    this.#stream = parts.stream
    this.#snapshots = parts.snapshots
    this.#plot = parts.plot
    this.#beginning = parts.beginning
    this.scope = scopeOf(parts.plot.interest, parts.plot.narrowing)
  }

  async *begin(signal: AbortSignal, join: (cursor: string) => void): AsyncGenerator<Told[], void> {
    const { after, snapshot } = this.#beginning
    if (after === undefined && !snapshot) {
      join(this.#stream.cursor)
      return
    }
    if (after !== undefined) {
      try {
        yield* this.#resume(after, signal, join)
        return
      } catch (cause) {
        if (!snapshot || !(cause instanceof CursorExpired)) throw cause
      }
    }
    yield* this.#present(signal, join)
  }

  live(signal: AbortSignal): AsyncIterable<Told> {
    return this.#told(this.#stream.live(this.#plot.interest, signal))
  }

  isAfter(cursor: string, other: string): boolean {
    return this.#stream.isAfter(cursor, other)
  }

  [Symbol.asyncIterator](): AsyncIterator<Told> {
    return tellAll(this)
  }

  async *#resume(after: string, signal: AbortSignal, join: (cursor: string) => void): AsyncGenerator<Told[], void> {
    if (after === UNFINISHED) throw new CursorExpired("the snapshot was not finished")
    const missed = this.#stream.replay(this.#plot.interest, after, { signal, caughtUp: join })
    for await (const told of this.#told(missed)) yield [told]
  }

  async *#present(signal: AbortSignal, join: (cursor: string) => void): AsyncGenerator<Told[], void> {
    const { parts, cursor, at } = await this.#snapshots.take(this.scope, this.#plot)
    for (const part of parts) {
      if (signal.aborted) return
      yield await this.#plot.show(part, { cursor: UNFINISHED, at })
    }
    yield [this.#plot.end({ cursor, at })]
    yield* this.#resume(cursor, signal, join)
  }

  async *#told(events: AsyncIterable<StreamEvent>): AsyncGenerator<Told, void> {
    const { interest, tell } = this.#plot
    for await (const { cursor, event } of events) {
      const told = isOf(event, interest.type) ? await tell(event, { cursor, at: event.at }) : undefined
      if (told !== undefined) yield told
    }
  }
}

/** Functions do not show in it: what they look at is in the narrowing. */
const scopeOf = ({ wants: _, ...named }: Interest, narrowing: object): string => JSON.stringify([named, narrowing])
