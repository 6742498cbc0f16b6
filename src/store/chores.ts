/** What is written without a rule: it shares the commit groups of the changes, so nothing else writes to the database. */
import type { DeviationRow, MessageRow } from "../facts/rows.ts"
import type { PruneBefore } from "../services/ports.ts"
import { addFileChunk, pruneDiagnostics, pruneFileChunks, removeFileChunks } from "./file-statements.ts"
import { pruneMeterValues, unlistOldest } from "./reading-statements.ts"
import type { Session } from "./session.ts"
import {
  addCounts,
  append,
  markPublished,
  moveSetting,
  pruneJournal,
  pruneMessages,
  putSetting,
  type Statement,
  settleSetting,
} from "./statements.ts"
import { deviations, encode, fieldsOf, messages } from "./tables.ts"

/** Every chore by name: what goes in and what comes out. Plain data, like the inputs of changes. */
export interface ChoreCatalogue {
  addDeviations: [input: readonly DeviationRow[], outcome: null]
  /** The ids given, in the order of the rows. */
  addMessages: [input: readonly Omit<MessageRow, "id">[], outcome: number[]]
  /** False, with nothing written, where the setting no longer has the value `from`. */
  markPublished: [
    input: { ids: readonly number[]; setting: { key: string; from: string; to: string } },
    outcome: boolean,
  ]
  putSetting: [input: { key: string; value: string }, outcome: null]
  /** The value that the setting now has: the given one only if it had none. */
  settleSetting: [input: { key: string; value: string }, outcome: string]
  /** How many rows went, and how many of them were journal rows that had not been published. */
  prune: [input: { before: PruneBefore; limit: number }, outcome: { gone: number; unpublished: number }]
  /** The bytes in hexadecimal digits, which cross to the writer as text. */
  addFileChunk: [input: { fileId: string; position: number; at: number; hex: string }, outcome: null]
  removeFileChunks: [input: { fileId: string }, outcome: null]
}

export type ChoreName = keyof ChoreCatalogue

type Chores = {
  [Name in ChoreName]: (session: Session, input: ChoreCatalogue[Name][0]) => Promise<ChoreCatalogue[Name][1]>
}

const addDeviationCounts = addCounts(deviations)
const appendMessages = append(messages)
const deviationFields = fieldsOf(deviations)
const messageFields = fieldsOf(messages)

export const chores: Chores = {
  async addDeviations(session, rows) {
    const sums = new Map<string, DeviationRow>()
    for (const row of rows) {
      const key = JSON.stringify([row.chargePointId, row.kind, row.place])
      const sum = sums.get(key)
      sums.set(key, sum === undefined ? row : { ...row, count: sum.count + row.count, firstAt: sum.firstAt })
    }
    // Two nodes may count on the same rows; in key order they cannot wait for each other in a circle.
    const ordered = [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
    await session.run(
      addDeviationCounts,
      ordered.map((row) => encode(row, deviationFields)),
    )
    return null
  },

  async addMessages(session, rows) {
    const given = await session.run(
      appendMessages,
      rows.map((row) => encode(row, messageFields)),
    )
    return given.map(({ id }) => id).sort((one, other) => one - other)
  },

  async markPublished(session, { ids, setting: { key, from, to } }) {
    // First: whoever moves the setting at the same time waits here for the other, and then sees it moved.
    const [moved] = await session.run(moveSetting, [[key, from, to]])
    if (moved === undefined) return false
    await session.run(
      markPublished,
      ids.map((id) => [id]),
    )
    return true
  },

  async putSetting(session, { key, value }) {
    await session.run(putSetting, [[key, value]])
    return null
  },

  async settleSetting(session, { key, value }) {
    const [settled] = await session.run(settleSetting, [[key, value]])
    return settled?.value ?? value
  },

  async prune(session, { before, limit }) {
    const kinds: readonly (readonly [Statement<object>, number | undefined])[] = [
      [pruneMessages, before.messages],
      [pruneMeterValues, before.meterValues],
      [pruneJournal, before.journal],
      [pruneDiagnostics, before.diagnostics],
      [pruneFileChunks, before.looseFileChunks],
    ]
    let gone = 0
    let unpublished = 0
    for (const [statement, instant] of kinds) {
      if (instant === undefined || gone >= limit) continue
      if (statement === pruneMeterValues)
        for (const unlist of unlistOldest) await session.run(unlist, [[instant, limit - gone]])
      const rows = await session.run(statement, [[instant, limit - gone]])
      gone += rows.length
      if (statement !== pruneJournal) continue
      const ids = rows.flatMap((row) => ("id" in row && typeof row.id === "number" ? [[row.id]] : []))
      unpublished += (await session.run(markPublished, ids)).length
    }
    return { gone, unpublished }
  },

  async addFileChunk(session, { fileId, position, at, hex }) {
    await session.run(addFileChunk, [[fileId, position, at, hex]])
    return null
  },

  async removeFileChunks(session, { fileId }) {
    await session.run(removeFileChunks, [[fileId]])
    return null
  },
}

export const isChore = (name: string): name is ChoreName => Object.hasOwn(chores, name)
