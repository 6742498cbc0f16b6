/** Charge points, with what hangs on each of them. */
import { type SelectQueryBuilder, sql } from "kysely"
import type { ChargePointRow } from "../../facts/rows.ts"
import type { ChargePointFilter, OnlineChargePoint, Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { chargePoints, configurationKeys, decode, type Schema, type Stored } from "../tables.ts"
import { among, contains, type Source } from "./source.ts"

type ChargePointReads = Pick<
  Reads,
  | "chargePointByIdentityInAnyCase"
  | "chargePointsOfIdentities"
  | "chargePointsByIds"
  | "deletedChargePointsByIds"
  | "chargePointsByIdentities"
  | "chargePoints"
  | "countChargePoints"
  | "countHeld"
  | "onlineChargePoints"
  | "connectorsOf"
  | "configurationOf"
  | "deviationsOf"
  | "localListsOf"
>

const byIdentity: Order<Stored<ChargePointRow>> = { name: "chargePoints", by: { identity: "text" }, direction: "asc" }
/** All of them are read every few seconds, so no more than is looked at. */
const ONLINE = [
  "id",
  "organisationId",
  "identity",
  "epoch",
  "nodeId",
  "lastSeenAt",
  "connectedSince",
  "heartbeatIntervalS",
] as const satisfies readonly (keyof OnlineChargePoint)[]
const chargePoint = (row: Stored<ChargePointRow>): ChargePointRow => decode(chargePoints, row)

export function chargePointReads(source: Source): ChargePointReads {
  const all = () => source.db.selectFrom("chargePoints").selectAll()

  function matching<Row>(query: SelectQueryBuilder<Schema, "chargePoints", Row>, filter: ChargePointFilter) {
    const { nodeId, identities, search, online, registrationStatus, connectorStatus, vendor, model } = filter
    let found = query
    if (identities !== undefined) found = found.where(among(source, "chargePoints.identity", identities))
    if (nodeId !== undefined) found = found.where("chargePoints.nodeId", "=", nodeId)
    if (online !== undefined) found = found.where("chargePoints.online", "=", online ? 1 : 0)
    if (registrationStatus !== undefined)
      found = found.where("chargePoints.registrationStatus", "=", registrationStatus)
    if (vendor !== undefined) found = found.where("chargePoints.vendor", "=", vendor)
    if (model !== undefined) found = found.where("chargePoints.model", "=", model)
    if (search !== undefined)
      found = found.where(({ or }) =>
        or(["identity", "vendor", "model", "serialNumber"].map((field) => contains(`chargePoints.${field}`, search))),
      )
    if (connectorStatus !== undefined)
      found = found.where(({ exists, selectFrom }) =>
        exists(
          selectFrom("connectors")
            .select("connectors.connectorId")
            .whereRef("connectors.chargePointId", "=", "chargePoints.id")
            .where("connectors.connectorId", ">", 0)
            .where(among(source, "connectors.status", connectorStatus)),
        ),
      )
    return found
  }

  return {
    async chargePointByIdentityInAnyCase(identity) {
      const inAnyCase = all().where(sql<boolean>`lower(identity) = lower(${identity})`)
      const [row, ...others] = await inAnyCase.limit(2).execute()
      return row && others.length === 0 ? chargePoint(row) : undefined
    },

    async chargePointsOfIdentities(identities) {
      return (
        await all()
          .where(among(source, "identity", identities))
          .execute()
      ).map(chargePoint)
    },

    async chargePointsByIds(ids) {
      return (
        await all()
          .where(among(source, "id", ids))
          .execute()
      ).map(chargePoint)
    },

    deletedChargePointsByIds: (ids) =>
      source.db
        .selectFrom("deletedChargePoints")
        .selectAll()
        .where(among(source, "id", ids))
        .execute(),

    async chargePointsByIdentities(organisationId, identities) {
      const found = all()
        .where("organisationId", "=", organisationId)
        .where(among(source, "identity", identities))
      return (await found.execute()).map(chargePoint)
    },

    async chargePoints(organisationId, filter, page) {
      const found = matching(all().where("chargePoints.organisationId", "=", organisationId), filter)
      const { rows, ...more } = await slice(found, byIdentity, page)
      return { rows: rows.map(({ row, cursor }) => ({ row: chargePoint(row), cursor })), ...more }
    },

    async countChargePoints(organisationId, filter) {
      const counting = source.db
        .selectFrom("chargePoints")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("chargePoints.organisationId", "=", organisationId)
      return (await matching(counting, filter).executeTakeFirstOrThrow()).count
    },

    async countHeld(organisationId, nodeIds) {
      const rows = await source.db
        .selectFrom("chargePoints")
        .select(({ fn }) => ["nodeId", fn.countAll<number>().as("count")])
        .where("organisationId", "=", organisationId)
        .where("online", "=", 1)
        .where(among(source, "nodeId", nodeIds))
        .groupBy("nodeId")
        .execute()
      return new Map(rows.map(({ nodeId, count }) => [nodeId ?? "", count]))
    },

    onlineChargePoints(afterId, limit) {
      const online = source.db.selectFrom("chargePoints").select(ONLINE).where("online", "=", 1)
      const further = afterId === null ? online : online.where("id", ">", afterId)
      return further.orderBy("id").limit(limit).execute()
    },

    connectorsOf(chargePointIds) {
      const found = source.db
        .selectFrom("connectors")
        .selectAll()
        .where(among(source, "chargePointId", chargePointIds))
      return found.orderBy("chargePointId").orderBy("connectorId").execute()
    },

    async configurationOf(chargePointIds) {
      const found = source.db.selectFrom("configurationKeys").selectAll()
      const rows = await found
        .where(among(source, "chargePointId", chargePointIds))
        .orderBy("chargePointId")
        .orderBy("key")
        .execute()
      return rows.map((row) => decode(configurationKeys, row))
    },

    localListsOf: (chargePointIds) =>
      source.db
        .selectFrom("localLists")
        .selectAll()
        .where(among(source, "chargePointId", chargePointIds))
        .execute(),

    deviationsOf(chargePointIds) {
      const found = source.db
        .selectFrom("deviations")
        .selectAll()
        .where(among(source, "chargePointId", chargePointIds))
      return found.orderBy("lastAt", "desc").orderBy("kind").orderBy("place").execute()
    },
  }
}
