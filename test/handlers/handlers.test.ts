import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { idTagKeyOf } from "../../src/facts/id-tags.ts"
import type { ChargePointRow, IdTagRow } from "../../src/facts/rows.ts"
import type { Caller } from "../../src/handlers/handler.ts"
import { handlers } from "../../src/handlers/index.ts"
import { createLog } from "../../src/log.ts"
import { fromChargePoint } from "../../src/ocpp/index.ts"
import { Authorization } from "../../src/services/authorization.ts"
import { OwnershipLost } from "../../src/services/ownership.ts"
import type { Store } from "../../src/services/ports.ts"
import { newChargePoint, Registration } from "../../src/services/registration.ts"
import { Reports } from "../../src/services/reports.ts"
import { Status } from "../../src/services/status.ts"
import { Transactions } from "../../src/services/transactions.ts"
import { openStore } from "../../src/store/index.ts"

const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const clock = { now: () => now }

let dataDir: string
let store: Store
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "busbar-handlers-"))
  store = await openStore({ dataDir, log: createLog("silent"), now: clock.now })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

/** A charge point on the line, as handlers see it. */
async function callerFor(identity: string, settings: Partial<ChargePointRow> = {}): Promise<Caller> {
  const chargePoint = { ...newChargePoint("default", identity, now), ...settings }
  await store.change("createChargePoint", { chargePoint })
  return {
    from: { organisationId: "default", chargePointId: chargePoint.id, epoch: 1, receivedAt: now },
    uniqueId: "m1",
    level: "tolerant",
    deviates: () => undefined,
    services: {
      clock,
      authorization: new Authorization(store, clock),
      registration: new Registration({ store, clock, open: false, heartbeatIntervalS: 300, bootRetryIntervalS: 60 }),
      reports: new Reports(store),
      status: new Status(store),
      transactions: new Transactions(store),
    },
  }
}

const knownIdTag = async (idTag: string, settings: Partial<IdTagRow> = {}) => {
  const row: IdTagRow = {
    id: crypto.randomUUID(),
    organisationId: "default",
    idTag,
    idTagKey: idTagKeyOf(idTag),
    status: "Accepted",
    parentIdTag: null,
    expiryDate: null,
    maxActiveTransactions: null,
    note: null,
    createdAt: now,
    ...settings,
  }
  await store.change("createIdTag", { idTag: row })
}

const reportsOf = async ({ from }: Caller, action: string) => {
  const { rows } = await store.read.reportsOf(from.chargePointId, [action], { first: 10 })
  return rows.map(({ row }) => JSON.parse(row.payload))
}

test("every action a charge point may ask for has its handler", () => {
  expect(Object.keys(handlers).sort()).toEqual(Object.keys(fromChargePoint).sort())
})

test("Heartbeat tells the time in UTC with milliseconds", async () => {
  const caller = await callerFor("heartbeat")
  expect(await handlers.Heartbeat({}, caller)).toEqual({ currentTime: "2026-01-02T03:04:05.678Z" })
})

test("BootNotification is answered with the standing of the identity and describes the charge point", async () => {
  const caller = await callerFor("boot", { registrationStatus: "Pending" })
  const request = { chargePointVendor: "Vendor", chargePointModel: "Model", firmwareVersion: "1.2" }
  expect(await handlers.BootNotification(request, caller)).toEqual({
    status: "Pending",
    currentTime: "2026-01-02T03:04:05.678Z",
    interval: 60,
  })
  const row = await store.read.chargePointByIdentity("boot")
  expect(row).toMatchObject({ vendor: "Vendor", firmwareVersion: "1.2", acceptedAt: null, lastBootAt: now })
})

test("BootNotification never answers an interval of 0, whatever is set", async () => {
  const caller = await callerFor("boot-0", { heartbeatIntervalS: 0 })
  const request = { chargePointVendor: "Vendor", chargePointModel: "Model" }
  expect(await handlers.BootNotification(request, caller)).toMatchObject({ status: "Accepted", interval: 300 })
})

test("Authorize knows idTags in any letter case, their expiry and their parent; an unknown one is Invalid", async () => {
  const caller = await callerFor("authorize")
  await knownIdTag("04Ab", { parentIdTag: "FLEET", expiryDate: now + 1 })
  await knownIdTag("blocked", { status: "Blocked" })
  await knownIdTag("expired", { expiryDate: now })
  await knownIdTag("busy", { maxActiveTransactions: 0 })
  const check = async (idTag: string) => (await handlers.Authorize({ idTag }, caller)).idTagInfo
  expect(await check("04AB")).toEqual({
    status: "Accepted",
    expiryDate: "2026-01-02T03:04:05.679Z",
    parentIdTag: "FLEET",
  })
  expect((await check("BLOCKED")).status).toBe("Blocked")
  expect((await check("expired")).status).toBe("Expired")
  expect((await check("nobody")).status).toBe("Invalid")
  expect((await check("x".repeat(21))).status).toBe("Invalid")
  expect((await check("busy")).status).toBe("Accepted") // never ConcurrentTx from Authorize
})

test("StartTransaction said twice gets the first answer again, also under another message id", async () => {
  const caller = await callerFor("start")
  await knownIdTag("starter")
  const request = { connectorId: 1, idTag: "starter", meterStart: 0, timestamp: "2026-01-02T03:00:00Z" }
  const first = await handlers.StartTransaction(request, caller)
  expect(first).toEqual({ transactionId: expect.any(Number), idTagInfo: { status: "Accepted" } })
  const again = { ...request, idTag: "STARTER", timestamp: "2026-01-02T04:00:00+01:00" }
  expect(await handlers.StartTransaction(again, { ...caller, uniqueId: "m2" })).toEqual(first)
})

test("a blocked tag is refused but still receives a transaction id", async () => {
  const caller = await callerFor("refused")
  await knownIdTag("thief", { status: "Blocked" })
  const request = { connectorId: 1, idTag: "thief", meterStart: 0, timestamp: "2026-01-02T03:00:00Z" }
  const confirmation = await handlers.StartTransaction(request, caller)
  expect(confirmation).toEqual({ transactionId: expect.any(Number), idTagInfo: { status: "Blocked" } })
})

test("StopTransaction is confirmed whatever it names, with idTagInfo only where an idTag was given", async () => {
  const caller = await callerFor("stop")
  await knownIdTag("stopper")
  const begin = { connectorId: 1, idTag: "stopper", meterStart: 100, timestamp: "2026-01-02T03:00:00Z" }
  const { transactionId } = await handlers.StartTransaction(begin, caller)
  const end = { transactionId, meterStop: 350, timestamp: "2026-01-02T03:01:00Z" }
  expect(await handlers.StopTransaction({ ...end, idTag: "stopper" }, caller)).toEqual({
    idTagInfo: { status: "Accepted" },
  })
  // Said twice, it gets the first answer again.
  expect(await handlers.StopTransaction(end, caller)).toEqual({ idTagInfo: { status: "Accepted" } })
  expect(await handlers.StopTransaction({ ...end, transactionId: -1 }, caller)).toEqual({})
  expect(await handlers.StopTransaction({ ...end, transactionId: 123_456_789 }, caller)).toEqual({})
  const [transaction] = await store.read.transactionsByIds([transactionId])
  expect(transaction).toMatchObject({ state: "Ended", energyWh: 250 })
})

test("MeterValues are kept with the transaction they name, and confirmed for an unknown one", async () => {
  const caller = await callerFor("meter")
  const begin = { connectorId: 1, idTag: "anyone", meterStart: 0, timestamp: "2026-01-02T03:00:00Z" }
  const { transactionId } = await handlers.StartTransaction(begin, caller)
  const meterValue = [{ timestamp: "2026-01-02T03:00:30+00:00", sampledValue: [{ value: "40", unit: "Wh" as const }] }]
  expect(await handlers.MeterValues({ connectorId: 1, transactionId, meterValue }, caller)).toEqual({})
  expect(await handlers.MeterValues({ connectorId: 1, transactionId: -1, meterValue }, caller)).toEqual({})
  expect(await handlers.MeterValues({ connectorId: 0, meterValue }, caller)).toEqual({})
  const { rows } = await store.read.meterValues("default", { transactionId }, { first: 10 })
  expect(rows.map(({ row }) => [row.at, row.sampledValues])).toContainEqual([
    Date.UTC(2026, 0, 2, 3, 0, 30),
    '[{"value":"40"}]',
  ])
})

test("StatusNotification without a timestamp is as of its receipt", async () => {
  const caller = await callerFor("status")
  const request = { connectorId: 1, errorCode: "NoError", status: "Preparing" } as const
  expect(await handlers.StatusNotification(request, caller)).toEqual({})
  const dated = { ...request, connectorId: 2, timestamp: "2026-01-01T00:00:00Z" }
  expect(await handlers.StatusNotification(dated, caller)).toEqual({})
  const connectors = await store.read.connectorsOf([caller.from.chargePointId])
  expect(connectors.map(({ connectorId, status, statusAt }) => [connectorId, status, statusAt])).toEqual([
    [1, "Preparing", now],
    [2, "Preparing", Date.UTC(2026, 0, 1)],
  ])
})

test("what only the owner may say is not answered once a newer socket is there", async () => {
  const caller = await callerFor("superseded", { epoch: 2 })
  const status = { connectorId: 1, errorCode: "NoError", status: "Available" } as const
  const failureOf = async (answer: () => unknown): Promise<unknown> => {
    try {
      return await answer()
    } catch (cause) {
      return cause
    }
  }
  expect(await failureOf(() => handlers.StatusNotification(status, caller))).toBeInstanceOf(OwnershipLost)
  const boot = { chargePointVendor: "Vendor", chargePointModel: "Model" }
  expect(await failureOf(() => handlers.BootNotification(boot, caller))).toBeInstanceOf(OwnershipLost)
  // Facts of a transaction are taken from any epoch.
  const begin = { connectorId: 1, idTag: "anyone", meterStart: 0, timestamp: "2026-01-02T03:00:00Z" }
  expect((await handlers.StartTransaction(begin, caller)).transactionId).toBeGreaterThan(0)
})

test("DataTransfer is refused politely, without data, and kept", async () => {
  const caller = await callerFor("data")
  const request = { vendorId: "com.example", messageId: "x", data: "anything" }
  expect(await handlers.DataTransfer(request, caller)).toEqual({ status: "UnknownVendorId" })
  expect(await reportsOf(caller, "DataTransfer")).toEqual([request])
})

test("notifications of firmware, diagnostics, logs and security are confirmed and kept as they came", async () => {
  const caller = await callerFor("reports")
  const security = { type: "SomethingNobodyKnows", timestamp: "1999-01-01T00:00:00Z", techInfo: "t" }
  expect(await handlers.DiagnosticsStatusNotification({ status: "Uploading" }, caller)).toEqual({})
  expect(await handlers.FirmwareStatusNotification({ status: "Installed" }, caller)).toEqual({})
  expect(await handlers.LogStatusNotification({ status: "Uploaded", requestId: 7 }, caller)).toEqual({})
  expect(await handlers.SignedFirmwareStatusNotification({ status: "InvalidSignature" }, caller)).toEqual({})
  expect(await handlers.SecurityEventNotification(security, caller)).toEqual({})
  expect(await reportsOf(caller, "DiagnosticsStatusNotification")).toEqual([{ status: "Uploading" }])
  expect(await reportsOf(caller, "FirmwareStatusNotification")).toEqual([{ status: "Installed" }])
  expect(await reportsOf(caller, "LogStatusNotification")).toEqual([{ status: "Uploaded", requestId: 7 }])
  expect(await reportsOf(caller, "SignedFirmwareStatusNotification")).toEqual([{ status: "InvalidSignature" }])
  expect(await reportsOf(caller, "SecurityEventNotification")).toEqual([security])
})

test("SignCertificate is rejected, for nobody here can sign, and kept", async () => {
  const caller = await callerFor("sign")
  expect(await handlers.SignCertificate({ csr: "-----BEGIN CERTIFICATE REQUEST-----" }, caller)).toEqual({
    status: "Rejected",
  })
  expect(await reportsOf(caller, "SignCertificate")).toHaveLength(1)
})
