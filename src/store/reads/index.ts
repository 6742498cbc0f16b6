/** Questions to the facts, asked with Kysely on either engine; a file per noun. */
import type { Reads } from "../../services/ports.ts"
import { apiTokenReads } from "./api-tokens.ts"
import { chargePointReads } from "./charge-points.ts"
import { commandReads } from "./commands.ts"
import { fleetReads } from "./fleet.ts"
import { idTagReads } from "./id-tags.ts"
import { meterValueReads } from "./meter-values.ts"
import { presentReads } from "./present.ts"
import { recordReads } from "./records.ts"
import type { Source } from "./source.ts"
import { transactionReads } from "./transactions.ts"

export const readsOf = (source: Source): Reads => ({
  ...chargePointReads(source),
  ...transactionReads(source),
  ...meterValueReads(source),
  ...idTagReads(source),
  ...commandReads(source),
  ...recordReads(source),
  ...presentReads(source),
  ...apiTokenReads(source),
  ...fleetReads(source),
})
