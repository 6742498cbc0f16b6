/** Sums over an organisation's charge points: each is read from an index or from running transactions only. */
import { sql } from "kysely"
import type { FleetSums, Reads } from "../../services/ports.ts"
import type { Source } from "./source.ts"

export function fleetReads({ db }: Source): Pick<Reads, "fleet"> {
  async function chargePoints(organisationId: string): Promise<Pick<FleetSums, "chargePoints" | "online" | "offline">> {
    const rows = await db
      .selectFrom("chargePoints")
      .select(({ fn }) => ["online", fn.countAll<number>().as("count")])
      .where("organisationId", "=", organisationId)
      .groupBy("online")
      .execute()
    const countOf = (flag: number) => rows.find((row) => row.online === flag)?.count ?? 0
    return { chargePoints: countOf(0) + countOf(1), online: countOf(1), offline: countOf(0) }
  }

  async function connectors(organisationId: string): Promise<Record<string, number>> {
    const rows = await db
      .selectFrom("connectors")
      .select(({ fn }) => ["status", fn.countAll<number>().as("count")])
      .where("organisationId", "=", organisationId)
      .where("connectorId", ">", 0)
      .groupBy("status")
      .execute()
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
  }

  function running(organisationId: string) {
    return db
      .selectFrom("transactions")
      .select(({ fn }) => [fn.countAll<number>().as("count"), sql<number>`coalesce(sum(energy_wh), 0)`.as("energy")])
      .where("organisationId", "=", organisationId)
      .where("state", "=", sql.lit("Active"))
      .executeTakeFirstOrThrow()
  }

  function ended(organisationId: string, energySince: number) {
    return db
      .selectFrom("transactions")
      .select(sql<number>`coalesce(sum(energy_wh), 0)`.as("energy"))
      .where("organisationId", "=", organisationId)
      .where("stoppedAt", ">=", energySince)
      .where("state", "<>", sql.lit("Active"))
      .executeTakeFirstOrThrow()
  }

  function power(organisationId: string, powerSince: number) {
    return db
      .selectFrom("runningPowers")
      .innerJoin("transactions", "transactions.transactionId", "runningPowers.transactionId")
      .select(sql<number>`coalesce(sum(power_w), 0)`.as("watts"))
      .where("runningPowers.organisationId", "=", organisationId)
      .where("runningPowers.at", ">=", powerSince)
      .where("transactions.state", "=", sql.lit("Active"))
      .executeTakeFirstOrThrow()
  }

  return {
    async fleet(organisationId, energySince, powerSince) {
      const [counts, connectorsByStatus, active, over, now] = await Promise.all([
        chargePoints(organisationId),
        connectors(organisationId),
        running(organisationId),
        ended(organisationId, energySince),
        power(organisationId, powerSince),
      ])
      return {
        ...counts,
        connectorsByStatus,
        activeTransactions: active.count,
        powerW: now.watts,
        energyWh: active.energy + over.energy,
      }
    },
  }
}
