import { countsOf } from "../../src/facts/campaigns.ts"
import type { FirmwareCampaignCounts } from "../../src/facts/rows-of-campaigns.ts"
import { builder } from "../builder.ts"
import { FirmwareCampaignConnection, FirmwareCampaignProgressConnection } from "../connections.ts"
import {
  FirmwareCampaignChargePointStateWords,
  FirmwareCampaignFailureWords,
  FirmwareCampaignPauseReasonWords,
  FirmwareCampaignStateWords,
} from "../enums-of-campaigns.ts"
import { FirmwareStatusWords } from "../enums-of-charging.ts"
import { FileTransferProtocolWords } from "../enums-of-files.ts"
import { connectionOf, given, isEndPage, pageOf } from "../paging.ts"
import { ChargePoint, Command, FirmwareCampaign, FirmwareCampaignChargePoint, FirmwareImage } from "../refs.ts"

const FirmwareCampaignCountsRef = builder.objectRef<FirmwareCampaignCounts>("FirmwareCampaignCounts").implement({
  description: "How many of a campaign's charge points are in each state.",
  fields: (t) => ({
    total: t.int({
      description: "All of them.",
      resolve: (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0),
    }),
    pending: t.exposeInt("Pending", { description: "To be asked." }),
    requested: t.exposeInt("Requested", { description: "Asked, nothing reported yet." }),
    downloading: t.exposeInt("Downloading", { description: "Fetching the image." }),
    downloaded: t.exposeInt("Downloaded", { description: "In possession of the image." }),
    installing: t.exposeInt("Installing", { description: "Installing the image." }),
    installed: t.exposeInt("Installed", { description: "Done." }),
    failed: t.exposeInt("Failed", { description: "Without an attempt left." }),
    cancelled: t.exposeInt("Cancelled", { description: "Not asked, or not again, because of the cancellation." }),
    skipped: t.exposeInt("Skipped", { description: "Not to be asked." }),
  }),
})

const FirmwareCampaignWindow = builder.objectRef<{ from: number; until: number }>("FirmwareCampaignWindow").implement({
  description: "The part of each UTC day in which attempts begin.",
  fields: (t) => ({
    from: t.string({ description: "HH:MM, UTC.", resolve: ({ from }) => clockTime(from) }),
    until: t.string({
      description: "HH:MM, UTC; not after from: on the next day.",
      resolve: ({ until }) => clockTime(until),
    }),
  }),
})

const clockTime = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":")

const ProgressFilterInput = builder.inputType("FirmwareCampaignProgressFilter", {
  description: "Narrows a campaign's charge points; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    state: t.field({ type: [FirmwareCampaignChargePointStateWords.type], description: "In one of these states." }),
  }),
})

builder.node(FirmwareCampaign, {
  description:
    "One firmware for many charge points: each is asked once per attempt, and again only after it reported a failure or the attempt's time was over.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.firmwareCampaign.load(id))),
  fields: (t) => ({
    name: t.exposeString("name", { nullable: true, description: "Its name, for people." }),
    state: t.expose("state", { type: FirmwareCampaignStateWords.type, description: "Where it stands." }),
    pauseReason: t.expose("pauseReason", {
      type: FirmwareCampaignPauseReasonWords.type,
      nullable: true,
      description: "Why it is paused, while it is.",
    }),
    counts: t.field({
      type: FirmwareCampaignCountsRef,
      description: "How many charge points are in each state.",
      resolve: (campaign) => countsOf(campaign),
    }),
    progress: t.connection(
      {
        type: FirmwareCampaignChargePoint,
        description: "Its charge points, in the order in which they were named.",
        args: { filter: t.arg({ type: ProgressFilterInput, description: "Which ones; all when left out." }) },
        resolve: async ({ id }, { filter, ...args }, { services: { read }, loaders }) => {
          const page = pageOf(args)
          const wanted = given(filter)
          return connectionOf(
            await (isEndPage(page)
              ? loaders.firmwareCampaignProgress.load({ of: id, args: { filter: wanted, page } })
              : read.firmwareCampaignProgress(id, wanted, page)),
          )
        },
      },
      FirmwareCampaignProgressConnection,
    ),
    firmwareImage: t.field({
      type: FirmwareImage,
      nullable: true,
      description: "The image; null where the operator named a location, or the image is deleted.",
      resolve: ({ firmwareImageId }, _args, { loaders }) =>
        firmwareImageId === null ? null : loaders.firmwareImage.load(firmwareImageId),
    }),
    location: t.exposeString("location", {
      nullable: true,
      description: "The location that the operator named, secrets masked.",
    }),
    protocol: t.expose("protocol", {
      type: FileTransferProtocolWords.type,
      nullable: true,
      description: "How links to the image are fetched; null: as each charge point's configuration says.",
    }),
    startAt: t.expose("startAt", { type: "DateTime", description: "Before that nobody is asked." }),
    window: t.field({
      type: FirmwareCampaignWindow,
      nullable: true,
      description: "When attempts begin; null: at any time.",
      resolve: ({ windowFrom, windowUntil }) =>
        windowFrom === null || windowUntil === null ? null : { from: windowFrom, until: windowUntil },
    }),
    concurrency: t.exposeInt("concurrency", { description: "How many attempts are under way at once, at most." }),
    maxFailureShare: t.exposeFloat("maxFailureShare", {
      description: "A greater share of failures, 0 to 1, among those that have finished pauses it.",
    }),
    minFinished: t.exposeInt("minFinished", { description: "How many must have finished before the share counts." }),
    maxAttempts: t.exposeInt("maxAttempts", { description: "How many attempts each charge point has." }),
    attemptTimeoutS: t.exposeInt("attemptTimeoutS", {
      description: "How long an attempt may take once the charge point may fetch the image, s.",
    }),
    retryDelayS: t.exposeInt("retryDelayS", {
      description: "How long a charge point is left alone after a failed attempt, s.",
    }),
    retrieveDelayS: t.exposeInt("retrieveDelayS", {
      description: "How long after the request the charge point may fetch the image, s.",
    }),
    retries: t.exposeInt("retries", { nullable: true, description: "UpdateFirmware's own retries; null: left out." }),
    retryInterval: t.exposeInt("retryInterval", {
      nullable: true,
      description: "UpdateFirmware's own retryInterval, s; null: left out.",
    }),
    createdBy: t.exposeString("createdBy", { description: "The name of the token that planned it." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was planned." }),
    startedAt: t.expose("startedAt", { type: "DateTime", nullable: true, description: "When it began." }),
    endedAt: t.expose("endedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was completed or cancelled.",
    }),
  }),
})

builder.node(FirmwareCampaignChargePoint, {
  description: "A charge point within a firmware campaign.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) =>
    Promise.all(ids.map((id) => loaders.firmwareCampaignChargePoint.load(id))),
  fields: (t) => ({
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description:
        "Which charge point; null where it is deleted. Its firmwareVersion is what it said at its last boot, and moves nothing here.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    campaign: t.field({
      type: FirmwareCampaign,
      nullable: true,
      description: "Which campaign.",
      resolve: ({ campaignId }, _args, { loaders }) => loaders.firmwareCampaign.load(campaignId),
    }),
    state: t.expose("state", { type: FirmwareCampaignChargePointStateWords.type, description: "Where it stands." }),
    attempts: t.exposeInt("attempts", {
      description: "Attempts begun, the running one included; those whose request never left do not count.",
    }),
    requestedAt: t.expose("sentAt", {
      type: "DateTime",
      nullable: true,
      description: "When the newest attempt's request left.",
    }),
    status: t.field({
      type: FirmwareStatusWords.type,
      nullable: true,
      description: "What the charge point last told of the newest attempt; null: nothing, or a word of its own.",
      resolve: ({ status }) => FirmwareStatusWords.known(status),
    }),
    lastStatusAt: t.expose("statusAt", { type: "DateTime", nullable: true, description: "When it told that." }),
    dueAt: t.expose("dueAt", {
      type: "DateTime",
      nullable: true,
      description: "Pending: not asked before. Under way: when the attempt is given up.",
    }),
    command: t.field({
      type: Command,
      nullable: true,
      description: "The newest attempt's command.",
      resolve: ({ commandId }, _args, { loaders }) => (commandId === null ? null : loaders.command.load(commandId)),
    }),
    failure: t.expose("failure", {
      type: FirmwareCampaignFailureWords.type,
      nullable: true,
      description: "What the newest attempt that failed came to grief over; null once it is installed.",
    }),
  }),
})

const FirmwareCampaignFilterInput = builder.inputType("FirmwareCampaignFilter", {
  description: "Narrows firmware campaigns; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    state: t.field({ type: [FirmwareCampaignStateWords.type], description: "In one of these states." }),
  }),
})

builder.queryField("firmwareCampaigns", (t) =>
  t.connection(
    {
      type: FirmwareCampaign,
      description: "The organisation's firmware campaigns, newest first.",
      args: { filter: t.arg({ type: FirmwareCampaignFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, { services: { read }, viewer }) =>
        connectionOf(await read.firmwareCampaigns(viewer.organisationId, given(filter), pageOf(page))),
    },
    FirmwareCampaignConnection,
  ),
)
