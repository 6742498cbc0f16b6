/** The story of one firmware campaign; its snapshot is the campaign and each of its charge points. */
import { type CampaignState, campaignState, type FirmwareCampaignChangeKind } from "../../facts/events.ts"
import type { FirmwareCampaignChargePointRow } from "../../facts/rows-of-campaigns.ts"
import type { Reads } from "../ports.ts"
import type { EventOf } from "./matching.ts"
import type { Plot } from "./snapshots.ts"
import type { SnapshotKind, Telling } from "./story.ts"

export interface CampaignTold extends Telling {
  kind: FirmwareCampaignChangeKind | SnapshotKind
  /** Null with SnapshotEnd. */
  campaign: CampaignState | null
  /** With kinds Progress and Snapshot: one of its charge points; null where it is told of the campaign alone. */
  chargePoint: FirmwareCampaignChargePointRow | null
}

type Item = Pick<CampaignTold, "chargePoint"> & { campaign: CampaignState }

const WHOLE = "campaign"

export const campaignPlot = (
  read: Pick<Reads, "presentFirmwareCampaign">,
  organisationId: string,
  campaignId: string,
): Plot<"FirmwareCampaign", CampaignTold, Item> => ({
  interest: { organisationId, type: "FirmwareCampaign", campaignId },
  narrowing: { campaignId },
  tell: ({ kind, campaign, chargePoint = null }, place) => ({ ...place, kind, campaign, chargePoint }),
  present: async () => {
    const { rows, versions } = await read.presentFirmwareCampaign(organisationId, campaignId)
    return { rows: rows.map((row) => ({ ...row, campaign: campaignState(row.campaign) })), versions }
  },
  keyOf: ({ chargePoint }) => chargePoint?.id ?? WHOLE,
  fold,
  show: (items, place) => items.map((item) => ({ ...place, kind: "Snapshot" as const, ...item })),
  end: (place) => ({ ...place, kind: "SnapshotEnd", campaign: null, chargePoint: null }),
})

/** A cancellation tells of the campaign alone; those that were pending are cancelled with it. */
function fold(items: Map<string, Item>, { kind, campaign, chargePoint: moved }: EventOf<"FirmwareCampaign">): void {
  if (!items.has(WHOLE)) items.set(WHOLE, { campaign, chargePoint: null })
  if (moved) items.set(moved.id, { campaign, chargePoint: moved })
  for (const [key, { chargePoint }] of items) {
    const isCancelled = kind === "Cancelled" && chargePoint?.state === "Pending"
    items.set(key, {
      campaign,
      chargePoint: isCancelled ? { ...chargePoint, state: "Cancelled", dueAt: null } : chargePoint,
    })
  }
}
