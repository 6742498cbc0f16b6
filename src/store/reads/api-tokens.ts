/** The API's bearer tokens. */
import type { Reads } from "../../services/ports.ts"
import type { Source } from "./source.ts"

export function apiTokenReads({ db }: Source): Pick<Reads, "apiTokenByHash" | "apiTokens"> {
  const all = () => db.selectFrom("apiTokens").selectAll()
  return {
    apiTokenByHash: (tokenHash) => all().where("tokenHash", "=", tokenHash).executeTakeFirst(),

    apiTokens: (organisationId) =>
      all().where("organisationId", "=", organisationId).orderBy("createdAt", "desc").orderBy("id", "desc").execute(),
  }
}
