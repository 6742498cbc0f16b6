/** What every request asks: prepared by hand, because writing a question anew takes longer than answering one of these. */
import type { Reads } from "../../services/ports.ts"
import { selectBy, selectOne } from "../statements.ts"
import { apiTokens, chargePoints, encodeText, idTags } from "../tables.ts"
import type { StoreSource } from "./source.ts"

const tokenByHash = selectOne(apiTokens, "tokenHash")
const idTagsByKeys = selectBy(idTags, ["organisationId", "idTagKey"])
const chargePointByIdentity = selectOne(chargePoints, "identity")

type RequestReads = Pick<Reads, "apiTokenByHash" | "chargePointByIdentity" | "idTagsByKeys">

export const readsOfEachRequest = ({ ask }: StoreSource): RequestReads => ({
  apiTokenByHash: async (tokenHash) => (await ask(tokenByHash, [[encodeText(tokenHash)]]))[0],
  chargePointByIdentity: async (identity) => (await ask(chargePointByIdentity, [[encodeText(identity)]]))[0],
  idTagsByKeys: (organisationId, idTagKeys) =>
    ask(
      idTagsByKeys,
      [...new Set(idTagKeys)].map((key) => [organisationId, encodeText(key)]),
    ),
})
