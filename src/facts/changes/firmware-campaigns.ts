import {
  afterFailure,
  attemptEndsAt,
  attemptsUnderWay,
  countsOf,
  isUnderWay,
  isWithinWindow,
  move,
  progressOf,
  tell,
  withoutAttempt,
} from "../campaigns.ts"
import type { ChangeOf, InputOf } from "../catalogue.ts"
import type { CampaignEntry, NotBegun } from "../catalogue-of-campaigns.ts"
import { campaignSubject, chargePointSubject } from "../events.ts"
import type { Facts } from "../facts.ts"
import { loadLessons } from "../learning/index.ts"
import type { ChargePointRow, CommandRow, FirmwareImageRow } from "../rows.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../rows-of-campaigns.ts"
import { recordCommand } from "./commands.ts"

export const createFirmwareCampaign: ChangeOf<"createFirmwareCampaign"> = {
  subjects: ({ campaign }) => [campaignSubject(campaign.id)],
  async load(facts, inputs) {
    await facts.firmwareCampaigns.load(inputs.map(({ campaign }) => campaign.id))
    await facts.firmwareCampaigns.loadByIdempotencyKey(
      inputs.flatMap(({ campaign: { organisationId, idempotencyKey } }) =>
        idempotencyKey === null ? [] : [{ organisationId, idempotencyKey }],
      ),
    )
  },
  apply(facts, { campaign, chargePoints }) {
    const { id, organisationId, idempotencyKey } = campaign
    const stored =
      facts.firmwareCampaigns.get(id) ??
      (idempotencyKey === null ? undefined : facts.firmwareCampaigns.byIdempotencyKey(organisationId, idempotencyKey))
    if (stored) return { campaign: stored, repeated: true }
    facts.firmwareCampaigns.put(campaign)
    for (const chargePoint of chargePoints) facts.firmwareCampaignChargePoints.put(chargePoint)
    tell(facts, "Created", campaign, campaign.createdAt)
    return { campaign, repeated: false }
  },
}

export const steerFirmwareCampaign: ChangeOf<"steerFirmwareCampaign"> = {
  subjects: ({ campaignId }) => [campaignSubject(campaignId)],
  async load(facts, inputs) {
    await facts.firmwareCampaigns.load(inputs.map(({ campaignId }) => campaignId))
    const cancelled = inputs.filter(({ to }) => to === "Cancel")
    if (cancelled.length > 0)
      await facts.firmwareCampaignChargePoints.loadPending(cancelled.map(({ campaignId }) => campaignId))
  },
  apply(facts, { organisationId, campaignId, at, to }) {
    const campaign = facts.firmwareCampaigns.get(campaignId)
    if (campaign?.organisationId !== organisationId) return { notFound: true }
    return steering[to](facts, campaign, at)
  },
}

type Steered = Exclude<ReturnType<typeof steerFirmwareCampaign.apply>, { notFound: true }>
type Steering = (facts: Facts, campaign: FirmwareCampaignRow, at: number) => Steered

const steering: Record<InputOf<"steerFirmwareCampaign">["to"], Steering> = {
  Start(facts, campaign, at) {
    if (campaign.state !== "Scheduled" || campaign.startAt > at) return { campaign }
    const started: FirmwareCampaignRow = { ...campaign, state: "Running", startedAt: at }
    facts.firmwareCampaigns.put(started)
    tell(facts, "Started", started, at)
    return { campaign: started }
  },

  Pause(facts, campaign, at) {
    const { state } = campaign
    if (state === "Paused") return { campaign }
    if (state === "Completed" || state === "Cancelled") return { notAllowed: state }
    const paused: FirmwareCampaignRow = { ...campaign, state: "Paused", pauseReason: "Operator" }
    facts.firmwareCampaigns.put(paused)
    tell(facts, "Paused", paused, at)
    return { campaign: paused }
  },

  Resume(facts, campaign, at) {
    const { state, startAt, startedAt } = campaign
    if (state === "Scheduled" || state === "Running") return { campaign }
    if (state !== "Paused") return { notAllowed: state }
    const { Installed, Failed } = countsOf(campaign)
    const hasStarted = startedAt !== null || startAt <= at
    const resumed: FirmwareCampaignRow = {
      ...campaign,
      state: hasStarted ? "Running" : "Scheduled",
      pauseReason: null,
      startedAt: hasStarted ? (startedAt ?? at) : null,
      finishedBefore: Installed + Failed,
      failedBefore: Failed,
    }
    facts.firmwareCampaigns.put(resumed)
    tell(facts, "Resumed", resumed, at)
    return { campaign: resumed }
  },

  /** Whoever was not asked, or waits to be asked again, never will be. */
  Cancel(facts, campaign, at) {
    const { state } = campaign
    if (state === "Cancelled") return { campaign }
    if (state === "Completed") return { notAllowed: state }
    const pending = facts.firmwareCampaignChargePoints.pending(campaign.id)
    for (const entry of pending) facts.firmwareCampaignChargePoints.put({ ...entry, state: "Cancelled", dueAt: null })
    const before = countsOf(campaign)
    const counts = { ...before, Pending: 0, Cancelled: before.Cancelled + pending.length }
    const cancelled: FirmwareCampaignRow = {
      ...campaign,
      state: "Cancelled",
      pauseReason: null,
      counts: JSON.stringify(counts),
      endedAt: at,
    }
    facts.firmwareCampaigns.put(cancelled)
    tell(facts, "Cancelled", cancelled, at)
    return { campaign: cancelled }
  },
}

/** The charge point's own story is locked too: what its attempts meet must not change meanwhile. */
const subjects = ({ campaignId, chargePointId }: CampaignEntry) => [
  campaignSubject(campaignId),
  chargePointSubject(chargePointId),
]

export const beginFirmwareAttempt: ChangeOf<"beginFirmwareAttempt"> = {
  subjects,
  async load(facts, inputs) {
    const campaignIds = inputs.map(({ campaignId }) => campaignId)
    await facts.firmwareCampaigns.load(campaignIds)
    await facts.firmwareCampaignChargePoints.load(inputs)
    await facts.firmwareCampaignChargePoints.loadUnderWay(inputs.map(({ chargePointId }) => chargePointId))
    await facts.chargePoints.load(inputs.map(({ chargePointId }) => chargePointId))
    await facts.firmwareImages.load(campaignIds.flatMap((id) => facts.firmwareCampaigns.get(id)?.firmwareImageId ?? []))
  },
  apply(facts, { organisationId, campaignId, chargePointId, commandId, at, lostAt }) {
    const campaign = facts.firmwareCampaigns.get(campaignId)
    const entry = facts.firmwareCampaignChargePoints.get({ campaignId, chargePointId })
    if (campaign?.organisationId !== organisationId || !entry) return { notBegun: "NotPending" }
    const notNow = whyNotNow(campaign, entry, at)
    if (notNow !== undefined) return { notBegun: notNow }
    const image = imageOf(facts, campaign)
    if (image === null) {
      pauseWithoutImage(facts, campaign, at)
      return { notBegun: "NotRunning" }
    }
    const chargePoint = facts.chargePoints.get(chargePointId)
    const unfit = !chargePoint ? "ChargePointDeleted" : image && !fits(image, chargePoint) ? "DoesNotFit" : undefined
    if (unfit !== undefined) {
      move(facts, campaign, entry.state, { ...entry, state: "Skipped", failure: unfit, dueAt: null }, at)
      return { notBegun: "Skipped" }
    }
    if (!chargePoint || !isReachable(chargePoint)) return { notBegun: "NotReachable" }
    // What it reports names no request: two at once could not be told apart.
    if (facts.firmwareCampaignChargePoints.underWay(chargePointId).length > 0) return { notBegun: "Busy" }
    const attempt: FirmwareCampaignChargePointRow = {
      ...entry,
      state: "Requested",
      attempts: entry.attempts + 1,
      commandId,
      sentAt: null,
      status: null,
      statusAt: null,
      dueAt: lostAt,
    }
    return { campaign: move(facts, campaign, entry.state, attempt, at), attempt }
  },
}

function whyNotNow(
  campaign: FirmwareCampaignRow,
  entry: FirmwareCampaignChargePointRow,
  at: number,
): NotBegun | undefined {
  if (campaign.state !== "Running") return "NotRunning"
  if (!isWithinWindow(campaign, at)) return "OutsideWindow"
  if (entry.state !== "Pending") return "NotPending"
  if (attemptsUnderWay(countsOf(campaign)) >= campaign.concurrency) return "Full"
  return entry.dueAt !== null && entry.dueAt > at ? "NotDue" : undefined
}

/** Null: it is gone. Undefined: the campaign has a location. */
function imageOf(facts: Facts, { firmwareImageId }: FirmwareCampaignRow): FirmwareImageRow | null | undefined {
  return firmwareImageId === null ? undefined : (facts.firmwareImages.get(firmwareImageId) ?? null)
}

function pauseWithoutImage(facts: Facts, campaign: FirmwareCampaignRow, at: number): void {
  const paused: FirmwareCampaignRow = { ...campaign, state: "Paused", pauseReason: "ImageDeleted" }
  facts.firmwareCampaigns.put(paused)
  tell(facts, "Paused", paused, at)
}

/** What the image says that it fits, and the charge point says of itself; letter case carries no meaning. OCPP 1.6 §4.2. */
function fits(image: Pick<FirmwareImageRow, "vendor" | "model">, { vendor, model }: ChargePointRow): boolean {
  const same = (wanted: string | null, is: string | null) =>
    wanted === null || is === null || wanted.toLowerCase() === is.toLowerCase()
  return same(image.vendor, vendor) && same(image.model, model)
}

const isReachable = ({ online, registrationStatus, acceptedAt }: ChargePointRow): boolean =>
  online && registrationStatus === "Accepted" && acceptedAt !== null

export const followFirmwareAttempt: ChangeOf<"followFirmwareAttempt"> = {
  subjects,
  async load(facts, inputs) {
    await facts.firmwareCampaigns.load(inputs.map(({ campaignId }) => campaignId))
    await facts.firmwareCampaignChargePoints.load(inputs)
    await facts.chargePoints.load(inputs.map(({ chargePointId }) => chargePointId))
    const commandIds = inputs.flatMap((key) => facts.firmwareCampaignChargePoints.get(key)?.commandId ?? [])
    await facts.commands.load(commandIds)
    await facts.firmwareUpdates.load(commandIds)
    await loadLessons(
      facts,
      commandIds.map((id) => ({ ...NEVER_SENT, id })),
    )
  },
  apply(facts, { organisationId, campaignId, chargePointId, at }) {
    const campaign = facts.firmwareCampaigns.get(campaignId)
    const entry = facts.firmwareCampaignChargePoints.get({ campaignId, chargePointId })
    if (campaign?.organisationId !== organisationId || !entry) return { moved: false }
    const next = following(facts, campaign, entry, at)
    if (next === entry) return { moved: false }
    if (next.state === entry.state) facts.firmwareCampaignChargePoints.put(next)
    else move(facts, campaign, entry.state, next, at)
    return { moved: next.state !== entry.state }
  },
}

/** The entry as it is with what is known by now; itself where nothing new is. */
function following(
  facts: Facts,
  campaign: FirmwareCampaignRow,
  entry: FirmwareCampaignChargePointRow,
  at: number,
): FirmwareCampaignChargePointRow {
  const { commandId } = entry
  if (commandId === null) return entry
  const update = facts.firmwareUpdates.get(commandId)
  const told = { status: update?.status ?? null, statusAt: update?.statusAt ?? null }
  if (!isUnderWay(entry.state)) {
    // It took longer than it was given, and did it after all: it must not be asked again.
    const isLate = entry.failure === "Expired" && entry.state !== "Installed" && told.status === "Installed"
    return isLate ? { ...entry, ...told, state: "Installed", failure: null, dueAt: null } : entry
  }
  if (!facts.chargePoints.get(entry.chargePointId))
    return { ...entry, state: "Skipped", failure: "ChargePointDeleted", dueAt: null }

  const command = facts.commands.get(commandId)
  const sent = withSending(campaign, entry, command)
  const current = told.status === entry.status ? sent : { ...sent, ...told }
  if (told.status === "Installed") return { ...current, state: "Installed", failure: null, dueAt: null }
  if (told.status === "DownloadFailed" || told.status === "InstallationFailed")
    return afterFailure(campaign, current, told.status, at)
  if (command && command.sentAt === null && command.answeredAt !== null) return withoutAttempt(campaign, entry, at)
  if (command?.state === "Failed") return afterFailure(campaign, current, "Refused", at)
  if (current.dueAt !== null && current.dueAt <= at) {
    if (command) return afterFailure(campaign, current, "Expired", at)
    forbid(facts, campaign, entry, commandId, at)
    return withoutAttempt(campaign, entry, at)
  }
  const progress = progressOf(told.status)
  return progress === undefined || progress === current.state ? current : { ...current, state: progress }
}

/** The attempt's time begins when its request leaves. */
function withSending(
  campaign: FirmwareCampaignRow,
  entry: FirmwareCampaignChargePointRow,
  command: Readonly<CommandRow> | undefined,
): FirmwareCampaignChargePointRow {
  if (entry.sentAt !== null || command === undefined || command.sentAt === null) return entry
  return { ...entry, sentAt: command.sentAt, dueAt: attemptEndsAt(campaign, command.sentAt) }
}

const NEVER_SENT: CommandRow = {
  id: "",
  organisationId: "",
  chargePointId: "",
  action: "UpdateFirmware",
  request: "{}",
  state: "Failed",
  requestedBy: "",
  requestedAt: 0,
  deadlineAt: 0,
  expiresAt: null,
  sentAt: null,
  answeredAt: 0,
  confirmation: null,
  error: JSON.stringify({ code: "Unavailable", description: "whoever was to send it ended before" }),
  idempotencyKey: null,
  requestDigest: null,
  nodeId: null,
}

/** Takes the command's place in the books, so that nobody who still has it in hand can send it. */
function forbid(
  facts: Facts,
  { createdBy, organisationId }: FirmwareCampaignRow,
  { chargePointId }: FirmwareCampaignChargePointRow,
  id: string,
  at: number,
): void {
  const update = facts.firmwareUpdates.get(id)
  const request = update && { location: update.location, retrieveDate: new Date(update.retrieveDate).toISOString() }
  const command: CommandRow = {
    ...NEVER_SENT,
    request: JSON.stringify(request ?? {}),
    id,
    organisationId,
    chargePointId,
    requestedBy: createdBy,
    requestedAt: at,
    deadlineAt: at,
    answeredAt: at,
  }
  recordCommand.apply(facts, { command })
}
