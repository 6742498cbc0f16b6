/** A story as one subscriber is told it: first what concerns this one alone, then what all who follow alike are told. */
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
