/** What is kept as it came: reports, stray messages and the wire log. */
import type { MessageRow, ReportRow, StrayMessageRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { among, type Source } from "./source.ts"

const newestReports: Order<ReportRow> = {
  name: "reports",
  by: { receivedAt: "integer", id: "text" },
  direction: "desc",
}
const newestStrays: Order<StrayMessageRow> = { ...newestReports, name: "strayMessages" }
const newestMessages: Order<MessageRow> = { name: "messages", by: { id: "integer" }, direction: "desc" }

export function recordReads(source: Source): Pick<Reads, "reportsOf" | "strayMessagesOf" | "messagesOf"> {
  const { db } = source
  return {
    reportsOf(chargePointId, actions, page) {
      const found = db.selectFrom("reports").selectAll().where("chargePointId", "=", chargePointId)
      return slice(found.where(among(source, "action", actions)), newestReports, page)
    },

    strayMessagesOf: (chargePointId, page) =>
      slice(db.selectFrom("strayMessages").selectAll().where("chargePointId", "=", chargePointId), newestStrays, page),

    messagesOf(chargePointId, { action, uniqueId }, page) {
      let found = db.selectFrom("messages").selectAll().where("chargePointId", "=", chargePointId)
      if (action !== undefined) found = found.where("action", "=", action)
      if (uniqueId !== undefined) found = found.where("uniqueId", "=", uniqueId)
      return slice(found, newestMessages, page)
    },
  }
}
