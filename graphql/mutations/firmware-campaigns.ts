import type { CampaignState } from "../../src/facts/events.ts"
import { CAMPAIGN_DEFAULTS, MAX_CHARGE_POINTS } from "../../src/services/firmware-campaigns.ts"
import { builder } from "../builder.ts"
import { FileTransferProtocolWords } from "../enums-of-files.ts"
import { NotAllowedNow } from "../errors.ts"
import { mutation } from "../mutation.ts"
import { given } from "../paging.ts"
import { FirmwareCampaign, FirmwareImage } from "../refs.ts"
import { enumName } from "../words.ts"

const payload = (name: string, description: string) =>
  builder.objectRef<{ campaign: CampaignState }>(name).implement({
    description,
    fields: (t) => ({
      firmwareCampaign: t.expose("campaign", { type: FirmwareCampaign, description: "The campaign." }),
    }),
  })

const WindowInput = builder.inputType("FirmwareCampaignWindowInput", {
  description: "The part of each UTC day in which attempts begin; what has begun goes on.",
  fields: (t) => ({
    from: t.string({ required: true, description: "HH:MM, UTC." }),
    until: t.string({ required: true, description: "HH:MM, UTC; before from: on the next day." }),
  }),
})

const CreateFirmwareCampaignInput = builder.inputType("CreateFirmwareCampaignInput", {
  description: "One firmware for many charge points, with a location of one's own or with an image of Busbar's.",
  fields: (t) => ({
    name: t.string({ description: "A name for people, 1 to 200 characters." }),
    firmwareImage: t.globalID({ for: FirmwareImage, description: "An image that Busbar serves itself." }),
    location: t.string({
      description:
        "In place of firmwareImage: the URI of the image; reaches charge points as it is. Credentials in it are masked elsewhere.",
    }),
    protocol: t.field({
      type: FileTransferProtocolWords.type,
      description:
        "How links to firmwareImage are fetched; when left out HTTP, but FTP by those whose configuration says that they know FTP alone.",
    }),
    chargePoints: t.stringList({
      required: true,
      description: `The identities, 1 to ${MAX_CHARGE_POINTS}, in the order in which they are asked. One that is offline waits for its return.`,
    }),
    startAt: t.field({ type: "DateTime", description: "Before that nobody is asked; now when left out." }),
    window: t.field({ type: WindowInput, description: "When attempts begin; at any time when left out." }),
    concurrency: t.int({
      description: `How many attempts may be under way at once; ${CAMPAIGN_DEFAULTS.concurrency} when left out.`,
    }),
    maxFailureShare: t.float({
      description: `0 to 1: a greater share of failures among those that have finished since the start, or the last resumption, pauses the campaign; ${CAMPAIGN_DEFAULTS.maxFailureShare} when left out, 1 never pauses.`,
    }),
    minFinished: t.int({
      description: `How many must have finished before that share counts; ${CAMPAIGN_DEFAULTS.minFinished} when left out.`,
    }),
    maxAttempts: t.int({
      description: `How many attempts each charge point has, 1 to 20; ${CAMPAIGN_DEFAULTS.maxAttempts} when left out. A new one follows only a reported failure, a CALLERROR, or the end of the attempt's time.`,
    }),
    attemptTimeoutS: t.int({
      description: `How long an attempt may take once the charge point may fetch the image, s; ${CAMPAIGN_DEFAULTS.attemptTimeoutS} when left out.`,
    }),
    retryDelayS: t.int({
      description: `How long a charge point is left alone after a failed attempt, s; ${CAMPAIGN_DEFAULTS.retryDelayS} when left out.`,
    }),
    retrieveDelayS: t.int({
      description: `How long after the request the charge point may fetch the image, s: the request's retrieveDate; ${CAMPAIGN_DEFAULTS.retrieveDelayS} when left out.`,
    }),
    retries: t.int({ description: "UpdateFirmware's own retries: how often the charge point tries by itself." }),
    retryInterval: t.int({ description: "UpdateFirmware's own retryInterval, s." }),
    idempotencyKey: t.string({ description: "A retry with the same key is the same campaign." }),
  }),
})

mutation("createFirmwareCampaign", {
  description: "Plans a firmware campaign; it begins by itself at its start.",
  role: "Operator",
  input: CreateFirmwareCampaignInput,
  success: payload("CreateFirmwareCampaignPayload", "The campaign is planned."),
  errors: ["FirmwareImageNotFound"],
  resolve: async ({ firmwareImage, window, chargePoints, ...fields }, { services, viewer }) => ({
    campaign: await services.firmwareCampaigns.create(viewer, {
      ...given(fields),
      chargePoints,
      ...(window && { window }),
      ...(firmwareImage && { firmwareImageId: firmwareImage.id }),
    }),
  }),
})

/** Declares a mutation that takes nothing but a campaign. */
function steering(to: "Pause" | "Resume" | "Cancel", description: string, done: string): void {
  mutation(`${to.toLowerCase()}FirmwareCampaign`, {
    description,
    role: "Operator",
    input: builder.inputType(`${to}FirmwareCampaignInput`, {
      description: "A firmware campaign.",
      fields: (t) => ({
        id: t.globalID({ for: FirmwareCampaign, required: true, description: "The id of the FirmwareCampaign." }),
      }),
    }),
    success: payload(`${to}FirmwareCampaignPayload`, done),
    errors: ["FirmwareCampaignNotFound", "NotAllowedNow"],
    resolve: async ({ id }, { services, viewer }) => {
      const outcome = await services.firmwareCampaigns.steer(viewer, id.id, to)
      if ("notAllowed" in outcome) throw new NotAllowedNow(`the campaign is ${enumName(outcome.notAllowed)}`)
      return outcome
    },
  })
}

steering("Pause", "Lets a campaign begin no attempts; what is under way goes on.", "The campaign is paused.")
steering(
  "Resume",
  "Lets a paused campaign go on; its share of failures is counted anew from here.",
  "The campaign goes on.",
)
steering(
  "Cancel",
  "Ends a campaign: nobody is asked any more, what is under way goes on reporting.",
  "The campaign is cancelled.",
)
