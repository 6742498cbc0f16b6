/** Firmware campaigns as operators plan and steer them; `campaign-work.ts` carries them out. */
import { countsOfPending } from "../facts/campaigns.ts"
import type { InputOf } from "../facts/catalogue.ts"
import type {
  FirmwareCampaignChargePointRow,
  FirmwareCampaignRow,
  FirmwareCampaignState,
} from "../facts/rows-of-campaigns.ts"
import { checkOutbound } from "../ocpp/validate.ts"
import type { FilePlaces, FileTransferProtocol } from "./file-links.ts"
import { maskUrl } from "./masking.ts"
import type { Clock, Store } from "./ports.ts"
import { demand, FirmwareCampaignNotFound, FirmwareImageNotFound, type InputIssue, InvalidInput } from "./refusals.ts"
import type { Seals } from "./seals.ts"
import type { Viewer } from "./viewer.ts"

interface FirmwareCampaignsOptions {
  store: Pick<Store, "change" | "read">
  seals: Pick<Seals, "seal">
  places: Pick<FilePlaces, "ftp">
  clock: Clock
}

/** A campaign as an operator wants it; what is left out has a default. */
export interface CampaignWish {
  name?: string | undefined
  firmwareImageId?: string | undefined
  /** Reaches charge points byte for byte. */
  location?: string | undefined
  protocol?: FileTransferProtocol | undefined
  /** Identities, in the order in which they are asked. */
  chargePoints: readonly string[]
  /** Epoch ms; now. */
  startAt?: number | undefined
  /** HH:MM of the UTC day; over midnight where the second comes first. */
  window?: { from: string; until: string } | undefined
  concurrency?: number | undefined
  maxFailureShare?: number | undefined
  minFinished?: number | undefined
  maxAttempts?: number | undefined
  attemptTimeoutS?: number | undefined
  retryDelayS?: number | undefined
  retrieveDelayS?: number | undefined
  retries?: number | undefined
  retryInterval?: number | undefined
  idempotencyKey?: string | undefined
}

/** What a campaign is like where its operator does not say. */
export const CAMPAIGN_DEFAULTS = {
  concurrency: 10,
  maxFailureShare: 0.2,
  minFinished: 5,
  maxAttempts: 2,
  attemptTimeoutS: 7_200,
  retryDelayS: 60,
  retrieveDelayS: 0,
} as const

/** A wish with its defaults. */
type Settings = CampaignWish & { [Name in keyof typeof CAMPAIGN_DEFAULTS]: number }

/** As many as a list in the variables of one operation may have. */
export const MAX_CHARGE_POINTS = 1_000
const MAX_ATTEMPTS = 20
const YEAR_S = 31_536_000
const AT_ONCE = 500
const CLOCK_TIME = /^([01]\d|2[0-3]):([0-5]\d)$/

/** Seals belong to one campaign: moved to another they do not open. */
export const sealPlaceOf = (campaignId: string): string => `firmware campaign ${campaignId}`

export class FirmwareCampaigns {
  readonly #options: FirmwareCampaignsOptions

  constructor(options: FirmwareCampaignsOptions) {
    this.#options = options
  }

  /**
   * Takes a campaign into the books; it begins by itself at its start. A wish with the idempotencyKey of an earlier one
   * is that earlier one. @throws InvalidInput, FirmwareImageNotFound
   */
  async create(viewer: Pick<Viewer, "organisationId" | "name">, wish: CampaignWish): Promise<FirmwareCampaignRow> {
    const { store, seals, clock } = this.#options
    const settings = { ...CAMPAIGN_DEFAULTS, ...present(wish) }
    this.#check(settings)
    const { firmwareImageId, location, window, chargePoints: identities } = settings
    if (firmwareImageId !== undefined) await this.#demandImage(viewer, firmwareImageId)
    const { organisationId } = viewer
    const chargePointIds = await this.#idsOf(organisationId, identities)
    const id = crypto.randomUUID()
    const createdAt = clock.now()
    const campaign: FirmwareCampaignRow = {
      id,
      organisationId,
      name: settings.name ?? null,
      firmwareImageId: firmwareImageId ?? null,
      location: location === undefined ? null : maskUrl(location),
      sealedLocation: location === undefined ? null : seals.seal(location, sealPlaceOf(id)),
      protocol: settings.protocol ?? null,
      startAt: settings.startAt ?? createdAt,
      windowFrom: window === undefined ? null : minuteOf(window.from),
      windowUntil: window === undefined ? null : minuteOf(window.until),
      concurrency: settings.concurrency,
      maxFailureShare: settings.maxFailureShare,
      minFinished: settings.minFinished,
      maxAttempts: settings.maxAttempts,
      attemptTimeoutS: settings.attemptTimeoutS,
      retryDelayS: settings.retryDelayS,
      retrieveDelayS: settings.retrieveDelayS,
      retries: settings.retries ?? null,
      retryInterval: settings.retryInterval ?? null,
      state: "Scheduled",
      pauseReason: null,
      counts: JSON.stringify(countsOfPending(chargePointIds.length)),
      finishedBefore: 0,
      failedBefore: 0,
      createdBy: viewer.name,
      createdAt,
      startedAt: null,
      endedAt: null,
      idempotencyKey: settings.idempotencyKey ?? null,
    }
    const chargePoints = chargePointIds.map((chargePointId, position) => newEntry(campaign, chargePointId, position))
    return (await store.change("createFirmwareCampaign", { campaign, chargePoints })).campaign
  }

  /** Pauses, resumes or cancels; `notAllowed` names the state in which that cannot be. @throws FirmwareCampaignNotFound */
  async steer(
    { organisationId }: Pick<Viewer, "organisationId">,
    campaignId: string,
    to: Exclude<InputOf<"steerFirmwareCampaign">["to"], "Start">,
  ): Promise<{ campaign: FirmwareCampaignRow } | { notAllowed: FirmwareCampaignState }> {
    const { store, clock } = this.#options
    const outcome = await store.change("steerFirmwareCampaign", { organisationId, campaignId, at: clock.now(), to })
    if ("notFound" in outcome) throw new FirmwareCampaignNotFound()
    return outcome
  }

  /** @throws FirmwareCampaignNotFound */
  async find({ organisationId }: Pick<Viewer, "organisationId">, campaignId: string): Promise<FirmwareCampaignRow> {
    const [campaign] = await this.#options.store.read.firmwareCampaignsByIds([campaignId])
    if (campaign?.organisationId !== organisationId) throw new FirmwareCampaignNotFound()
    return campaign
  }

  #check(wish: Settings): void {
    const { location, firmwareImageId, window, protocol, chargePoints, name, idempotencyKey } = wish
    const request = { location: location ?? "", retrieveDate: new Date(0).toISOString(), ...standardFieldsOf(wish) }
    const faults = location === undefined ? [] : checkOutbound("UpdateFirmware", "request", request)
    demand(
      [
        (location === undefined) !== (firmwareImageId === undefined),
        "location",
        "is given, or firmwareImage is, and not both",
      ],
      ...faults.map(({ path, reason }): [boolean, string, string] => [false, path, reason]),
      [protocol !== "FTP" || this.#options.places.ftp() !== undefined, "protocol", "FTP is switched off"],
      [name === undefined || (/\S/.test(name) && name.length <= 200), "name", "must have 1 to 200 characters"],
      [
        idempotencyKey === undefined || /^.{1,200}$/u.test(idempotencyKey),
        "idempotencyKey",
        "must have 1 to 200 characters",
      ],
      [
        chargePoints.length >= 1 && chargePoints.length <= MAX_CHARGE_POINTS,
        "chargePoints",
        `must name 1 to ${MAX_CHARGE_POINTS}`,
      ],
      ...(window === undefined ? [] : windowRules(window)),
      between(wish, "concurrency", 1, MAX_CHARGE_POINTS),
      [wish.maxFailureShare >= 0 && wish.maxFailureShare <= 1, "maxFailureShare", "must be 0 to 1"],
      between(wish, "minFinished", 1, MAX_CHARGE_POINTS),
      between(wish, "maxAttempts", 1, MAX_ATTEMPTS),
      between(wish, "attemptTimeoutS", 1, YEAR_S),
      between(wish, "retryDelayS", 0, YEAR_S),
      between(wish, "retrieveDelayS", 0, YEAR_S),
    )
  }

  async #demandImage({ organisationId }: Pick<Viewer, "organisationId">, id: string): Promise<void> {
    const [image] = await this.#options.store.read.firmwareImagesByIds([id])
    if (image?.organisationId !== organisationId) throw new FirmwareImageNotFound()
  }

  /** @throws InvalidInput that names every identity that cannot be used */
  async #idsOf(organisationId: string, identities: readonly string[]): Promise<string[]> {
    const ids = new Map<string, string>()
    for (let at = 0; at < identities.length; at += AT_ONCE) {
      const part = identities.slice(at, at + AT_ONCE)
      const rows = await this.#options.store.read.chargePointsByIdentities(organisationId, part)
      for (const { identity, id } of rows) ids.set(identity, id)
    }
    const issues: InputIssue[] = []
    const found: string[] = []
    for (const [index, identity] of identities.entries()) {
      const path = `chargePoints[${index}]`
      const id = ids.get(identity)
      if (id === undefined) issues.push({ path, message: "no charge point has this identity" })
      else if (found.includes(id)) issues.push({ path, message: "is named twice" })
      else found.push(id)
    }
    if (issues.length > 0) throw new InvalidInput(issues)
    return found
  }
}

/** UpdateFirmware's own optional fields, those that were given. */
export const standardFieldsOf = ({
  retries,
  retryInterval,
}: {
  retries?: number | null | undefined
  retryInterval?: number | null | undefined
}) => ({ ...(retries != null && { retries }), ...(retryInterval != null && { retryInterval }) })

const newEntry = (
  { id: campaignId, organisationId }: FirmwareCampaignRow,
  chargePointId: string,
  position: number,
): FirmwareCampaignChargePointRow => ({
  id: crypto.randomUUID(),
  campaignId,
  chargePointId,
  organisationId,
  position,
  state: "Pending",
  attempts: 0,
  commandId: null,
  sentAt: null,
  status: null,
  statusAt: null,
  dueAt: null,
  failure: null,
})

const minuteOf = (clockTime: string): number => {
  const [hours = 0, minutes = 0] = clockTime.split(":").map(Number)
  return hours * 60 + minutes
}

const windowRules = ({ from, until }: { from: string; until: string }): [boolean, string, string][] => [
  [CLOCK_TIME.test(from), "window.from", "must be HH:MM"],
  [CLOCK_TIME.test(until), "window.until", "must be HH:MM"],
  [from !== until, "window", "must have some length"],
]

const between = (
  wish: Settings,
  field: Exclude<keyof typeof CAMPAIGN_DEFAULTS, "maxFailureShare">,
  least: number,
  most: number,
): [boolean, string, string] => [wish[field] >= least && wish[field] <= most, field, `must be ${least} to ${most}`]

type Present<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }

/** Without what was left out, so that defaults show through. */
const present = <Fields extends object>(fields: Fields): Present<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>
