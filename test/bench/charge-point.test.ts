/** The wire of our charge point, held against a central system that is not ours. */
import { expect, test } from "bun:test"
import { createRPCError, NOREPLY } from "ocpp-rpc"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import type { AnomalyKind } from "../../bench/statistics.ts"
import { CallError, CallTimeout, ConnectionLost, WrongConfirmation } from "../../bench/wire.ts"
import { failureOf, startCentralSystem } from "./central-system.ts"

const start = (connectorId: number) => ({
  connectorId,
  idTag: "04A1",
  meterStart: 100 * connectorId,
  timestamp: "2026-01-01T00:00:00Z",
})
const anomalies = ({ statistics }: ChargePoint) =>
  (Object.keys(statistics.anomalies) as AnomalyKind[]).filter((kind) => statistics.anomalies[kind] > 0)

test("a charge point says who it is in the URL and, if it has one, proves it with its password", async () => {
  await using centralSystem = await startCentralSystem()
  const password = Uint8Array.of(0, 1, 2, 255, 58, 254)
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "RDAM 12/3", password })
  const { status } = await chargePoint.boot()
  expect(status).toBe("Accepted")
  expect([...centralSystem.clients.keys()]).toEqual(["RDAM 12/3"])
  expect(centralSystem.passwords).toEqual([Buffer.from(password).toString("latin1")])
  expect(centralSystem.received.map(({ action }) => action)).toEqual([
    "BootNotification",
    "StatusNotification",
    "StatusNotification",
  ])
  expect(centralSystem.violations).toEqual([])
})

test("only one CALL is outstanding, and CALLs are answered while it is", async () => {
  await using centralSystem = await startCentralSystem()
  const gate = Promise.withResolvers<void>()
  centralSystem.answers["Heartbeat"] = async () => {
    await gate.promise
    return { currentTime: new Date().toISOString() }
  }
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP" })
  chargePoint.onCall("ClearCache", () => ({ status: "Accepted" }))
  const first = chargePoint.call("Heartbeat")
  const second = chargePoint.call("Authorize", { idTag: "04A1" })
  expect(await centralSystem.call("CP", "ClearCache")).toEqual({ status: "Accepted" })
  expect(chargePoint.statistics.callsSent).toBe(1)
  gate.resolve()
  await first
  expect((await second).idTagInfo.status).toBe("Accepted")
})

test("a CALL that came before anybody asked for it is not missed, and can be answered or refused by hand", async () => {
  await using centralSystem = await startCentralSystem()
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP" })
  const reset = centralSystem.call("CP", "Reset", { type: "Soft" })
  const text = await chargePoint.waitForText((one) => one.includes("Reset"))
  const call = await chargePoint.waitForCall("Reset")
  expect(JSON.parse(text)).toEqual([2, call.uniqueId, "Reset", { type: "Soft" }])
  call.answer({ status: "Rejected" })
  expect(await reset).toEqual({ status: "Rejected" })
  expect(() => call.answer({ status: "Accepted" })).toThrow("answered already")

  const unlock = centralSystem.call("CP", "UnlockConnector", { connectorId: 1 })
  const refused = await chargePoint.waitForCall("UnlockConnector")
  refused.refuse("NotSupported", "no lock")
  expect(await failureOf(unlock)).toMatchObject({ message: expect.stringContaining("no lock") })
})

test("a handler's failure leaves as a CALLERROR, its own or InternalError", async () => {
  await using centralSystem = await startCentralSystem()
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP" })
  chargePoint.onCall("ClearCache", () => {
    throw new CallError("SecurityError", "not you")
  })
  chargePoint.onCall("*", () => {
    throw new Error("broken")
  })
  expect(await failureOf(centralSystem.call("CP", "ClearCache"))).toMatchObject({ rpcErrorCode: "SecurityError" })
  expect(await failureOf(centralSystem.call("CP", "GetLocalListVersion"))).toMatchObject({
    rpcErrorCode: "InternalError",
  })
})

test("an answer to nothing, a second answer and an answer that is none are noticed", async () => {
  await using centralSystem = await startCentralSystem()
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP" })
  const currentTime = new Date().toISOString()
  centralSystem.answers["Heartbeat"] = (_, { messageId, sendRaw }) => {
    sendRaw(JSON.stringify([3, "nobody-asked", {}]))
    sendRaw(JSON.stringify([3, messageId, { currentTime }]))
    sendRaw(JSON.stringify([3, messageId, { currentTime }]))
    sendRaw("not a frame")
    return NOREPLY
  }
  await chargePoint.call("Heartbeat")
  await chargePoint.waitForText((text) => text === "not a frame")
  expect(anomalies(chargePoint)).toEqual(["unmatched", "doubled", "garbage"])

  centralSystem.answers["Heartbeat"] = (_, { messageId, sendRaw }) => {
    sendRaw(JSON.stringify([3, messageId, { currentTime: "yesterday" }]))
    return NOREPLY
  }
  expect(await failureOf(chargePoint.call("Heartbeat"))).toBeInstanceOf(WrongConfirmation)
  expect(anomalies(chargePoint)).toContain("wrong")
})

test("a missing answer ends the wait, and the late one is known for what it is", async () => {
  await using centralSystem = await startCentralSystem()
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP", callTimeoutMs: 50 })
  const late = Promise.withResolvers<() => void>()
  centralSystem.answers["Heartbeat"] = (_, { messageId, sendRaw }) => {
    late.resolve(() => sendRaw(JSON.stringify([3, messageId, { currentTime: new Date().toISOString() }])))
    return NOREPLY
  }
  expect(await failureOf(chargePoint.call("Heartbeat"))).toBeInstanceOf(CallTimeout)
  expect(anomalies(chargePoint)).toEqual(["missing"])
  const sendIt = await late.promise
  sendIt()
  await chargePoint.waitForText((text) => text.startsWith("[3,"))
  expect(anomalies(chargePoint)).toEqual(["late", "missing"])
})

test("transaction messages wait out the time offline and are told in order, each acknowledged exactly once", async () => {
  await using centralSystem = await startCentralSystem()
  await using chargePoint = await connectChargePoint({
    url: centralSystem.url,
    identity: "CP",
    reconnect: { minMs: 10, maxMs: 50 },
  })
  await centralSystem.shut()
  await chargePoint.waitForClose()
  expect(await failureOf(chargePoint.call("Heartbeat"))).toBeInstanceOf(ConnectionLost)
  const transaction: { id?: number } = {}
  const told = [
    chargePoint.deliver("StartTransaction", start(1)).then(({ transactionId }) => {
      transaction.id = transactionId
    }),
    ...[1, 2, 3].map((value) =>
      chargePoint.deliver("MeterValues", () => ({
        connectorId: 1,
        transactionId: transaction.id,
        meterValue: [{ timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: String(value) }] }],
      })),
    ),
    chargePoint.deliver("StopTransaction", () => ({
      transactionId: transaction.id,
      meterStop: 200,
      timestamp: "2026-01-01T01:00:00Z",
    })),
  ]
  expect(chargePoint.backlog.length).toBe(5)
  centralSystem.admit()
  await Promise.all(told)
  expect(centralSystem.received.map(({ action }) => action)).toEqual([
    "StartTransaction",
    "MeterValues",
    "MeterValues",
    "MeterValues",
    "StopTransaction",
  ])
  expect(centralSystem.of("StopTransaction")[0]?.["transactionId"]).toBe(1)
  expect(JSON.stringify(centralSystem.of("MeterValues"))).toMatch(/"1".*"2".*"3"/)
  expect(chargePoint.backlog.length).toBe(0)
  expect(centralSystem.violations).toEqual([])
})

test("a message whose answer was lost with the connection is told again", async () => {
  await using centralSystem = await startCentralSystem()
  let asked = 0
  centralSystem.answers["StartTransaction"] = async (_, { identity }) => {
    if (++asked === 1) await centralSystem.clients.get(identity)!.close({ code: 1001, force: true })
    return { transactionId: 7, idTagInfo: { status: "Accepted" } }
  }
  const reconnect = { minMs: 10, maxMs: 50 }
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP", reconnect })
  expect((await chargePoint.deliver("StartTransaction", start(1))).transactionId).toBe(7)
  expect(asked).toBe(2)
})

test("a message the central system fails to process is tried again as often as configured, then given up", async () => {
  await using centralSystem = await startCentralSystem()
  let asked = 0
  centralSystem.answers["StartTransaction"] = () => {
    asked++
    throw createRPCError("InternalError", "no disk")
  }
  await using chargePoint = await connectChargePoint({ url: centralSystem.url, identity: "CP" })
  chargePoint.backlog.attempts = 3
  chargePoint.backlog.retryIntervalMs = 5
  expect(await failureOf(chargePoint.deliver("StartTransaction", start(1)))).toMatchObject({ code: "InternalError" })
  expect(asked).toBe(3)
  expect(chargePoint.backlog.dropped).toBe(1)
})

test("a refused connection is an error, and one that falls is dialled again", async () => {
  await using centralSystem = await startCentralSystem()
  const options = { url: centralSystem.url, identity: "CP" }
  await centralSystem.shut()
  expect(await failureOf(connectChargePoint(options))).toBeInstanceOf(ConnectionLost)
  centralSystem.admit()
  await using chargePoint = await connectChargePoint({ ...options, reconnect: { minMs: 10, maxMs: 50 } })
  chargePoint.terminate()
  expect(await chargePoint.waitForClose()).toMatchObject({ code: 1006 })
  await chargePoint.connect()
  await chargePoint.call("Heartbeat")
  expect(chargePoint.statistics.opened).toBe(2)
})
