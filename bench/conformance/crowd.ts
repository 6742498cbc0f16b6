/** Many busy charge points behind the cases: made through the API, connected by a process of their own, and removed. */
import { join } from "node:path"
import type { FleetOptions, FleetReport } from "../fleet.ts"
import { atOnce } from "./at-once.ts"
import type { Api } from "./operator.ts"
import { Properties } from "./properties.ts"
import { CaseFailed } from "./stage.ts"

export interface CrowdOptions {
  /** Up to and including `/ocpp`. */
  ocppUrl: string
  api: Api
  chargePoints: number
  stop: AbortSignal
}

export interface Crowd extends AsyncDisposable {
  /** What it has done since it was gathered. */
  summary(): CrowdSummary
}

export interface CrowdSummary {
  chargePoints: number
  messagesPerSecond: number
  /** CALLs that the central system refused, did not answer, or not as the standard says. */
  faults: number
  /** The first of them. */
  example?: string
}

const CREATIONS_AT_ONCE = 16
const ID_TAGS = 20
/** From the first connection on, ms. */
const GATHERING_LIMIT_MS = 120_000

/** Resolves once all of them are connected and accepted; with undefined when they are not wanted any more. @throws CaseFailed when they are not in time. */
export async function gatherCrowd({ ocppUrl, api, chargePoints, stop }: CrowdOptions): Promise<Crowd | undefined> {
  await using cleaning = new AsyncDisposableStack()
  const suffix = crypto.randomUUID().slice(0, 6).toUpperCase()
  const prefix = `CROWD-${suffix}-`
  const identities = Array.from({ length: chargePoints }, (_, index) => prefix + String(index + 1).padStart(4, "0"))
  const idTags = Array.from({ length: ID_TAGS }, (_, index) => `CROWD${suffix}${index + 1}`)

  const properties = new Properties(api)
  cleaning.defer(() => properties.remove())
  await atOnce(CREATIONS_AT_ONCE, [
    ...idTags.map((idTag) => () => properties.idTag({ idTag })),
    ...identities.map((identity) => async () => {
      if (!stop.aborted) await properties.chargePoint({ identity })
    }),
  ])

  const options: FleetOptions = {
    ...{ url: ocppUrl, chargers: chargePoints, prefix, idTags: idTags as FleetOptions["idTags"] & string[] },
    ...{ speed: 60, sessionEvery: 20, faults: "none", seed: 1, connectRate: 100 },
  }
  let report: FleetReport | undefined
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "busy-fleet.ts"), JSON.stringify(options)], {
    stdio: ["ignore", "ignore", "inherit"],
    ipc: (message: FleetReport) => {
      report = message
    },
  })
  cleaning.defer(async () => {
    if (child.exitCode === null) child.send("stop")
    await child.exited
  })
  const deadline = performance.now() + GATHERING_LIMIT_MS
  while ((report?.accepted ?? 0) < chargePoints) {
    if (stop.aborted) return undefined
    if (child.exitCode !== null) throw new CaseFailed("the busy charge points ended by themselves")
    if (performance.now() > deadline)
      throw new CaseFailed(`only ${report?.accepted ?? 0} of ${chargePoints} busy charge points were accepted in time`)
    await Bun.sleep(100)
  }
  const since = { answered: report?.answered ?? 0, at: performance.now() }
  const kept = cleaning.move()
  return {
    summary() {
      if (report === undefined) throw new CaseFailed("the busy charge points have told nothing")
      const { answered, anomalies, examples, callErrors, errorExample } = report
      const messagesPerSecond = Math.round(((answered - since.answered) * 1000) / (performance.now() - since.at))
      const faults = Object.values(anomalies).reduce((sum, count) => sum + count, callErrors)
      const example = errorExample ?? Object.values(examples)[0]
      return { chargePoints, messagesPerSecond, faults, ...(example !== undefined && { example }) }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
