/** The story that the stream tells of one kind of event. */
import type { Event } from "../../facts/events.ts"
import { CursorExpired, type EventStream, type Interest, type StreamEvent } from "../ports.ts"
import { isOf } from "./matching.ts"
import type { Plot, Snapshots } from "./snapshots.ts"
import { type Beginning, type Story, type Telling, tellAll, UNFINISHED } from "./story.ts"

type Stream = Pick<EventStream, "cursor" | "live" | "replay" | "isAfter">

/** Begins with a snapshot, or behind a cursor, and goes on as the stream does. */
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
