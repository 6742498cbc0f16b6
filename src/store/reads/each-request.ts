/** What every request asks: prepared by hand, because writing a question anew takes longer than answering one of these. */
import type { Reads } from "../../services/ports.ts"
import { selectOne } from "../statements.ts"
import { apiTokens, chargePoints, encodeText } from "../tables.ts"
import type { StoreSource } from "./source.ts"

const tokenByHash = selectOne(apiTokens, "tokenHash")
const chargePointByIdentity = selectOne(chargePoints, "identity")

export const readsOfEachRequest = ({ ask }: StoreSource): Pick<Reads, "apiTokenByHash" | "chargePointByIdentity"> => ({
  apiTokenByHash: async (tokenHash) => (await ask(tokenByHash, [encodeText(tokenHash)]))[0],
  chargePointByIdentity: async (identity) => (await ask(chargePointByIdentity, [encodeText(identity)]))[0],
})
