/** Questions to the facts, asked on either engine, with Kysely where they are not asked by every request; a file per noun. */
import type { Reads } from "../../services/ports.ts"
import { apiTokenReads } from "./api-tokens.ts"
import { chargePointReads } from "./charge-points.ts"
import { chargingProfileReads } from "./charging-profiles.ts"
import { commandReads } from "./commands.ts"
import { readsOfEachRequest } from "./each-request.ts"
import { fileReads } from "./files.ts"
import { firmwareCampaignReads } from "./firmware-campaigns.ts"
import { fleetReads } from "./fleet.ts"
import { idTagReads } from "./id-tags.ts"
import { meterValueReads } from "./meter-values.ts"
import { presentReads } from "./present.ts"
import { recordReads } from "./records.ts"
import { reservationReads } from "./reservations.ts"
import type { StoreSource } from "./source.ts"
import { transactionReads } from "./transactions.ts"

export const readsOf = (source: StoreSource): Reads => ({
  ...chargePointReads(source),
  ...chargingProfileReads(source),
  ...transactionReads(source),
  ...meterValueReads(source),
  ...idTagReads(source),
  ...commandReads(source),
  ...reservationReads(source),
  ...recordReads(source),
  ...presentReads(source),
  ...apiTokenReads(source),
  ...fleetReads(source),
  ...fileReads(source),
  ...firmwareCampaignReads(source),
  ...readsOfEachRequest(source),
})
