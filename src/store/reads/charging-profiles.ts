/** Charging profiles, as far as they can still limit anything. */
import { sql } from "kysely"
import type { Reads } from "../../services/ports.ts"
import { among, type Source } from "./source.ts"

export const chargingProfileReads = (source: Source): Pick<Reads, "chargingProfilesOf"> => ({
  chargingProfilesOf: (chargePointIds) =>
    source.db
      .selectFrom("chargingProfiles")
      .selectAll()
      .where(among(source, "chargingProfiles.chargePointId", chargePointIds))
      // A TxProfile ends with its transaction, however that ends. A transaction nobody knows may well run.
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("transactions")
              .select("transactions.transactionId")
              .whereRef("transactions.transactionId", "=", "chargingProfiles.transactionId")
              .whereRef("transactions.chargePointId", "=", "chargingProfiles.chargePointId")
              .where(sql<boolean>`${sql.ref("transactions.state")} <> 'Active'`),
          ),
        ),
      )
      .orderBy("chargingProfiles.acceptedAt")
      .orderBy("chargingProfiles.commandId")
      .execute(),
})
