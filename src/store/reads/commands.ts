/** Commands, by id, by the client's key and as a filtered list. */
import type { CommandRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { among, type Source } from "./source.ts"

type CommandReads = Pick<Reads, "commandsByIds" | "commandByIdempotencyKey" | "commands" | "overdueCommands">

const newestFirst: Order<CommandRow> = {
  name: "commands",
  by: { requestedAt: "integer", id: "text" },
  direction: "desc",
}

export function commandReads(source: Source): CommandReads {
  const all = () => source.db.selectFrom("commands").selectAll()
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
      if (state !== undefined) found = found.where(among(source, "state", state))
      return slice(found, newestFirst, page)
    },

    overdueCommands: (before, limit) =>
      all()
        .where("state", "=", "Sent")
        .where("deadlineAt", "<", before)
        .orderBy("deadlineAt")
        .orderBy("id")
        .limit(limit)
        .execute(),
  }
}
