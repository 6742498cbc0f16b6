/** What the writer thread and its owner say to each other, and the thread's side of it. */
import type { Database } from "bun:sqlite"
import { readRecorded, writeHeads, writeTexts } from "../../facts/recorded.ts"
import { type Changes, failureOf, Groups, type Settled } from "../group.ts"
import { type CarriedWrites, unpackWrites } from "./carriage.ts"
import { type Checkpoint, checkpoint, openForWriting, SqliteEngine } from "./engine.ts"

/** To the thread. */
export type Order =
  | { kind: "Open"; path: string }
  | ({ kind: "Settle"; now: number } & CarriedWrites)
  | { kind: "Checkpoint" }
  | { kind: "Close" }

/** From the thread, one per order, in their order. */
export type Answer =
  | { kind: "Opened" }
  | ({ kind: "Settled" } & Carried)
  | ({ kind: "Checkpointed" } & Checkpoint)
  | { kind: "Closed" }
  | { kind: "Failed"; message: string }

/** `Settled` on its way: JSON, but the events' texts are not wrapped in JSON once more. */
interface Carried {
  results: string
  entries: { id: number; heads: string; texts: string }[]
}

const carry = ({ results, entries }: Settled): Carried => ({
  results: JSON.stringify(results),
  entries: entries.map(({ id, events }) => ({ id, heads: writeHeads(events), texts: writeTexts(events) })),
})

/** The other end of the journey. */
export const unpack = ({ results, entries }: Carried): Settled => ({
  results: JSON.parse(results),
  entries: entries.map(({ id, heads, texts }) => ({ id, events: readRecorded(heads, texts) })),
})

/** Serves orders in this thread, by these rules. */
export function serveWriter(changes: Changes): void {
  let db: Database | undefined
  let groups: Groups | undefined

  const answer = async (order: Order): Promise<Answer> => {
    switch (order.kind) {
      case "Open":
        db = openForWriting(order.path)
        groups = new Groups(new SqliteEngine(db), changes)
        return { kind: "Opened" }
      case "Settle": {
        if (groups === undefined) throw new Error("the writer is not open")
        return { kind: "Settled", ...carry(await groups.settle(unpackWrites(order), order.now)) }
      }
      case "Checkpoint":
        if (db === undefined) throw new Error("the database is not open")
        return { kind: "Checkpointed", ...checkpoint(db) }
      case "Close":
        db?.close()
        return { kind: "Closed" }
    }
  }

  // One order at a time: a group's transaction must be over before the next one begins.
  let last: Promise<void> = Promise.resolve()
  addEventListener("message", ({ data }: MessageEvent<Order>) => {
    last = last
      .then(() => answer(data))
      .catch((cause): Answer => ({ kind: "Failed", message: failureOf(cause, true).message }))
      .then((given) => postMessage(given))
  })
}
