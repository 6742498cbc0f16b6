/** Charge points within firmware campaigns in a unit of work, found by campaign and by charge point as well. */
import { isUnderWay, UNDER_WAY } from "../../facts/campaigns.ts"
import type { CampaignEntryKey, FirmwareCampaignChargePoints } from "../../facts/facts.ts"
import type { FirmwareCampaignChargePointRow } from "../../facts/rows-of-campaigns.ts"
import type { Session } from "../session.ts"
import { selectBy } from "../statements.ts"
import { encodeValue, firmwareCampaignChargePoints } from "../tables.ts"
import { type Gathering, LoadedRows, workOn } from "./rows.ts"

const work = workOn<FirmwareCampaignChargePointRow, CampaignEntryKey>(
  firmwareCampaignChargePoints,
  ({ campaignId, chargePointId }) => [encodeValue(campaignId), encodeValue(chargePointId)],
)
const words = UNDER_WAY.map((word) => `'${word}'`).join(", ")
const selectPending = selectBy(firmwareCampaignChargePoints, ["campaignId"], "t.state = 'Pending'")
const selectUnderWay = selectBy(firmwareCampaignChargePoints, ["chargePointId"], `t.state IN (${words})`)

export class LoadedCampaignChargePoints
  extends LoadedRows<FirmwareCampaignChargePointRow, CampaignEntryKey>
  implements FirmwareCampaignChargePoints
{
  readonly #pending: Gathering<FirmwareCampaignChargePointRow>
  readonly #underWay: Gathering<FirmwareCampaignChargePointRow>

  constructor(session: Session) {
    super(work, session)
    this.#pending = this.gather(["campaignId"], selectPending)
    this.#underWay = this.gather(["chargePointId"], selectUnderWay)
  }

  loadPending(campaignIds: readonly string[]): Promise<void> {
    return this.#pending.load(campaignIds.map((id) => [encodeValue(id)]))
  }

  pending(campaignId: string): Readonly<FirmwareCampaignChargePointRow>[] {
    return this.#pending.of([encodeValue(campaignId)]).filter(({ state }) => state === "Pending")
  }

  loadUnderWay(chargePointIds: readonly string[]): Promise<void> {
    return this.#underWay.load(chargePointIds.map((id) => [encodeValue(id)]))
  }

  underWay(chargePointId: string): Readonly<FirmwareCampaignChargePointRow>[] {
    return this.#underWay.of([encodeValue(chargePointId)]).filter(({ state }) => isUnderWay(state))
  }
}
