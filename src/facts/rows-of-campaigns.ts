/** Firmware campaigns as they lie on disk: one firmware for many charge points. Written as the rows of `rows.ts` are. */

/**
 * Scheduled until its start; Running: it begins attempts; Paused: it begins none, what is under way goes on; Completed:
 * no charge point is left; Cancelled: as Paused, for good.
 */
export type FirmwareCampaignState = "Scheduled" | "Running" | "Paused" | "Completed" | "Cancelled"

/** Who paused a campaign: an operator, the share of failures, or the image's being gone. */
export type FirmwareCampaignPauseReason = "Operator" | "FailureShare" | "ImageDeleted"

/**
 * Where a charge point stands within a campaign. Pending: it is to be asked, for the first time or again. Requested: an
 * attempt has begun and nothing is reported of it yet. Skipped: it was not to be asked. The rest are the words of
 * FirmwareStatusNotification (OCPP 1.6 §7.25) or plain.
 */
export type FirmwareCampaignChargePointState =
  | "Pending"
  | "Requested"
  | "Downloading"
  | "Downloaded"
  | "Installing"
  | "Installed"
  | "Failed"
  | "Cancelled"
  | "Skipped"

/**
 * What the last attempt came to grief over. Refused: answered with a CALLERROR. Expired: no end was reported in time.
 * Of a Skipped one, why. OCPP 1.6 §7.25 has the first two words.
 */
export type FirmwareCampaignFailure =
  "DownloadFailed" | "InstallationFailed" | "Refused" | "Expired" | "ChargePointDeleted" | "DoesNotFit"

/** A firmware for many charge points, and by which rules they are asked to fetch it. */
export interface FirmwareCampaignRow {
  id: string
  organisationId: string
  /** For people. */
  name: string | null
  /** Our own image; null: the operator named a location. */
  firmwareImageId: string | null
  /** That location with its secrets masked. */
  location: string | null
  /** The same as charge points get it, sealed. */
  sealedLocation: string | null
  /** For links to our own image; null: as each charge point's configuration says. */
  protocol: "HTTP" | "FTP" | null
  startAt: number
  /** Attempts begin only in these minutes of the UTC day, from the first up to the second; null: at any time. */
  windowFrom: number | null
  windowUntil: number | null
  /** How many attempts may be under way at once. */
  concurrency: number
  /** 0 to 1: more failures than this among the finished pause the campaign. */
  maxFailureShare: number
  /** How many must have finished before the share counts. */
  minFinished: number
  /** Of each charge point. */
  maxAttempts: number
  /** How long an attempt may take from the instant at which the charge point may fetch the image, s. */
  attemptTimeoutS: number
  /** How long a charge point is left alone after a failed attempt, s. */
  retryDelayS: number
  /** How long after the request the charge point may fetch the image, s. */
  retrieveDelayS: number
  /** UpdateFirmware's own retries and retryInterval; null: left out. */
  retries: number | null
  retryInterval: number | null
  state: FirmwareCampaignState
  pauseReason: FirmwareCampaignPauseReason | null
  /** JSON `FirmwareCampaignCounts`. */
  counts: string
  /** Those that had been installed or had failed when the share of failures was last counted anew, and the failed ones. */
  finishedBefore: number
  failedBefore: number
  createdBy: string
  createdAt: number
  startedAt: number | null
  /** When it was completed or cancelled. */
  endedAt: number | null
  /** Unique within the organisation. */
  idempotencyKey: string | null
}

/** How many of a campaign's charge points are in each state. */
export type FirmwareCampaignCounts = Record<FirmwareCampaignChargePointState, number>

/** A charge point within a campaign. */
export interface FirmwareCampaignChargePointRow {
  id: string
  campaignId: string
  chargePointId: string
  organisationId: string
  /** In which order they were named. */
  position: number
  state: FirmwareCampaignChargePointState
  /** Attempts begun, without those whose request never left. */
  attempts: number
  /** The newest attempt's command, whose id is also that of its FirmwareUpdateRow. */
  commandId: string | null
  /** When that attempt's request left, once that is known. */
  sentAt: number | null
  /** What the charge point last told of that attempt, in its own word. */
  status: string | null
  statusAt: number | null
  /**
   * Pending: not to be asked before. Under way: the attempt's end, or until that has left, the instant after which its
   * request cannot leave any more.
   */
  dueAt: number | null
  failure: FirmwareCampaignFailure | null
}
