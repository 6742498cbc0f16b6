/** Firmware campaigns carried out: attempts begun as the rules allow, each asked once, and followed to their end. */
import { attemptsUnderWay, countsOf, isWithinWindow } from "../facts/campaigns.ts"
import type { CampaignEntry, NotBegun } from "../facts/catalogue-of-campaigns.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../facts/rows-of-campaigns.ts"
import type { Log } from "../log.ts"
import type { Firmware } from "./firmware.ts"
import { sealPlaceOf, standardFieldsOf } from "./firmware-campaigns.ts"
import type { Clock, Store } from "./ports.ts"
import type { Seals } from "./seals.ts"

export interface CampaignWorkOptions {
  store: Pick<Store, "change" | "read">
  firmware: Pick<Firmware, "update">
  seals: Pick<Seals, "open">
  clock: Clock
  log: Log
  /** How long a charge point has to answer, ms. */
  callTimeoutMs: number
}

/** Why going on with the campaign is of no use now, whichever charge point is next. */
const OVER: readonly NotBegun[] = ["NotRunning", "OutsideWindow", "Full"]
const AT_ONCE = 100
const FOLLOWED_AT_ONCE = 500
const SECOND_MS = 1_000
/** From the beginning of an attempt to its order's own deadline. */
const LOST_AFTER_MS = 2_000

/**
 * Any number of these may work at once, on any nodes: what begins and what that comes to is decided by the rules in SQL.
 * Who begins an attempt sends its request; where they end before they do, the rules take the attempt back.
 */
export class CampaignWork implements AsyncDisposable {
  readonly #options: CampaignWorkOptions
  /** Campaigns that attempts are being begun of here, and whether that was asked for again. */
  readonly #advancing = new Map<string, { again: boolean }>()
  #isStopping = false

  constructor(options: CampaignWorkOptions) {
    this.#options = options
  }

  /** Looks for everything that is due, and for what nobody was told of. @throws StoreUnavailable */
  async sweep(): Promise<void> {
    const { store, clock } = this.#options
    const at = clock.now()
    const entries = await store.read.firmwareAttemptsToFollow(at, FOLLOWED_AT_ONCE)
    await Promise.all(entries.map((entry) => store.change("followFirmwareAttempt", { ...entry, at })))
    for (const campaign of await store.read.firmwareCampaignsAtWork(at)) await this.advance(campaign.id)
  }

  /** Something is known anew of this charge point. @throws StoreUnavailable */
  async follow(entry: CampaignEntry): Promise<void> {
    const { store, clock } = this.#options
    await store.change("followFirmwareAttempt", { ...entry, at: clock.now() })
    await this.advance(entry.campaignId)
  }

  /** Starts a campaign whose time has come, and begins as many attempts as its rules allow. @throws StoreUnavailable */
  async advance(campaignId: string): Promise<void> {
    const running = this.#advancing.get(campaignId)
    if (running !== undefined) {
      running.again = true
      return
    }
    const here = { again: true }
    this.#advancing.set(campaignId, here)
    try {
      while (here.again && !this.#isStopping) {
        here.again = false
        await this.#beginWhatMay(campaignId)
      }
    } finally {
      this.#advancing.delete(campaignId)
    }
  }

  /** Nothing more begins. What was sent is answered to the books by the nodes that hold the charge points. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
  }

  async #beginWhatMay(campaignId: string): Promise<void> {
    const { store, clock } = this.#options
    for (let goesOn = true; goesOn && !this.#isStopping;) {
      const at = clock.now()
      const [campaign] = await store.read.firmwareCampaignsByIds([campaignId])
      if (campaign === undefined || !(await this.#isRunning(campaign, at)) || !isWithinWindow(campaign, at)) return
      const free = campaign.concurrency - attemptsUnderWay(countsOf(campaign))
      if (free <= 0) return
      const entries = await store.read.askableChargePoints(campaignId, at, Math.min(free, AT_ONCE))
      const notBegun = await Promise.all(entries.map((entry) => this.#begin(entry, at)))
      goesOn =
        notBegun.some((why) => why === undefined || why === "Skipped") &&
        !notBegun.some((why) => why !== undefined && OVER.includes(why))
    }
  }

  async #isRunning({ id: campaignId, organisationId, state, startAt }: FirmwareCampaignRow, at: number) {
    if (state !== "Scheduled" || startAt > at) return state === "Running"
    const { store } = this.#options
    const outcome = await store.change("steerFirmwareCampaign", { organisationId, campaignId, at, to: "Start" })
    return "campaign" in outcome && outcome.campaign.state === "Running"
  }

  /** Undefined where an attempt has begun; its request is then on its way. */
  async #begin(entry: CampaignEntry, at: number): Promise<NotBegun | undefined> {
    const { store, callTimeoutMs } = this.#options
    const commandId = Bun.randomUUIDv7()
    const lostAt = at + callTimeoutMs + LOST_AFTER_MS
    const outcome = await store.change("beginFirmwareAttempt", { ...entry, commandId, at, lostAt })
    if ("notBegun" in outcome) return outcome.notBegun
    // Not awaited: a charge point that does not answer must hold up nobody else. The sweep finds what is lost of it.
    this.#send(outcome.campaign, outcome.attempt, commandId).catch((cause: unknown) =>
      this.#options.log.warn({ err: cause, ...entry }, "a request of a firmware campaign was not seen to its answer"),
    )
    return undefined
  }

  async #send(
    campaign: FirmwareCampaignRow,
    { chargePointId, campaignId, organisationId }: FirmwareCampaignChargePointRow,
    commandId: string,
  ): Promise<void> {
    const { store, firmware, seals, clock, callTimeoutMs } = this.#options
    const { firmwareImageId, sealedLocation, protocol, retrieveDelayS, createdBy } = campaign
    const [chargePoint] = await store.read.chargePointsByIds([chargePointId])
    if (chargePoint === undefined) return
    await firmware.update(
      { organisationId, name: createdBy },
      {
        chargePointId,
        identity: chargePoint.identity,
        commandId,
        timeoutMs: callTimeoutMs,
        retrieveDate: clock.now() + retrieveDelayS * SECOND_MS,
        ...(firmwareImageId !== null && { firmwareImageId }),
        ...(sealedLocation !== null && { location: seals.open(sealedLocation, sealPlaceOf(campaignId)) }),
        ...(protocol !== null && { protocol }),
        ...standardFieldsOf(campaign),
      },
    )
    if (!this.#isStopping) await this.follow({ organisationId, campaignId, chargePointId })
  }
}
