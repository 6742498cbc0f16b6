/** Positions in the stream of events: opaque outside, generation, entry and place within the entry inside. */
import { CursorExpired } from "../services/ports.ts"

/** An entry's id before the stream's first one. */
export const BEFORE_ALL = "0-0"

export interface Position {
  generation: string
  entryId: string
  /** Place of the event within its entry. */
  index: number
}

/** The text a client is given for a position. */
export function writeCursor({ generation, entryId, index }: Position): string {
  return Buffer.from(`${generation} ${entryId} ${index}`).toString("base64url")
}

/** @throws CursorExpired for a text that names no position (Redis knows no longer numbers), as for one of another time. */
export function readCursor(cursor: string): Position {
  const [, generation, entryId, index] =
    /^(\S+) (\d{1,19}-\d{1,19}) (\d{1,9})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? []
  if (generation === undefined || entryId === undefined) throw new CursorExpired("the cursor names no position")
  return { generation, entryId, index: Number(index) }
}

/** Order of two entries' ids: below zero where the first one is earlier. */
export function compareEntryIds(a: string, b: string): number {
  const [aTime = 0, aCount = 0] = a.split("-").map(Number)
  const [bTime = 0, bCount = 0] = b.split("-").map(Number)
  return aTime - bTime || aCount - bCount
}
