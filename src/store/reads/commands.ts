/** Commands, by id, by the client's key, as filtered lists, and as the queues of charge points. */
import { type RawBuilder, sql } from "kysely"
import type { CommandRow, CommandState } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, type Source } from "./source.ts"

type CommandReads = Pick<
  Reads,
  | "commandsByIds"
  | "commandByIdempotencyKey"
  | "commands"
  | "commandsOfEach"
  | "nextQueuedCommand"
  | "chargePointsWithQueue"
  | "expiredCommands"
  | "countQueuedCommands"
  | "overdueCommands"
>

const newestFirst: Order<CommandRow> = {
  name: "commands",
  by: { requestedAt: "integer", id: "text" },
  direction: "desc",
}

const ofChargePoint: ChildList<CommandRow, string> = {
  table: "commands",
  key: "id",
  parent: "chargePointId",
  parentOf: ({ chargePointId }) => chargePointId,
  order: newestFirst,
}

// In the statement's own text: only so do the engines use the indexes of the few that are unfinished.
const UNFINISHED = ["Queued", "Sent"] as const
const isUnfinished = (field: string): RawBuilder<boolean> => sql<boolean>`${sql.ref(field)} in ('Queued', 'Sent')`
const isQueued = (field: string): RawBuilder<boolean> => sql<boolean>`${sql.ref(field)} = 'Queued'`

/** One of these states; none given: any. */
function inState(source: Source, field: string, states: readonly CommandState[] | undefined): RawBuilder<boolean>[] {
  if (states === undefined) return []
  const areUnfinished = states.every((state) => UNFINISHED.some((unfinished) => unfinished === state))
  return [
    among(source, field, states),
    ...(areUnfinished ? [isUnfinished(field)] : []),
    ...(states.every((state) => state === "Queued") ? [isQueued(field)] : []),
  ]
}

export function commandReads(source: Source): CommandReads {
  const { db } = source
  const all = () => db.selectFrom("commands").selectAll()
  return {
    commandsByIds: (ids) =>
      all()
        .where(among(source, "id", ids))
        .execute(),

    commandByIdempotencyKey: (organisationId, idempotencyKey) =>
      all()
        .where("organisationId", "=", organisationId)
        .where("idempotencyKey", "=", idempotencyKey)
        .executeTakeFirst(),

    commands(organisationId, { chargePointIds, action, state }, page) {
      let found = all().where("organisationId", "=", organisationId)
      if (chargePointIds !== undefined) found = found.where(among(source, "chargePointId", chargePointIds))
      if (action !== undefined) found = found.where("action", "=", action)
      for (const condition of inState(source, "state", state)) found = found.where(condition)
      return slice(found, newestFirst, page)
    },

    commandsOfEach: (chargePointIds, { state }, page) =>
      sliceOfEach(source, ofChargePoint, chargePointIds, inState(source, "n.state", state), page),

    async nextQueuedCommand(chargePointId) {
      const row = await all()
        .innerJoin("sealedRequests", "sealedRequests.commandId", "commands.id")
        .select("sealedRequests.sealed")
        .selectAll("commands")
        .where("chargePointId", "=", chargePointId)
        .where(isQueued("commands.state"))
        .orderBy("requestedAt")
        .orderBy("id")
        .limit(1)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const { sealed, ...command } = row
      return { command, sealed }
    },

    async chargePointsWithQueue(chargePointIds) {
      const waiting = db.selectFrom("commands").select("chargePointId").distinct().where(isQueued("commands.state"))
      const rows = await (
        chargePointIds === undefined
          ? db
              .selectFrom(waiting.as("waiting"))
              .innerJoin("chargePoints", "chargePoints.id", "waiting.chargePointId")
              .select("waiting.chargePointId")
              .where("chargePoints.online", "=", 1)
              .where("chargePoints.registrationStatus", "=", "Accepted")
              .where("chargePoints.acceptedAt", "is not", null)
          : waiting.where(among(source, "chargePointId", chargePointIds))
      ).execute()
      return rows.map((row) => row.chargePointId)
    },

    expiredCommands: (at, limit) =>
      all()
        .where(isQueued("state"))
        .where("expiresAt", "<=", at)
        .orderBy("expiresAt")
        .orderBy("id")
        .limit(limit)
        .execute(),

    async countQueuedCommands() {
      const counting = db.selectFrom("commands").select(({ fn }) => fn.countAll<number>().as("count"))
      return (await counting.where(isQueued("state")).executeTakeFirstOrThrow()).count
    },

    overdueCommands: (before, limit) =>
      all()
        .where(isUnfinished("state"))
        .where("state", "=", "Sent")
        .where("deadlineAt", "<", before)
        .orderBy("deadlineAt")
        .orderBy("id")
        .limit(limit)
        .execute(),
  }
}
