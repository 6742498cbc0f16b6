/** The API's bearer tokens, and whose they are. */
import type { Reads } from "../../services/ports.ts"
import type { Source } from "./source.ts"

export function apiTokenReads({ db }: Source): Pick<Reads, "apiTokens" | "organisationExists"> {
  return {
    async organisationExists(organisationId) {
      const found = db.selectFrom("organisations").select("id").where("id", "=", organisationId)
      return (await found.executeTakeFirst()) !== undefined
    },

    apiTokens: (organisationId) =>
      db
        .selectFrom("apiTokens")
        .selectAll()
        .where("organisationId", "=", organisationId)
        .orderBy("createdAt", "desc")
        .orderBy("id", "desc")
        .execute(),
  }
}
