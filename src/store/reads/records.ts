/** What is kept as it came: reports, stray messages and the wire log. */
import { type RawBuilder, sql } from "kysely"
import type { MessageRow, ReportRow, StrayMessageRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, type Source } from "./source.ts"

type RecordReads = Pick<
  Reads,
  | "reportsOf"
  | "latestReportsOf"
  | "strayMessagesOf"
  | "strayMessagesOfEach"
  | "messagesOf"
  | "messagesOfEach"
  | "messagesFrom"
>

const newestReports: Order<ReportRow> = {
  name: "reports",
  by: { receivedAt: "integer", id: "text" },
  direction: "desc",
}
const newestStrays: Order<StrayMessageRow> = { ...newestReports, name: "strayMessages" }
const newestMessages: Order<MessageRow> = { name: "messages", by: { id: "integer" }, direction: "desc" }

const onChargePoint = {
  key: "id",
  parent: "chargePointId",
  parentOf: ({ chargePointId }: { chargePointId: string }) => chargePointId,
} as const
const reports: ChildList<ReportRow, string> = { table: "reports", order: newestReports, ...onChargePoint }
const strays: ChildList<StrayMessageRow, string> = { table: "strayMessages", order: newestStrays, ...onChargePoint }
const messages: ChildList<MessageRow, string> = { table: "messages", order: newestMessages, ...onChargePoint }

export function recordReads(source: Source): RecordReads {
  const { db } = source
  return {
    reportsOf(chargePointId, actions, page) {
      const found = db.selectFrom("reports").selectAll().where("chargePointId", "=", chargePointId)
      return slice(found.where(among(source, "action", actions)), newestReports, page)
    },

    async latestReportsOf(chargePointIds, actions) {
      const newest = await Promise.all(
        actions.map((action) => sliceOfEach(source, reports, chargePointIds, [is("action", action)], { first: 1 })),
      )
      return newest.flatMap((byChargePoint) => [...byChargePoint.values()].flatMap(({ rows }) => rows[0]?.row ?? []))
    },

    strayMessagesOf: (chargePointId, page) =>
      slice(db.selectFrom("strayMessages").selectAll().where("chargePointId", "=", chargePointId), newestStrays, page),

    strayMessagesOfEach: (chargePointIds, page) => sliceOfEach(source, strays, chargePointIds, [], page),

    messagesOf(chargePointId, { action, uniqueId }, page) {
      let found = db.selectFrom("messages").selectAll().where("chargePointId", "=", chargePointId)
      if (action !== undefined) found = found.where("action", "=", action)
      if (uniqueId !== undefined) found = found.where("uniqueId", "=", uniqueId)
      return slice(found, newestMessages, page)
    },

    messagesOfEach(chargePointIds, { action, uniqueId }, page) {
      const conditions = [
        ...(action === undefined ? [] : [is("action", action)]),
        ...(uniqueId === undefined ? [] : [is("uniqueId", uniqueId)]),
      ]
      return sliceOfEach(source, messages, chargePointIds, conditions, page)
    },

    messagesFrom(chargePointId, fromId, limit) {
      const found = db.selectFrom("messages").selectAll().where("chargePointId", "=", chargePointId)
      return found.where("id", ">=", fromId).orderBy("id").limit(limit).execute()
    },
  }
}

const is = (field: string, value: string): RawBuilder<boolean> => sql<boolean>`${sql.ref(`n.${field}`)} = ${value}`
