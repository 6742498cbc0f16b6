/** Who shares a snapshot, and who must not. */
import { expect, test } from "bun:test"
import { type Plot, Snapshots } from "../../src/services/following/snapshots.ts"
import type { Telling } from "../../src/services/following/story.ts"
import { systemClock } from "../bus/support.ts"
import { until } from "../support/until.ts"

/** A stream in which nothing happens. */
const quietStream = {
  cursor: "now",
  reached: async () => undefined,
  async *replay(_interest: unknown, after: string, { caughtUp }: { caughtUp: (cursor: string) => void }) {
    caughtUp(after)
    yield* []
  },
}

test("whoever asks before a snapshot is begun shares it; whoever asks later is shown nothing older than the asking", async () => {
  const books = { present: "before" }
  const reads: { present: string; finish(): void }[] = []
  const plot: Plot<"Command", Telling, string> = {
    interest: { organisationId: "default", type: "Command" },
    narrowing: {},
    present: () =>
      new Promise((resolve) => {
        const { present } = books
        reads.push({ present, finish: () => resolve({ rows: [present], versions: new Map() }) })
      }),
    keyOf: (item) => item,
    fold: () => undefined,
    tell: (_event, place) => place,
    show: () => [],
    end: (place) => place,
  }
  const snapshots = new Snapshots(quietStream, systemClock)
  const early = [snapshots.take("all", plot), snapshots.take("all", plot)]
  await until("the books are read", () => reads.length === 1)
  books.present = "after"
  const late = snapshots.take("all", plot)
  await until("they are read again", () => reads.length === 2)
  for (const { finish } of reads) finish()
  const shown = (await Promise.all([...early, late])).map(({ parts }) => parts)
  expect(shown).toEqual([[["before"]], [["before"]], [["after"]]])
})
