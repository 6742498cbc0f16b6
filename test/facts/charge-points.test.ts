import { expect, test } from "bun:test"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import type { RequestOf } from "../../src/ocpp/action.ts"
import type { FromChargePoint } from "../../src/ocpp/index.ts"
import { caller, chargePointRow, idTagRow, minute, start } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"

function factsWith(change: Partial<ChargePointRow> = {}) {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow(change)], idTags: [idTagRow("04A1")] })
  return facts
}
const kinds = (facts: MemoryFacts) => facts.events.map((event) => ("kind" in event ? event.kind : event.type))
const where = { organisationId: "default", chargePointId: "cp1" }
const goOnline = (epoch: number | { after: number }, nodeId = "n1", at = minute(0)) => ({ ...where, nodeId, epoch, at })
const goOffline = (epoch: number, at = minute(9)) => ({ ...where, epoch, at, lastSeenAt: minute(8) })

test("a socket that opens makes the charge point online under its epoch", async () => {
  const facts = factsWith({ epoch: 3 })
  expect(await facts.change("goOnline", goOnline(7))).toEqual({ epoch: 7 })
  expect(facts.rows("chargePoints")).toMatchObject([
    { online: true, epoch: 7, nodeId: "n1", connectedSince: minute(0), lastSeenAt: minute(0) },
  ])
  expect(kinds(facts)).toEqual(["Online"])
})

test("without an epoch the one after the row's is taken, unless somebody has come in between", async () => {
  const facts = factsWith({ epoch: 3 })
  expect(await facts.change("goOnline", goOnline({ after: 3 }, "n1"))).toEqual({ epoch: 4 })
  expect(await facts.change("goOnline", goOnline({ after: 3 }, "n2"))).toEqual({ superseded: true })
  expect(await facts.change("goOnline", goOnline({ after: 3 }, "n1"))).toEqual({ superseded: true })
  expect(facts.rows("chargePoints")).toMatchObject([{ nodeId: "n1", epoch: 4 }])
})

test("two nodes never hold a charge point under the same epoch", async () => {
  const facts = factsWith({ epoch: 4, online: true, nodeId: "n1" })
  expect(await facts.change("goOnline", goOnline(4, "n2"))).toEqual({ superseded: true })
  expect(await facts.change("goOnline", goOnline(4, "n1"))).toEqual({ epoch: 4 })
})

test("an older epoch can change neither presence nor state", async () => {
  const facts = factsWith({ epoch: 7, online: true, nodeId: "n2" })
  const before = facts.rows("chargePoints")
  expect(await facts.change("goOnline", goOnline(6))).toEqual({ superseded: true })
  expect(await facts.change("goOffline", goOffline(6))).toEqual({ superseded: true })
  expect(await facts.change("reportStatus", status({}, 6))).toEqual({ superseded: true })
  expect(await facts.change("reportBoot", boot({}, 6))).toEqual({ superseded: true })
  expect(facts.rows("chargePoints")).toEqual(before)
  expect(facts.rows("connectors")).toBeEmpty()
  expect(facts.events).toBeEmpty()
})

test("transactions are taken from any epoch", async () => {
  const facts = factsWith({ epoch: 7 })
  expect(await facts.change("startTransaction", start({}, { epoch: 6 }))).toMatchObject({ transactionId: 1 })
})

test("a newer socket is told as Online though the charge point was online", async () => {
  const facts = factsWith()
  await facts.change("goOnline", goOnline(1, "n1", minute(0)))
  await facts.change("goOnline", goOnline(1, "n1", minute(1)))
  await facts.change("goOnline", goOnline(2, "n2", minute(2)))
  expect(kinds(facts)).toEqual(["Online", "Online"])
  expect(facts.rows("chargePoints")).toMatchObject([{ nodeId: "n2", connectedSince: minute(2) }])
})

test("a charge point goes offline once", async () => {
  const facts = factsWith()
  await facts.change("goOnline", goOnline(1))
  await facts.change("goOffline", goOffline(1))
  expect(await facts.change("goOffline", goOffline(1, minute(20)))).toEqual({ recorded: true })
  expect(kinds(facts)).toEqual(["Online", "Offline"])
  expect(facts.rows("chargePoints")).toMatchObject([
    { online: false, nodeId: null, connectedSince: null, disconnectedAt: minute(9), lastSeenAt: minute(8) },
  ])
})

test("signs of life only move forward, and tell nothing", async () => {
  const facts = factsWith({ lastSeenAt: minute(5), epoch: 2, online: true })
  const seen = (minutes: number, epoch = 2) => ({ ...where, epoch, lastSeenAt: minute(minutes) })
  expect(await facts.change("noteSeen", seen(4))).toEqual({ recorded: false, offline: false })
  expect(await facts.change("noteSeen", seen(6))).toEqual({ recorded: true, offline: false })
  expect(await facts.change("noteSeen", seen(7, 1))).toEqual({ superseded: true })
  expect(facts.rows("chargePoints")).toMatchObject([{ lastSeenAt: minute(6) }])
  expect(facts.events).toBeEmpty()
})

function boot(change: Partial<RequestOf<FromChargePoint["BootNotification"]>> = {}, epoch = 1) {
  const request = { chargePointVendor: "Vendor", chargePointModel: "Model", ...change }
  return { ...caller({ epoch }), request }
}

test("a boot describes the charge point, and ends no transaction", async () => {
  const facts = factsWith({ heartbeatIntervalS: 60, iccid: "old" })
  await facts.change("startTransaction", start())
  const outcome = await facts.change("reportBoot", boot({ firmwareVersion: "1.2" }))
  expect(outcome).toEqual({ status: "Accepted", heartbeatIntervalS: 60 })
  expect(facts.rows("chargePoints")).toMatchObject([
    { vendor: "Vendor", model: "Model", firmwareVersion: "1.2", iccid: null, lastBootAt: minute(600) },
  ])
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }])
  expect(kinds(facts).at(-1)).toBe("Booted")
})

test("acceptance is dated by the first boot that was answered Accepted", async () => {
  const facts = factsWith({ registrationStatus: "Pending" })
  expect(await facts.change("reportBoot", boot())).toMatchObject({ status: "Pending" })
  expect(facts.rows("chargePoints")).toMatchObject([{ acceptedAt: null, lastBootAt: minute(600) }])
  const accept = { ...where, at: minute(601), change: { registrationStatus: "Accepted" } as const }
  await facts.change("updateChargePoint", accept)
  for (const receivedAt of [minute(602), minute(603)]) await facts.change("reportBoot", { ...boot(), receivedAt })
  expect(facts.rows("chargePoints")).toMatchObject([{ acceptedAt: minute(602), lastBootAt: minute(603) }])
})

function status(
  change: Partial<RequestOf<FromChargePoint["StatusNotification"]>> = {},
  epoch = 1,
  statusAt = minute(0),
) {
  const request = { connectorId: 1, status: "Charging", errorCode: "NoError", ...change } as const
  return { ...caller({ epoch }), request, statusAt }
}

test("a status is recorded for whatever connector, with whatever error", async () => {
  const facts = factsWith()
  await facts.change(
    "reportStatus",
    status({ connectorId: 99, status: "Finishing", errorCode: "OtherError", info: "x" }),
  )
  expect(facts.rows("connectors")).toMatchObject([
    { connectorId: 99, status: "Finishing", errorCode: "OtherError", info: "x", vendorId: null, statusAt: minute(0) },
  ])
  expect(facts.events).toMatchObject([{ kind: "ConnectorStatus", connector: { connectorId: 99, status: "Finishing" } }])
})

test("an equal status is no news and keeps the instant since which it holds", async () => {
  const facts = factsWith()
  await facts.change("reportStatus", status({}, 1, minute(0)))
  await facts.change("reportStatus", status({}, 1, minute(5)))
  expect(facts.events).toHaveLength(1)
  expect(facts.rows("connectors")).toMatchObject([{ statusAt: minute(0) }])
})

test("the status that arrives last is current, whatever the charge point's clock says", async () => {
  const facts = factsWith()
  await facts.change("reportStatus", status({ status: "Charging" }, 1, minute(30)))
  await facts.change("reportStatus", status({ status: "Available" }, 1, minute(10)))
  expect(facts.rows("connectors")).toMatchObject([{ status: "Available", statusAt: minute(10) }])
})

test("no event and no outcome but the row itself shows the password's hash", async () => {
  const facts = factsWith()
  await facts.change("goOnline", goOnline(1))
  await facts.change("reportStatus", status())
  await facts.change("reportBoot", boot())
  await facts.change("report", { ...caller(), id: "r1", action: "FirmwareStatusNotification", payload: "{}" })
  await facts.change("updateChargePoint", { ...where, at: minute(1), change: { wireLog: true } })
  await facts.change("goOffline", goOffline(1))
  await facts.change("deleteChargePoint", { ...where, at: minute(2) })
  expect(facts.events).toHaveLength(7)
  expect(JSON.stringify(facts.events)).not.toContain("secret hash")
})

test("a report is kept as it came and told with its action", async () => {
  const facts = factsWith()
  const payload = '{"status":"Uploading"}'
  await facts.change("report", { ...caller(), id: "r1", action: "DiagnosticsStatusNotification", payload })
  expect(facts.rows("reports")).toMatchObject([{ id: "r1", payload, receivedAt: minute(600) }])
  expect(facts.events).toMatchObject([{ kind: "Report", action: "DiagnosticsStatusNotification" }])
})

test("an identity can be given once, over all organisations", async () => {
  const facts = factsWith()
  const create = (change: Partial<ChargePointRow>) =>
    facts.change("createChargePoint", { chargePoint: chargePointRow(change) })
  expect(await create({ id: "cp2", organisationId: "other" })).toEqual({ alreadyExists: true })
  expect(await create({ id: "cp2", identity: "CP-2" })).toMatchObject({ chargePoint: { id: "cp2" } })
  expect(kinds(facts)).toEqual(["Created"])
})

test("an update changes the given fields only, and one that changes nothing tells nothing", async () => {
  const facts = factsWith({ heartbeatIntervalS: 30 })
  await facts.change("updateChargePoint", { ...where, at: minute(1), change: { leniency: "strict" } })
  await facts.change("updateChargePoint", { ...where, at: minute(2), change: { leniency: "strict" } })
  expect(facts.rows("chargePoints")).toMatchObject([{ leniency: "strict", heartbeatIntervalS: 30 }])
  expect(kinds(facts)).toEqual(["Updated"])
})

test("a deleted charge point leaves its transactions, ended as far as anybody knows", async () => {
  const facts = factsWith()
  await facts.change("reportStatus", status())
  await facts.change("startTransaction", start())
  await facts.change("deleteChargePoint", { ...where, at: minute(700) })
  expect(facts.rows("chargePoints")).toBeEmpty()
  expect(facts.rows("connectors")).toBeEmpty()
  expect(facts.rows("transactions")).toMatchObject([{ state: "EndedInferred", stoppedAt: minute(700) }])
  expect(kinds(facts).slice(-2)).toEqual(["EndInferred", "Deleted"])
  expect(await facts.change("reportStatus", status())).toEqual({ superseded: true })
})

test("a deletion said again ends what the charge point brought in between, and tells no second deletion", async () => {
  const facts = factsWith()
  await facts.change("deleteChargePoint", { ...where, at: minute(700) })
  await facts.change("startTransaction", start())
  const elsewhere = { ...where, organisationId: "other" }
  expect(await facts.change("deleteChargePoint", { ...elsewhere, at: minute(701) })).toEqual({ notFound: true })
  expect(facts.rows("transactions")).toMatchObject([{ state: "Active" }])
  expect(await facts.change("deleteChargePoint", { ...where, at: minute(702) })).toEqual({ notFound: true })
  expect(facts.rows("transactions")).toMatchObject([{ state: "EndedInferred", stoppedAt: minute(702) }])
  expect(kinds(facts)).toEqual(["Deleted", "Started", "EndInferred"])
})

test("another organisation's charge point is not there", async () => {
  const facts = factsWith()
  const elsewhere = { organisationId: "other", chargePointId: "cp1" }
  const at = minute(1)
  expect(await facts.change("goOnline", { ...elsewhere, nodeId: "n1", epoch: 1, at })).toEqual({ notFound: true })
  expect(await facts.change("goOffline", { ...elsewhere, epoch: 1, at, lastSeenAt: at })).toEqual({ notFound: true })
  expect(await facts.change("updateChargePoint", { ...elsewhere, at, change: {} })).toEqual({ notFound: true })
  expect(await facts.change("deleteChargePoint", { ...elsewhere, at })).toEqual({ notFound: true })
  expect(await facts.change("noteSeen", { ...elsewhere, epoch: 1, lastSeenAt: at })).toEqual({ notFound: true })
  expect(facts.events).toBeEmpty()
})
