/**
 * A transaction stood in ten indexes, four of which begin with its charge point: each of these cost every start or stop a
 * page of its own. What three of them found, the one by charge point and start finds too.
 */
import { sql } from "kysely"
import { definitions } from "./definitions.ts"
import type { Migration } from "./migration.ts"

export const fewerIndexes: Migration = async (db, engine) => {
  const { index } = definitions(db, engine)
  // Where the clock is not set, many may have started at one instant.
  await index("transactions_without_clock", "transactions", ["charge_point_id", "start_key"])
    .unique()
    .where(sql.ref("started_at"), "<", sql.lit(Date.UTC(2010, 0, 1)))
    .execute()
  for (const name of ["transactions_start_key", "transactions_of_connector", "transactions_by_end_of_charge_point"])
    await db.schema.dropIndex(name).execute()
}
