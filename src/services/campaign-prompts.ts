/** What firmware campaigns should look at now, seen in what is committed on this node: a worker hears of it. */
import type { JournalEntry, RecordedEvent } from "../facts/recorded.ts"
import type { Log } from "../log.ts"
import { Gathering } from "./gathering.ts"
import type { CampaignJobs, Store } from "./ports.ts"

interface CampaignPromptsOptions {
  store: Pick<Store, "read">
  jobs: CampaignJobs
  log: Log
}

/** After these a charge point may be one that can be asked. */
const KINDS: ReadonlySet<string> = new Set(["Online", "Booted", "Updated", "Deleted"])
/** Many that come at once cost one question together; and who has just come online says BootNotification first. */
const GATHER_MS = 150
const AT_ONCE = 1_000

export class CampaignPrompts implements AsyncDisposable {
  readonly #options: CampaignPromptsOptions
  readonly #chargePointIds = new Gathering<string>(GATHER_MS, (ids) => this.#follow(ids))
  readonly #campaignIds = new Gathering<string>(GATHER_MS, (ids) => this.#options.jobs.advance(ids))

  constructor(options: CampaignPromptsOptions) {
    this.#options = options
  }

  /** Takes note of what was committed on this node. Never throws; what is lost here, a sweep finds. */
  note({ events }: JournalEntry): void {
    for (const recorded of events) {
      const { type, kind, campaignId, chargePointId } = recorded
      if (type === "FirmwareCampaign" && campaignId !== undefined) {
        if (kind === "Created" || kind === "Resumed") this.#campaignIds.add(campaignId)
      } else if (type === "ChargePoint" && isNews(recorded)) this.#chargePointIds.add(chargePointId)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#chargePointIds[Symbol.asyncDispose](), this.#campaignIds[Symbol.asyncDispose]()])
  }

  async #follow(chargePointIds: readonly string[]): Promise<void> {
    const { store, jobs, log } = this.#options
    try {
      for (let at = 0; at < chargePointIds.length; at += AT_ONCE)
        await jobs.follow(await store.read.campaignEntriesOf(chargePointIds.slice(at, at + AT_ONCE)))
    } catch (cause) {
      log.debug({ err: cause, chargePoints: chargePointIds.length }, "firmware campaigns wait for their sweep")
    }
  }
}

function isNews(recorded: RecordedEvent): boolean {
  if (recorded.kind !== "Report" && !KINDS.has(recorded.kind)) return false
  const { event } = recorded
  if (event.type !== "ChargePoint") return false
  return event.kind === "Report"
    ? event.action === "FirmwareStatusNotification"
    : event.chargePoint.online || event.kind === "Deleted"
}
