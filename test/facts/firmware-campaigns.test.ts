import { describe, expect, test } from "bun:test"
import { countsOf, isWithinWindow } from "../../src/facts/campaigns.ts"
import type { OutcomeOf } from "../../src/facts/catalogue.ts"
import type { ChargePointRow, CommandRow } from "../../src/facts/rows.ts"
import type { FirmwareCampaignRow } from "../../src/facts/rows-of-campaigns.ts"
import { campaignOf, firmwareUpdateOf } from "../support/campaigns.ts"
import { caller, chargePointRow, minute } from "../support/charging.ts"
import { endOf, sentCommand } from "../support/ended-command.ts"
import { MemoryFacts } from "../support/facts.ts"

const reachable = (id: string, change: Partial<ChargePointRow> = {}) =>
  chargePointRow({ id, identity: id, online: true, acceptedAt: minute(-1), ...change })

/** A campaign over charge points that can be asked. */
async function campaign(ids: readonly string[], change: Partial<FirmwareCampaignRow> = {}): Promise<MemoryFacts> {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: ids.map((id) => reachable(id)) })
  await facts.change("createFirmwareCampaign", campaignOf(ids, change))
  return facts
}

const key = (chargePointId: string, campaignId = "campaign") => ({
  organisationId: "default",
  campaignId,
  chargePointId,
})

const begin = (facts: MemoryFacts, chargePointId: string, commandId: string, at = minute(0), campaignId?: string) =>
  facts.change("beginFirmwareAttempt", { ...key(chargePointId, campaignId), commandId, at, lostAt: at + 30_000 })

const follow = (facts: MemoryFacts, chargePointId: string, at = minute(0), campaignId?: string) =>
  facts.change("followFirmwareAttempt", { ...key(chargePointId, campaignId), at })

const steer = (facts: MemoryFacts, to: "Start" | "Pause" | "Resume" | "Cancel", at = minute(0)) =>
  facts.change("steerFirmwareCampaign", { organisationId: "default", campaignId: "campaign", at, to })

const update = (facts: MemoryFacts, id: string, chargePointId: string, at: number) =>
  facts.change("requestFirmwareUpdate", {
    firmwareUpdate: firmwareUpdateOf(id, chargePointId, at),
  })

const sent = (id: string, chargePointId: string, at: number): CommandRow => ({
  ...sentCommand(id, "UpdateFirmware", {}, at),
  chargePointId,
})

/** An attempt whose request has left, and was taken. */
async function attempt(facts: MemoryFacts, chargePointId: string, commandId: string, at = minute(0)) {
  expect(await begin(facts, chargePointId, commandId, at)).toHaveProperty("attempt")
  await update(facts, commandId, chargePointId, at)
  const command = sent(commandId, chargePointId, at)
  await facts.change("recordCommand", { command })
  await facts.change("endCommand", endOf(command, {}, at))
  await follow(facts, chargePointId, at)
}

async function reports(facts: MemoryFacts, chargePointId: string, status: string, at: number): Promise<void> {
  const payload = JSON.stringify({ status })
  const from = { ...caller({ chargePointId, receivedAt: at }), id: crypto.randomUUID() }
  await facts.change("report", { ...from, action: "FirmwareStatusNotification", payload })
  await follow(facts, chargePointId, at)
}

const entry = (facts: MemoryFacts, chargePointId: string) =>
  facts.rows("firmwareCampaignChargePoints").find((row) => row.chargePointId === chargePointId)

const stored = (facts: MemoryFacts) => facts.rows("firmwareCampaigns")[0]!

/** The counts that are not 0. */
const counts = (facts: MemoryFacts) =>
  Object.fromEntries(Object.entries(countsOf(stored(facts))).filter(([, count]) => count !== 0))

/** What was told of the campaign, the charge points' moves in a word. */
const told = (facts: MemoryFacts) =>
  facts.events.flatMap((event) =>
    event.type === "FirmwareCampaign" ? (event.chargePoint?.state ?? `campaign ${event.kind}`) : [],
  )

describe("one charge point", () => {
  test("from the request to Installed; the campaign is completed with its last one", async () => {
    const facts = await campaign(["cp1"])
    await attempt(facts, "cp1", "c1")
    expect(entry(facts, "cp1")).toMatchObject({ state: "Requested", attempts: 1, commandId: "c1", dueAt: minute(10) })
    for (const [index, status] of ["Downloading", "Downloaded", "Installing", "Installed"].entries())
      await reports(facts, "cp1", status, minute(index))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Installed", statusAt: minute(3), dueAt: null, failure: null })
    expect(stored(facts)).toMatchObject({ state: "Completed", endedAt: minute(3) })
    expect(counts(facts)).toEqual({ Installed: 1 })
    const moves = ["Requested", "Downloading", "Downloaded", "Installing", "Installed"]
    expect(told(facts)).toEqual(["campaign Created", ...moves, "campaign Completed"])
  })

  test("Idle, a repeated status and a status of nobody's request move nothing. OCPP 1.6 §4.5", async () => {
    const facts = await campaign(["cp1"])
    await reports(facts, "cp1", "Installed", minute(0))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 0 })
    await attempt(facts, "cp1", "c1")
    await reports(facts, "cp1", "Downloading", minute(1))
    const { length } = facts.events.filter(({ type }) => type === "FirmwareCampaign")
    await reports(facts, "cp1", "Idle", minute(2))
    await reports(facts, "cp1", "Downloading", minute(3))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Downloading", statusAt: minute(1) })
    expect(facts.events.filter(({ type }) => type === "FirmwareCampaign")).toHaveLength(length)
  })

  test("what is reported of a newer request of an operator's own is not the campaign's", async () => {
    const facts = await campaign(["cp1"])
    await attempt(facts, "cp1", "c1")
    await update(facts, "by hand", "cp1", minute(1))
    await facts.change("recordCommand", { command: sent("by hand", "cp1", minute(1)) })
    await reports(facts, "cp1", "Installed", minute(2))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Requested", status: null })
  })

  test.each(["DownloadFailed", "InstallationFailed"] as const)(
    "after %s it is asked again, not before its delay is over, until its attempts are used up",
    async (status) => {
      const facts = await campaign(["cp1"])
      await attempt(facts, "cp1", "c1")
      await reports(facts, "cp1", status, minute(1))
      expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 1, failure: status, dueAt: minute(2) })
      expect(await begin(facts, "cp1", "c2", minute(2) - 1)).toEqual({ notBegun: "NotDue" })
      await attempt(facts, "cp1", "c2", minute(2))
      expect(entry(facts, "cp1")).toMatchObject({ state: "Requested", attempts: 2, status: null })
      await reports(facts, "cp1", status, minute(3))
      expect(entry(facts, "cp1")).toMatchObject({ state: "Failed", attempts: 2, failure: status, dueAt: null })
      expect(stored(facts)).toMatchObject({ state: "Completed" })
    },
  )

  test("what a charge point has left to say of one attempt does not end the next, before its request has left", async () => {
    const facts = await campaign(["cp1"])
    await attempt(facts, "cp1", "c1")
    await follow(facts, "cp1", minute(10))
    expect(await begin(facts, "cp1", "c2", minute(11))).toHaveProperty("attempt")
    await update(facts, "c2", "cp1", minute(11))
    await reports(facts, "cp1", "InstallationFailed", minute(11))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Requested", attempts: 2, status: null })
  })

  test("an attempt ends by its own time, and not before", async () => {
    const facts = await campaign(["cp1"])
    await attempt(facts, "cp1", "c1")
    await follow(facts, "cp1", minute(10) - 1)
    expect(entry(facts, "cp1")).toMatchObject({ state: "Requested" })
    await follow(facts, "cp1", minute(10))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", failure: "Expired", dueAt: minute(11) })
  })

  test("one that took too long and did it after all is not asked again", async () => {
    const facts = await campaign(["cp1"])
    await attempt(facts, "cp1", "c1")
    await follow(facts, "cp1", minute(10))
    await reports(facts, "cp1", "Installing", minute(11))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending" })
    await reports(facts, "cp1", "Installed", minute(12))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Installed", attempts: 1, failure: null })
    expect(stored(facts)).toMatchObject({ state: "Completed" })
  })

  test("a CALLERROR is a failed attempt, an answer that never came is not", async () => {
    const facts = await campaign(["cp1", "cp2"], { concurrency: 2 })
    await begin(facts, "cp1", "c1")
    await begin(facts, "cp2", "c2")
    const [refused, unanswered] = [sent("c1", "cp1", minute(0)), sent("c2", "cp2", minute(0))]
    for (const command of [refused, unanswered]) {
      await update(facts, command.id, command.chargePointId, minute(0))
      await facts.change("recordCommand", { command })
    }
    const error = { code: "CallError", callErrorCode: "NotSupported", description: "" } as const
    await facts.change("endCommand", { ...endOf(refused, null, minute(1)), state: "Failed", error })
    await facts.change("endCommand", endOf(unanswered, null, minute(1)))
    for (const id of ["cp1", "cp2"]) await follow(facts, id, minute(1))
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 1, failure: "Refused" })
    expect(entry(facts, "cp2")).toMatchObject({ state: "Requested", attempts: 1 })
    await reports(facts, "cp2", "Downloading", minute(2))
    expect(entry(facts, "cp2")).toMatchObject({ state: "Downloading" })
  })

  test("a request that never left was no attempt", async () => {
    const facts = await campaign(["cp1"])
    await begin(facts, "cp1", "c1")
    const offline = { ...sent("c1", "cp1", minute(0)), state: "Failed", sentAt: null, answeredAt: minute(0) } as const
    const error = JSON.stringify({ code: "Offline", description: "" })
    await facts.change("recordCommand", { command: { ...offline, error } })
    await follow(facts, "cp1")
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 0, commandId: null, failure: null })
    expect(await begin(facts, "cp1", "c2", minute(1))).toHaveProperty("attempt.attempts", 1)
  })

  test("an attempt whose sender is lost is taken back, and nobody can send its request any more", async () => {
    const facts = await campaign(["cp1"])
    await begin(facts, "cp1", "c1")
    await follow(facts, "cp1", minute(0) + 29_999)
    expect(entry(facts, "cp1")).toMatchObject({ state: "Requested" })
    await follow(facts, "cp1", minute(0) + 30_000)
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 0, commandId: null })
    const late = await facts.change("recordCommand", { command: sent("c1", "cp1", minute(1)) })
    expect(late).toMatchObject({ repeated: true, command: { state: "Failed", sentAt: null } })
  })

  test("the attempt's time begins when the charge point may fetch the image", async () => {
    const facts = await campaign(["cp1"], { retrieveDelayS: 3_600 })
    await attempt(facts, "cp1", "c1", minute(5))
    expect(entry(facts, "cp1")).toMatchObject({ sentAt: minute(5), dueAt: minute(5 + 60 + 10) })
  })
})

describe("who is asked", () => {
  test("no more at once than the campaign allows", async () => {
    const facts = await campaign(["cp1", "cp2", "cp3"], { concurrency: 2 })
    await attempt(facts, "cp1", "c1")
    await attempt(facts, "cp2", "c2")
    expect(await begin(facts, "cp3", "c3")).toEqual({ notBegun: "Full" })
    await reports(facts, "cp1", "Installed", minute(1))
    expect(await begin(facts, "cp3", "c3")).toHaveProperty("attempt")
  })

  test("said twice, it begins once", async () => {
    const facts = await campaign(["cp1"], { concurrency: 2 })
    await begin(facts, "cp1", "c1")
    expect(await begin(facts, "cp1", "c2")).toEqual({ notBegun: "NotPending" })
    expect(entry(facts, "cp1")).toMatchObject({ commandId: "c1", attempts: 1 })
  })

  test.each([
    ["offline", { online: false }],
    ["not accepted by the operator", { registrationStatus: "Pending" }],
    ["never booted", { acceptedAt: null }],
  ] as const)("not one that is %s: it stays pending", async (_what, change) => {
    const facts = await campaign(["cp1"])
    facts.given({ chargePoints: [reachable("cp1", change)] })
    expect(await begin(facts, "cp1", "c1")).toEqual({ notBegun: "NotReachable" })
    expect(entry(facts, "cp1")).toMatchObject({ state: "Pending", attempts: 0 })
  })

  test("not one at which another campaign's attempt is under way", async () => {
    const facts = await campaign(["cp1"])
    await facts.change("createFirmwareCampaign", campaignOf(["cp1"], { id: "other" }))
    await attempt(facts, "cp1", "c1")
    expect(await begin(facts, "cp1", "c2", minute(1), "other")).toEqual({ notBegun: "Busy" })
    await reports(facts, "cp1", "Installed", minute(2))
    expect(await begin(facts, "cp1", "c2", minute(3), "other")).toHaveProperty("attempt")
  })

  test("one that is deleted is skipped, also during its attempt", async () => {
    const facts = await campaign(["cp1", "cp2"])
    await attempt(facts, "cp1", "c1")
    for (const chargePointId of ["cp1", "cp2"])
      await facts.change("deleteChargePoint", { organisationId: "default", chargePointId, at: minute(1) })
    await follow(facts, "cp1", minute(2))
    expect(await begin(facts, "cp2", "c2", minute(2))).toEqual({ notBegun: "Skipped" })
    expect(counts(facts)).toEqual({ Skipped: 2 })
    expect(stored(facts)).toMatchObject({ state: "Completed" })
  })

  test("an image for others is sent to nobody; without its image a campaign pauses", async () => {
    const facts = await campaign(["cp1", "cp2"], { firmwareImageId: "image", location: null, sealedLocation: null })
    facts.given({ chargePoints: [reachable("cp1", { vendor: "ACME" }), reachable("cp2", { vendor: "Other" })] })
    const image = { id: "image", organisationId: "default", name: "Image", version: "1", fileName: "fw.bin" }
    const firmwareImage = { ...image, vendor: "Acme", model: null, size: 1, sha256: "", createdAt: 0, createdBy: "" }
    await facts.change("addFirmwareImage", { firmwareImage })
    expect(await begin(facts, "cp2", "c2")).toEqual({ notBegun: "Skipped" })
    expect(entry(facts, "cp2")).toMatchObject({ state: "Skipped", failure: "DoesNotFit" })
    await facts.change("removeFirmwareImage", { organisationId: "default", firmwareImageId: "image" })
    expect(await begin(facts, "cp1", "c1")).toEqual({ notBegun: "NotRunning" })
    expect(stored(facts)).toMatchObject({ state: "Paused", pauseReason: "ImageDeleted" })
  })

  test.each([
    ["22:00 to 05:30", 22 * 60, 5 * 60 + 30, [22 * 60, 0, 5 * 60 + 29], [5 * 60 + 30, 12 * 60, 22 * 60 - 1]],
    ["09:00 to 17:00", 9 * 60, 17 * 60, [9 * 60, 17 * 60 - 1], [0, 9 * 60 - 1, 17 * 60]],
  ] as const)(
    "only within the window, which may go over midnight: %s",
    (_what, windowFrom, windowUntil, inside, outside) => {
      const at = (minutes: number) => Date.UTC(2026, 2, 14) + minutes * 60_000
      for (const minutes of inside) expect(isWithinWindow({ windowFrom, windowUntil }, at(minutes))).toBe(true)
      for (const minutes of outside) expect(isWithinWindow({ windowFrom, windowUntil }, at(minutes))).toBe(false)
    },
  )
})

describe("a campaign", () => {
  test("starts when its time has come", async () => {
    const facts = await campaign(["cp1"], { state: "Scheduled", startAt: minute(5), startedAt: null })
    expect(await begin(facts, "cp1", "c1", minute(5))).toEqual({ notBegun: "NotRunning" })
    await steer(facts, "Start", minute(4))
    expect(stored(facts)).toMatchObject({ state: "Scheduled" })
    await steer(facts, "Start", minute(5))
    await steer(facts, "Start", minute(6))
    expect(stored(facts)).toMatchObject({ state: "Running", startedAt: minute(5) })
    expect(told(facts)).toEqual(["campaign Created", "campaign Started"])
  })

  test("paused it begins nothing, and what is under way goes on", async () => {
    const facts = await campaign(["cp1", "cp2"], { concurrency: 2 })
    await attempt(facts, "cp1", "c1")
    await steer(facts, "Pause")
    expect(await begin(facts, "cp2", "c2")).toEqual({ notBegun: "NotRunning" })
    await reports(facts, "cp1", "Installed", minute(1))
    expect(counts(facts)).toEqual({ Installed: 1, Pending: 1 })
    await steer(facts, "Resume", minute(2))
    expect(await begin(facts, "cp2", "c2", minute(2))).toHaveProperty("attempt")
  })

  test("paused before its start it is scheduled again when it is resumed before that", async () => {
    const facts = await campaign(["cp1"], { state: "Scheduled", startAt: minute(5), startedAt: null })
    await steer(facts, "Pause", minute(1))
    await steer(facts, "Resume", minute(2))
    expect(stored(facts)).toMatchObject({ state: "Scheduled", startedAt: null })
  })

  test("cancelled it asks nobody any more; what is under way reports to its end, and is not begun again", async () => {
    const facts = await campaign(["cp1", "cp2", "cp3", "cp4"], { concurrency: 2 })
    await attempt(facts, "cp1", "c1")
    await attempt(facts, "cp2", "c2")
    await steer(facts, "Cancel", minute(1))
    expect(counts(facts)).toEqual({ Requested: 2, Cancelled: 2 })
    await reports(facts, "cp1", "Installed", minute(2))
    await reports(facts, "cp2", "DownloadFailed", minute(3))
    expect(counts(facts)).toEqual({ Installed: 1, Cancelled: 3 })
    expect(entry(facts, "cp2")).toMatchObject({ state: "Cancelled", failure: "DownloadFailed" })
    expect(stored(facts)).toMatchObject({ state: "Cancelled", endedAt: minute(1) })
    const notAllowed: OutcomeOf<"steerFirmwareCampaign"> = { notAllowed: "Cancelled" }
    expect(await steer(facts, "Resume")).toEqual(notAllowed)
    expect(await steer(facts, "Pause")).toEqual(notAllowed)
  })

  test("too many failures among the finished pause it, counted anew from where it is resumed", async () => {
    const ids = ["cp1", "cp2", "cp3", "cp4", "cp5"]
    const facts = await campaign(ids, { concurrency: 5, maxAttempts: 1, maxFailureShare: 0.5, minFinished: 2 })
    for (const id of ids) await attempt(facts, id, `c-${id}`)
    await reports(facts, "cp1", "DownloadFailed", minute(1))
    expect(stored(facts)).toMatchObject({ state: "Running" })
    await reports(facts, "cp2", "Installed", minute(2))
    expect(stored(facts)).toMatchObject({ state: "Running" })
    await reports(facts, "cp3", "DownloadFailed", minute(3))
    expect(stored(facts)).toMatchObject({ state: "Paused", pauseReason: "FailureShare" })
    await steer(facts, "Resume", minute(4))
    await reports(facts, "cp4", "DownloadFailed", minute(5))
    expect(stored(facts)).toMatchObject({ state: "Running", pauseReason: null })
    await reports(facts, "cp5", "Installed", minute(6))
    expect(stored(facts)).toMatchObject({ state: "Completed" })
    expect(counts(facts)).toEqual({ Installed: 2, Failed: 3 })
  })

  test("is the same under the same idempotencyKey", async () => {
    const facts = await campaign(["cp1"], { idempotencyKey: "once" })
    const again = campaignOf(["cp1"], { id: "another", idempotencyKey: "once" })
    expect(await facts.change("createFirmwareCampaign", again)).toMatchObject({
      repeated: true,
      campaign: { id: "campaign" },
    })
    expect(facts.rows("firmwareCampaigns")).toHaveLength(1)
  })

  test("tells nothing of the location's secrets", async () => {
    const facts = await campaign(["cp1"])
    expect(JSON.stringify(facts.events)).not.toContain("sealed")
  })
})
