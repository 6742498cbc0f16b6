/** An organisation's charge points summed up: asked once, or followed as the sums change. */
import { createHash } from "node:crypto"
import type { Log } from "../log.ts"
import { type Beginning, type SnapshotKind, type Story, type Telling, tellAll, UNFINISHED } from "./following/story.ts"
import type { Clock, FleetSums, Store } from "./ports.ts"

/** A power reading older than this says nothing about now. */
const POWER_READING_LIFE_MS = 15 * 60_000

/** The sums with a name for their values: equal sums have equal names. */
interface FleetState extends Telling {
  sums: FleetSums
}

export interface FleetTold extends FleetState {
  kind: "Changed" | SnapshotKind
}

interface FleetOptions {
  store: Pick<Store, "read">
  clock: Clock
  log: Log
}

/** The followers of one organisation who want to hear equally often. */
interface Circle {
  latest: Promise<FleetState>
  followers: Set<(state: FleetState) => void>
  timer: ReturnType<typeof setInterval>
}

export class Fleet {
  readonly #options: FleetOptions
  readonly #circles = new Map<string, Circle>()
  /** Questions on their way to the store, by organisation. */
  readonly #asking = new Map<string, Promise<FleetState>>()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** The sums as of now; energy counts from 00:00 UTC of today. */
  async sumsOf(organisationId: string): Promise<FleetSums> {
    return (await this.#stateOf(organisationId)).sums
  }

  /**
   * The sums each time they are found changed, looked at every `everyMs`; followers of one organisation share the
   * looking. `after` sums that are those of now nothing is told until they change. A follower who reads slowly misses
   * what lies between. Any text is a good cursor: it names sums that are no longer there.
   */
  story(organisationId: string, everyMs: number, beginning: Beginning): Story<FleetTold> {
    const begin = (join: (cursor: string) => void) => this.#begin(organisationId, beginning, join)
    const story: Pick<Story<FleetTold>, "begin" | "live"> = {
      begin: (_signal, join) => begin(join),
      live: (signal) => this.#live(organisationId, everyMs, signal),
    }
    return {
      ...story,
      scope: `${organisationId} ${everyMs}`,
      isAfter: (cursor, other) => cursor !== other,
      [Symbol.asyncIterator]: () => tellAll(story),
    }
  }

  /** From the sums that a follower knows of, `live` tells every other. */
  async *#begin(
    organisationId: string,
    { after, snapshot }: Beginning,
    join: (cursor: string) => void,
  ): AsyncGenerator<FleetTold[], void> {
    const now = await this.#stateOf(organisationId)
    const { cursor } = now
    if (after !== undefined && after !== UNFINISHED) {
      if (after !== cursor) yield [{ ...now, kind: "Changed" }]
    } else if (snapshot || after === UNFINISHED) {
      yield [
        { ...now, kind: "Snapshot", cursor: UNFINISHED },
        { ...now, kind: "SnapshotEnd" },
      ]
    }
    join(cursor)
  }

  /** The sums as of the first look, then each time they are others. */
  async *#live(organisationId: string, everyMs: number, signal: AbortSignal): AsyncGenerator<FleetTold, void> {
    if (signal.aborted) return
    let waiting: FleetState | undefined
    let wake: () => void = () => undefined
    const follower = (state: FleetState) => {
      waiting = state
      wake()
    }
    const onAbort = () => wake()
    const circle = this.#join(`${organisationId} ${everyMs}`, organisationId, everyMs, follower)
    signal.addEventListener("abort", onAbort)
    try {
      const first = await circle.latest
      waiting ??= first
      while (!signal.aborted) {
        if (waiting) {
          const state: FleetState = waiting
          waiting = undefined
          yield { ...state, kind: "Changed" }
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort)
      this.#leave(`${organisationId} ${everyMs}`, follower)
    }
  }

  #join(key: string, organisationId: string, everyMs: number, follower: (state: FleetState) => void): Circle {
    const known = this.#circles.get(key)
    if (known) {
      known.followers.add(follower)
      return known
    }
    let busy = false
    const look = async () => {
      // A store slower than the interval is asked once at a time.
      if (busy) return
      busy = true
      try {
        const now = await this.#stateOf(organisationId)
        const before = await circle.latest.catch(() => undefined)
        circle.latest = Promise.resolve(now)
        if (before?.cursor === now.cursor) return
        for (const tell of circle.followers) tell(now)
      } catch (cause) {
        this.#options.log.warn({ err: cause }, "the fleet could not be summed up")
      } finally {
        busy = false
      }
    }
    const circle: Circle = {
      latest: this.#stateOf(organisationId),
      followers: new Set([follower]),
      timer: setInterval(() => void look(), everyMs),
    }
    this.#circles.set(key, circle)
    return circle
  }

  #leave(key: string, follower: (state: FleetState) => void): void {
    const circle = this.#circles.get(key)
    if (!circle) return
    circle.followers.delete(follower)
    if (circle.followers.size > 0) return
    clearInterval(circle.timer)
    this.#circles.delete(key)
  }

  #stateOf(organisationId: string): Promise<FleetState> {
    const known = this.#asking.get(organisationId)
    if (known !== undefined) return known
    const asking = this.#askFor(organisationId).finally(() => this.#asking.delete(organisationId))
    this.#asking.set(organisationId, asking)
    return asking
  }

  async #askFor(organisationId: string): Promise<FleetState> {
    const { store, clock } = this.#options
    const at = clock.now()
    const midnight = new Date(at).setUTCHours(0, 0, 0, 0)
    const sums = await store.read.fleet(organisationId, midnight, at - POWER_READING_LIFE_MS)
    return { sums, at, cursor: nameOf(sums) }
  }
}

function nameOf({ connectorsByStatus, ...sums }: FleetSums): string {
  const words = [sums.chargePoints, sums.online, sums.offline, sums.activeTransactions, sums.powerW, sums.energyWh]
  const statuses = Object.entries(connectorsByStatus).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash("sha256")
    .update(JSON.stringify([words, statuses]))
    .digest("base64url")
    .slice(0, 22)
}
