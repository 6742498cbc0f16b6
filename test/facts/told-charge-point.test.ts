import { expect, test } from "bun:test"
import { caller, chargePointRow, idTagRow, minute, start, stop } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"

function factsWith() {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()], idTags: [idTagRow("04A1")] })
  return facts
}
const where = { organisationId: "default", chargePointId: "cp1" }
const status = (connectorId: number, word: "Available" | "Charging" | "Faulted") => ({
  ...caller(),
  request: { connectorId, status: word, errorCode: "NoError" as const },
  statusAt: minute(1),
})

test("an event about a charge point tells what filters look at and it changed, as that was before", async () => {
  const facts = factsWith()
  await facts.change("goOnline", { ...where, nodeId: "n1", epoch: 1, at: minute(0) })
  await facts.change("reportBoot", {
    ...caller(),
    request: { chargePointVendor: "V", chargePointModel: "M", chargePointSerialNumber: "S" },
  })
  await facts.change("updateChargePoint", { ...where, at: minute(1), change: { registrationStatus: "Rejected" } })
  await facts.change("updateChargePoint", { ...where, at: minute(1), change: { wireLog: true } })
  await facts.change("goOffline", { ...where, epoch: 1, at: minute(2), lastSeenAt: null })
  expect(
    facts.events.map((event) => [event.type === "ChargePoint" && event.kind, "before" in event && event.before]),
  ).toEqual([
    ["Online", { online: false }],
    ["Booted", { vendor: null, model: null, serialNumber: null }],
    ["Updated", { registrationStatus: chargePointRow().registrationStatus }],
    ["Updated", false],
    ["Offline", { online: true }],
  ])
})

test("an event about a charge point tells its connectors' statuses, and those before where it changed one", async () => {
  const facts = factsWith()
  await facts.change("reportStatus", status(2, "Available"))
  await facts.change("reportStatus", status(1, "Charging"))
  await facts.change("reportStatus", status(0, "Faulted"))
  await facts.change("goOnline", { ...where, nodeId: "n1", epoch: 9, at: minute(0) })
  await facts.change("deleteChargePoint", { ...where, at: minute(3) })
  const told = facts.events.flatMap((event) =>
    event.type === "ChargePoint" ? [[event.kind, event.connectorStatuses, event.before?.connectorStatuses]] : [],
  )
  const both = ["Charging", "Available"]
  expect(told).toEqual([
    ["ConnectorStatus", ["Available"], []],
    ["ConnectorStatus", both, ["Available"]],
    ["ConnectorStatus", both, undefined],
    ["Online", both, undefined],
    ["Deleted", both, undefined],
  ])
})

test("an event about a transaction tells the state that it ended", async () => {
  const facts = factsWith()
  await facts.change("startTransaction", start({}, {}, "first"))
  await facts.change("startTransaction", start({ timestamp: new Date(minute(10)).toISOString() }, {}, "second"))
  await facts.change("stopTransaction", stop({ transactionId: 1 }))
  const told = facts.events.flatMap((event) =>
    event.type === "Transaction" ? [[event.kind, event.transaction.transactionId, event.before?.state]] : [],
  )
  expect(told).toEqual([
    ["Started", 1, undefined],
    ["EndInferred", 1, "Active"],
    ["Started", 2, undefined],
    ["Stopped", 1, "EndedInferred"],
  ])
})
