/** Firmware campaigns as the services hand them to the rules. */
import { countsOfPending } from "../../src/facts/campaigns.ts"
import type { FirmwareUpdateRow } from "../../src/facts/rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../../src/facts/rows-of-campaigns.ts"
import { minute } from "./charging.ts"

/** A campaign that has started at minute 0: one attempt at a time, two for each charge point, of ten minutes. */
export function campaignOf(
  chargePointIds: readonly string[],
  change: Partial<FirmwareCampaignRow> = {},
): { campaign: FirmwareCampaignRow; chargePoints: FirmwareCampaignChargePointRow[] } {
  const campaign: FirmwareCampaignRow = {
    id: "campaign",
    organisationId: "default",
    name: null,
    firmwareImageId: null,
    location: "https://files.example/fw.bin",
    sealedLocation: "sealed",
    protocol: null,
    startAt: minute(0),
    windowFrom: null,
    windowUntil: null,
    concurrency: 1,
    maxFailureShare: 1,
    minFinished: 1,
    maxAttempts: 2,
    attemptTimeoutS: 600,
    retryDelayS: 60,
    retrieveDelayS: 0,
    retries: null,
    retryInterval: null,
    state: "Running",
    pauseReason: null,
    counts: JSON.stringify(countsOfPending(chargePointIds.length)),
    finishedBefore: 0,
    failedBefore: 0,
    createdBy: "operator",
    createdAt: minute(0),
    startedAt: minute(0),
    endedAt: null,
    idempotencyKey: null,
    ...change,
  }
  const chargePoints = chargePointIds.map((chargePointId, position): FirmwareCampaignChargePointRow => ({
    id: `${campaign.id}-${chargePointId}`,
    campaignId: campaign.id,
    chargePointId,
    organisationId: campaign.organisationId,
    position,
    state: "Pending",
    attempts: 0,
    commandId: null,
    sentAt: null,
    status: null,
    statusAt: null,
    dueAt: null,
    failure: null,
  }))
  return { campaign, chargePoints }
}

/** A firmware update that was just requested at this instant. */
export const firmwareUpdateOf = (id: string, chargePointId: string, at: number): FirmwareUpdateRow => ({
  id,
  organisationId: "default",
  chargePointId,
  firmwareImageId: null,
  location: "https://files.example/fw.bin",
  retrieveDate: at,
  requestedAt: at,
  tokenHash: null,
  expiresAt: null,
  state: "Requested",
  status: null,
  statusAt: null,
})
