/** What firmware campaigns have to look at next is found, and nothing else. */
import { expect, test } from "bun:test"
import type { ChargePointRow } from "../../../src/facts/rows.ts"
import type { FirmwareCampaignRow } from "../../../src/facts/rows-of-campaigns.ts"
import type { CampaignEntry } from "../../../src/facts/catalogue-of-campaigns.ts"
import type { Store } from "../../../src/services/ports.ts"
import { campaignOf, firmwareUpdateOf } from "../../support/campaigns.ts"
import { caller, chargePointRow, minute } from "../../support/charging.ts"
import { endOf, sentCommand } from "../../support/ended-command.ts"
import type { OpenPlace } from "../place.ts"

const at = minute(0)

async function withChargePoints(store: Store, rows: Record<string, Partial<ChargePointRow>>): Promise<void> {
  for (const [id, change] of Object.entries(rows)) {
    const chargePoint = chargePointRow({ id, identity: id, online: true, acceptedAt: at, ...change })
    await store.change("createChargePoint", { chargePoint })
  }
}

const plan = (store: Store, ids: readonly string[], change: Partial<FirmwareCampaignRow> = {}) =>
  store.change("createFirmwareCampaign", campaignOf(ids, { concurrency: 10, ...change }))

const key = (chargePointId: string, campaignId = "campaign"): CampaignEntry => ({
  organisationId: "default",
  campaignId,
  chargePointId,
})

const begin = (store: Store, chargePointId: string, commandId: string) =>
  store.change("beginFirmwareAttempt", { ...key(chargePointId), commandId, at, lostAt: at + 30_000 })

const update = (id: string, chargePointId: string) => firmwareUpdateOf(id, chargePointId, at)

const idsOf = (entries: readonly CampaignEntry[]) => entries.map(({ chargePointId }) => chargePointId).sort()

export function firmwareCampaignContract(openPlace: OpenPlace): void {
  test("campaigns at work are those that run, and those whose start has come", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const scheduled = { state: "Scheduled", startedAt: null } as const
    await plan(store, [], { id: "running" })
    await plan(store, [], { id: "due", ...scheduled, startAt: minute(5) })
    await plan(store, [], { id: "later", ...scheduled, startAt: minute(6) })
    await plan(store, [], { id: "paused", state: "Paused" })
    const found = await store.read.firmwareCampaignsAtWork(minute(5))
    expect(found.map(({ id }) => id)).toEqual(["running", "due"])
  })

  test("who can be asked comes in order: pending, due, reachable, and with no attempt under way elsewhere", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await withChargePoints(store, {
      offline: { online: false },
      refused: { registrationStatus: "Rejected" },
      unbooted: { acceptedAt: null },
      busy: {},
      second: {},
      first: {},
      third: {},
      deleted: {},
    })
    await plan(store, ["busy"])
    await begin(store, "busy", "c1")
    const ids = ["deleted", "offline", "refused", "unbooted", "busy", "first", "second", "third"]
    await plan(store, ids, { id: "other" })
    await store.change("deleteChargePoint", { organisationId: "default", chargePointId: "deleted", at })
    const askable = async (limit: number) =>
      (await store.read.askableChargePoints("other", at, limit)).map(({ chargePointId }) => chargePointId)
    expect(await askable(10)).toEqual(["deleted", "first", "second", "third"])
    expect(await askable(2)).toEqual(["deleted", "first"])
  })

  test("attempts are followed when the books know more of them, or their time is over; then no longer", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const ids = ["quiet", "sent", "refused", "unsent", "reported", "overdue"]
    await withChargePoints(store, Object.fromEntries(ids.map((id) => [id, {}])))
    await plan(store, ids)
    for (const id of ids) {
      await begin(store, id, `c-${id}`)
      await store.change("requestFirmwareUpdate", { firmwareUpdate: update(`c-${id}`, id) })
    }
    const toFollow = async (now = at) => idsOf(await store.read.firmwareAttemptsToFollow(now, 100))
    expect(await toFollow()).toEqual([])

    const command = (id: string) => ({ ...sentCommand(`c-${id}`, "UpdateFirmware", {}, at), chargePointId: id })
    for (const id of ["sent", "refused", "reported", "overdue"])
      await store.change("recordCommand", { command: command(id) })
    const error = { code: "CallError", description: "" } as const
    await store.change("endCommand", { ...endOf(command("refused"), null), state: "Failed", error })
    await store.change("recordCommand", {
      command: { ...command("unsent"), state: "Failed", sentAt: null, answeredAt: at, error: JSON.stringify(error) },
    })
    expect(await toFollow()).toEqual(["overdue", "refused", "reported", "sent", "unsent"])
    const follow = async (now: number) => {
      for (const id of ids) await store.change("followFirmwareAttempt", { ...key(id), at: now })
    }
    await follow(at)
    expect(await toFollow()).toEqual([])

    const report = { ...caller({ chargePointId: "reported" }), id: "r1", action: "FirmwareStatusNotification" }
    await store.change("report", { ...report, payload: JSON.stringify({ status: "Downloading" }) })
    expect(await toFollow()).toEqual(["reported"])
    await follow(at)
    expect(await toFollow(minute(10) - 1)).toEqual(["quiet"])
    expect(await toFollow(minute(10))).toEqual(["overdue", "quiet", "reported", "sent"])
    await follow(minute(10))
    expect(await toFollow(minute(10))).toEqual([])

    const late = { ...caller({ chargePointId: "overdue" }), id: "r2", action: "FirmwareStatusNotification" }
    await store.change("report", { ...late, payload: JSON.stringify({ status: "Installed" }) })
    expect(await toFollow(minute(10))).toEqual(["overdue"])
    await follow(minute(10))
    const { rows } = await store.read.firmwareCampaignProgress("campaign", {}, {})
    expect(rows.map(({ row }) => [row.chargePointId, row.state, row.attempts])).toEqual([
      ["quiet", "Pending", 0],
      ["sent", "Pending", 1],
      ["refused", "Pending", 1],
      ["unsent", "Pending", 0],
      ["reported", "Pending", 1],
      ["overdue", "Installed", 1],
    ])
    const [campaign] = await store.read.firmwareCampaignsByIds(["campaign"])
    expect(JSON.parse(campaign!.counts)).toMatchObject({ Pending: 5, Installed: 1, Requested: 0, Downloading: 0 })
  })

  test("of a charge point, a campaign waits for what is pending or under way", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await withChargePoints(store, { pending: {}, asked: {}, stranger: {} })
    await plan(store, ["pending", "asked"])
    await begin(store, "asked", "c1")
    const waiting = () => store.read.campaignEntriesOf(["pending", "asked", "stranger"])
    expect(idsOf(await waiting())).toEqual(["asked", "pending"])
    await store.change("steerFirmwareCampaign", {
      organisationId: "default",
      campaignId: "campaign",
      at,
      to: "Cancel",
    })
    expect(await waiting()).toEqual([key("asked")])
  })

  test("a campaign comes back under its idempotencyKey, and its charge points page by page", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await plan(store, ["a", "b", "c"], { idempotencyKey: "once" })
    expect(await plan(store, ["a"], { id: "again", idempotencyKey: "once" })).toMatchObject({
      repeated: true,
      campaign: { id: "campaign", maxFailureShare: 1 },
    })
    const first = await store.read.firmwareCampaignProgress("campaign", {}, { first: 2 })
    const after = first.rows.at(-1)!.cursor
    const second = await store.read.firmwareCampaignProgress("campaign", {}, { first: 2, after })
    expect([first, second].map(({ rows }) => rows.map(({ row }) => row.chargePointId))).toEqual([["a", "b"], ["c"]])
    const each = await store.read.firmwareCampaignProgressOfEach(["campaign"], { state: ["Pending"] }, { last: 1 })
    expect(each.get("campaign")!.rows.map(({ row }) => row.chargePointId)).toEqual(["c"])
  })
}
