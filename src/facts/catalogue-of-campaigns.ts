/** The changes of firmware campaigns: what goes in and what comes out. */
import type { NotFound } from "./outcomes.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow, FirmwareCampaignState } from "./rows-of-campaigns.ts"

/** Names a charge point within a campaign. */
export interface CampaignEntry {
  organisationId: string
  campaignId: string
  chargePointId: string
}

/** Why no attempt has begun. Full, NotRunning, OutsideWindow: none can at all; the others concern this charge point. */
export type NotBegun =
  "NotRunning" | "OutsideWindow" | "Full" | "NotPending" | "NotDue" | "NotReachable" | "Busy" | "Skipped"

export interface CampaignCatalogue {
  /** With an idempotencyKey already used the stored campaign comes back and nothing is written. */
  createFirmwareCampaign: [
    input: { campaign: FirmwareCampaignRow; chargePoints: FirmwareCampaignChargePointRow[] },
    outcome: { campaign: FirmwareCampaignRow; repeated: boolean },
  ]
  /**
   * Start: the instant of a Scheduled one has come. Pause, Resume, Cancel: an operator's wish. What is so already stays as
   * it is; `notAllowed` gives the state in which that cannot be.
   */
  steerFirmwareCampaign: [
    input: { organisationId: string; campaignId: string; at: number; to: "Start" | "Pause" | "Resume" | "Cancel" },
    outcome: { campaign: FirmwareCampaignRow } | NotFound | { notAllowed: FirmwareCampaignState },
  ]
  /**
   * Begins an attempt at a charge point, where the campaign's rules let it. Whoever began it sends the command with this
   * id, once; nobody sends it again. After `lostAt` it cannot leave any more.
   */
  beginFirmwareAttempt: [
    input: CampaignEntry & { commandId: string; at: number; lostAt: number },
    outcome: { campaign: FirmwareCampaignRow; attempt: FirmwareCampaignChargePointRow } | { notBegun: NotBegun },
  ]
  /**
   * Takes over what is known by now of a charge point's newest attempt: its command, what was reported, its time. Said
   * again it changes nothing.
   */
  followFirmwareAttempt: [input: CampaignEntry & { at: number }, outcome: { moved: boolean }]
}
