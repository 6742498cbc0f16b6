import type { CampaignTold } from "../../src/services/following/campaigns.ts"
import { builder } from "../builder.ts"
import { FirmwareCampaignChangeKindWords } from "../enums-of-campaigns.ts"
import { FirmwareCampaign, FirmwareCampaignChargePoint } from "../refs.ts"
import { beginningArgs, beginningOf, changeType } from "./change.ts"

const FirmwareCampaignChangeRef = changeType<CampaignTold>(
  "FirmwareCampaignChange",
  "A firmware campaign, or one of its charge points, is in another state, or is there.",
  FirmwareCampaignChangeKindWords,
)

builder.objectFields(FirmwareCampaignChangeRef, (t) => ({
  firmwareCampaign: t.expose("campaign", {
    type: FirmwareCampaign,
    nullable: true,
    description: "The campaign and its counts as of the change. Null with SNAPSHOT_END only.",
  }),
  progress: t.expose("chargePoint", {
    type: FirmwareCampaignChargePoint,
    nullable: true,
    description: "With kinds PROGRESS and SNAPSHOT: one of its charge points as of the change.",
  }),
}))

builder.subscriptionField("firmwareCampaignChanged", (t) =>
  t.field({
    type: FirmwareCampaignChangeRef,
    description: "A firmware campaign as it goes on.",
    args: {
      id: t.arg.globalID({ for: FirmwareCampaign, required: true, description: "Which campaign." }),
      ...beginningArgs(t.arg, {
        snapshot: "Here: the campaign alone, and then with each of its charge points in the order they were named.",
      }),
    },
    subscribe: async (_root, { id, ...beginning }, { services, viewer }) => {
      const campaign = await services.firmwareCampaigns.find(viewer, id.id)
      return services.following.firmwareCampaign(viewer, campaign.id, beginningOf(beginning))
    },
    resolve: (told) => told,
  }),
)
