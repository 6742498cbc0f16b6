/** Reservations, by id, by charge point and as a filtered list. */
import { idTagKeyOf } from "../../facts/id-tags.ts"
import type { ReservationRow } from "../../facts/rows.ts"
import type { Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, type Source } from "./source.ts"

type ReservationReads = Pick<
  Reads,
  "reservationsByIds" | "reservations" | "reservationsOfEach" | "activeReservationsOf" | "overdueReservations"
>

const newestFirst: Order<ReservationRow> = {
  name: "reservations",
  by: { requestedAt: "integer", id: "text" },
  direction: "desc",
}

const ofChargePoint: ChildList<ReservationRow, string> = {
  table: "reservations",
  key: "id",
  parent: "chargePointId",
  parentOf: ({ chargePointId }) => chargePointId,
  order: newestFirst,
}

export function reservationReads(source: Source): ReservationReads {
  const all = () => source.db.selectFrom("reservations").selectAll()
  // A statement may only use the index of the open ones whose text says that no other is meant.
  const open = () => all().where("state", "in", ["Requested", "Active"])
  return {
    reservationsByIds: (ids) =>
      all()
        .where(among(source, "id", ids))
        .execute(),

    reservations(organisationId, { chargePointIds, idTag, state }, page) {
      let found = all().where("organisationId", "=", organisationId)
      if (chargePointIds !== undefined) found = found.where(among(source, "chargePointId", chargePointIds))
      if (idTag !== undefined) found = found.where("idTagKey", "=", idTagKeyOf(idTag))
      if (state !== undefined) found = found.where(among(source, "state", state))
      return slice(found, newestFirst, page)
    },

    reservationsOfEach: (chargePointIds, page) => sliceOfEach(source, ofChargePoint, chargePointIds, [], page),

    activeReservationsOf: (chargePointIds) =>
      open()
        .where(among(source, "chargePointId", chargePointIds))
        .where("state", "=", "Active")
        .orderBy("expiryDate")
        .orderBy("id")
        .execute(),

    overdueReservations: (until, limit) =>
      open().where("expiryDate", "<=", until).orderBy("expiryDate").orderBy("id").limit(limit).execute(),
  }
}
