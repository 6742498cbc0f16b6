/** The words of firmware campaigns. */
import type { FirmwareCampaignChangeKind } from "../src/facts/events.ts"
import type {
  FirmwareCampaignChargePointState,
  FirmwareCampaignFailure,
  FirmwareCampaignPauseReason,
  FirmwareCampaignState,
} from "../src/facts/rows-of-campaigns.ts"
import type { SnapshotKind } from "../src/services/following/story.ts"
import { SNAPSHOT_KINDS } from "./enums.ts"
import { words } from "./words.ts"

export const FirmwareCampaignStateWords = words("FirmwareCampaignState", "Where a firmware campaign stands.", {
  Scheduled: "Its start has not come.",
  Running: "It asks charge points as its rules allow.",
  Paused: "It asks nobody; what is under way goes on.",
  Completed: "No charge point is left to be asked or waited for.",
  Cancelled: "It asks nobody any more; what was under way goes on reporting.",
} satisfies Record<FirmwareCampaignState, string>)

export const FirmwareCampaignPauseReasonWords = words("FirmwareCampaignPauseReason", "Why a campaign is paused.", {
  Operator: "Somebody asked for it.",
  FailureShare: "More than maxFailureShare of the charge points that had finished had failed.",
  ImageDeleted: "Its firmware image is gone.",
} satisfies Record<FirmwareCampaignPauseReason, string>)

export const FirmwareCampaignChargePointStateWords = words(
  "FirmwareCampaignChargePointState",
  "Where a charge point stands within a firmware campaign.",
  {
    Pending: "It is to be asked, for the first time or again: its turn has not come, or it is offline.",
    Requested: "An attempt has begun; the charge point has told nothing of it yet.",
    Downloading: "It fetches the image. OCPP 1.6 §7.25.",
    Downloaded: "It has the image.",
    Installing: "It installs the image.",
    Installed: "It has installed the image.",
    Failed: "Every attempt came to nothing.",
    Cancelled: "The campaign was cancelled before the charge point was asked, or asked again.",
    Skipped: "It is not asked: it is deleted, or the image is for others.",
  } satisfies Record<FirmwareCampaignChargePointState, string>,
)

export const FirmwareCampaignFailureWords = words(
  "FirmwareCampaignFailure",
  "What the newest attempt that failed came to grief over, or why a charge point is skipped.",
  {
    DownloadFailed: "The charge point reported that it could not fetch the image. OCPP 1.6 §7.25.",
    InstallationFailed: "The charge point reported that it could not install the image.",
    Refused: "The charge point answered UpdateFirmware with a CALLERROR.",
    Expired: "The charge point reported no end within the attempt's time.",
    ChargePointDeleted: "The charge point is deleted.",
    DoesNotFit: "The image is for another vendor or model.",
  } satisfies Record<FirmwareCampaignFailure, string>,
)

export const FirmwareCampaignChangeKindWords = words(
  "FirmwareCampaignChangeKind",
  "What happened to a firmware campaign.",
  {
    Created: "It was planned.",
    Started: "Its start has come.",
    Progress: "One of its charge points is in another state.",
    Paused: "It is paused.",
    Resumed: "It goes on.",
    Completed: "No charge point is left.",
    Cancelled: "It was cancelled, and with it all that were pending.",
    ...SNAPSHOT_KINDS,
  } satisfies Record<FirmwareCampaignChangeKind | SnapshotKind, string>,
)
