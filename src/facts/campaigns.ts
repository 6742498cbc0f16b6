/** The rules of a firmware campaign that look at no other fact: when it may begin an attempt, and what its moves come to. */
import type { FirmwareCampaignChangeKind } from "./events.ts"
import { campaignState, campaignSubject } from "./events.ts"
import type { Facts } from "./facts.ts"
import type {
  FirmwareCampaignChargePointRow,
  FirmwareCampaignChargePointState,
  FirmwareCampaignCounts,
  FirmwareCampaignFailure,
  FirmwareCampaignRow,
} from "./rows-of-campaigns.ts"

const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1_440
const SECOND_MS = 1_000

/** How long a charge point is left alone whose request did not leave: the books took it for reachable when it was not. */
const UNREACHED_DELAY_MS = 3_000

/** The states of an attempt under way. */
export const UNDER_WAY = ["Requested", "Downloading", "Downloaded", "Installing"] as const

export const isUnderWay = (state: FirmwareCampaignChargePointState): boolean => UNDER_WAY.some((word) => word === state)

/** What a FirmwareStatusNotification that ends nothing makes of an attempt. OCPP 1.6 §7.25. */
export const progressOf = (status: string | null): "Downloading" | "Downloaded" | "Installing" | undefined =>
  status === "Downloading" || status === "Downloaded" || status === "Installing" ? status : undefined

/** The counts of a campaign in which nobody has been asked. */
export const countsOfPending = (pending: number): FirmwareCampaignCounts => ({
  Pending: pending,
  Requested: 0,
  Downloading: 0,
  Downloaded: 0,
  Installing: 0,
  Installed: 0,
  Failed: 0,
  Cancelled: 0,
  Skipped: 0,
})

export const countsOf = ({ counts }: Pick<FirmwareCampaignRow, "counts">): FirmwareCampaignCounts => JSON.parse(counts)

/** How many attempts are under way. */
export const attemptsUnderWay = (counts: FirmwareCampaignCounts): number =>
  UNDER_WAY.reduce((sum, state) => sum + counts[state], 0)

/** Whether attempts may begin at this instant. A window whose end comes before its beginning goes over midnight (UTC). */
export function isWithinWindow(
  { windowFrom, windowUntil }: Pick<FirmwareCampaignRow, "windowFrom" | "windowUntil">,
  at: number,
): boolean {
  if (windowFrom === null || windowUntil === null) return true
  const minute = Math.floor(at / MINUTE_MS) % MINUTES_PER_DAY
  return windowFrom < windowUntil
    ? minute >= windowFrom && minute < windowUntil
    : minute >= windowFrom || minute < windowUntil
}

/** When an attempt whose request left at this instant is over, whatever is reported. */
export const attemptEndsAt = (
  { retrieveDelayS, attemptTimeoutS }: Pick<FirmwareCampaignRow, "retrieveDelayS" | "attemptTimeoutS">,
  sentAt: number,
): number => sentAt + (retrieveDelayS + attemptTimeoutS) * SECOND_MS

/** An attempt that came to nothing: the next one follows after a while, if the campaign has one left. */
export function afterFailure(
  campaign: FirmwareCampaignRow,
  entry: FirmwareCampaignChargePointRow,
  failure: FirmwareCampaignFailure,
  at: number,
): FirmwareCampaignChargePointRow {
  if (entry.attempts >= campaign.maxAttempts) return { ...entry, state: "Failed", failure, dueAt: null }
  if (campaign.state === "Cancelled") return { ...entry, state: "Cancelled", failure, dueAt: null }
  return { ...entry, state: "Pending", failure, dueAt: at + campaign.retryDelayS * SECOND_MS }
}

/** An attempt whose request never left was none. */
export function withoutAttempt(
  campaign: FirmwareCampaignRow,
  entry: FirmwareCampaignChargePointRow,
  at: number,
): FirmwareCampaignChargePointRow {
  const before = { ...entry, attempts: entry.attempts - 1, commandId: null, sentAt: null, status: null, statusAt: null }
  return campaign.state === "Cancelled"
    ? { ...before, state: "Cancelled", dueAt: null }
    : { ...before, state: "Pending", dueAt: at + UNREACHED_DELAY_MS }
}

export function tell(
  facts: Facts,
  kind: FirmwareCampaignChangeKind,
  campaign: FirmwareCampaignRow,
  at: number,
  chargePoint?: FirmwareCampaignChargePointRow,
): void {
  const body = { type: "FirmwareCampaign", kind, campaign: campaignState(campaign) } as const
  const subject = campaignSubject(campaign.id)
  facts.tell(campaign.organisationId, subject, at, chargePoint === undefined ? body : { ...body, chargePoint })
}

/**
 * Writes a charge point's move down with all that follows from it: the counts, a pause when too many have failed, the
 * end when nobody is left. The campaign as it is then.
 */
export function move(
  facts: Facts,
  before: FirmwareCampaignRow,
  was: FirmwareCampaignChargePointState,
  entry: FirmwareCampaignChargePointRow,
  at: number,
): FirmwareCampaignRow {
  facts.firmwareCampaignChargePoints.put(entry)
  const counts = countsOf(before)
  counts[was]--
  counts[entry.state]++
  const campaign = { ...before, counts: JSON.stringify(counts) }
  tell(facts, "Progress", campaign, at, entry)
  const failed = entry.state === "Failed" && was !== "Failed"
  const after = withConsequences(campaign, counts, failed, at)
  if (after.state !== campaign.state) tell(facts, after.state === "Completed" ? "Completed" : "Paused", after, at)
  facts.firmwareCampaigns.put(after)
  return after
}

function withConsequences(
  campaign: FirmwareCampaignRow,
  counts: FirmwareCampaignCounts,
  failed: boolean,
  at: number,
): FirmwareCampaignRow {
  const { state } = campaign
  const isOpen = state === "Scheduled" || state === "Running" || state === "Paused"
  if (isOpen && counts.Pending + attemptsUnderWay(counts) === 0)
    return { ...campaign, state: "Completed", pauseReason: null, endedAt: at }
  return failed && state === "Running" && hasTooManyFailures(campaign, counts)
    ? { ...campaign, state: "Paused", pauseReason: "FailureShare" }
    : campaign
}

/** Counted since the campaign began or was last resumed: who resumes it has seen what went before. */
function hasTooManyFailures(
  { finishedBefore, failedBefore, minFinished, maxFailureShare }: FirmwareCampaignRow,
  { Installed, Failed }: FirmwareCampaignCounts,
): boolean {
  const finished = Installed + Failed - finishedBefore
  return finished >= minFinished && Failed - failedBefore > maxFailureShare * finished
}
