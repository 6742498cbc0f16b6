/** The life of our charge point, each frame of it held against the official schemas. */
import { expect, test } from "bun:test"
import { believableChargePoint } from "../../bench/behaviour.ts"
import type { StationOptions } from "../../bench/station.ts"
import type { Vehicle } from "../../bench/vehicle.ts"
import { startCentralSystem } from "./central-system.ts"

type CentralSystem = Awaited<ReturnType<typeof startCentralSystem>>
type Fields = Record<string, unknown>

const vehicle = (): Vehicle => ({
  ...{ capacityWh: 50_000, maxAcW: 11_000, maxDcW: 100_000, phases: 3, soc: 0.5, targetSoc: 0.8 },
})

function build({ url }: CentralSystem, options: Partial<StationOptions> = {}) {
  const reconnect = { minMs: 10, maxMs: 50 }
  return believableChargePoint({ url, identity: "CP", connectors: 2, speed: 3600, rebootMs: 5, reconnect, ...options })
}

async function booted(centralSystem: CentralSystem, options: Partial<StationOptions> = {}) {
  const station = build(centralSystem, options)
  await station.connect()
  await station.booted
  await centralSystem.until(() => centralSystem.of("StatusNotification").length >= station.connectors.length + 1)
  return station
}

const statuses = (centralSystem: CentralSystem, connectorId: number) =>
  centralSystem
    .of("StatusNotification")
    .filter((request) => request["connectorId"] === connectorId)
    .map(({ status }) => status)

test("after Accepted the charge point reports connector 0 and every connector", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem)
  const [boot, ...reports] = centralSystem.received
  expect(boot?.action).toBe("BootNotification")
  expect(reports.map(({ params }) => [params["connectorId"], params["status"]])).toEqual([
    [0, "Available"],
    [1, "Available"],
    [2, "Available"],
  ])
  expect(station.configuration.number("HeartbeatInterval")).toBe(300)
})

test("while Pending it tells nothing unasked, refuses RemoteStart, and boots again when triggered", async () => {
  await using centralSystem = await startCentralSystem()
  const currentTime = new Date().toISOString()
  centralSystem.answers["BootNotification"] = () => ({ status: "Pending", currentTime, interval: 600 })
  await using station = build(centralSystem)
  await station.connect()
  await centralSystem.message("BootNotification")
  expect(await centralSystem.call("CP", "RemoteStartTransaction", { idTag: "04A1" })).toEqual({ status: "Rejected" })
  expect(await centralSystem.call("CP", "GetConfiguration", { key: ["NumberOfConnectors"] })).toEqual({
    configurationKey: [{ key: "NumberOfConnectors", readonly: true, value: "2" }],
  })
  expect(centralSystem.received).toHaveLength(1)
  centralSystem.answers["BootNotification"] = () => ({ status: "Accepted", currentTime, interval: 300 })
  await centralSystem.call("CP", "TriggerMessage", { requestedMessage: "BootNotification" })
  await station.booted
  expect(await centralSystem.call("CP", "TriggerMessage", { requestedMessage: "BootNotification" })).toEqual({
    status: "Rejected",
  })
})

test("rejected, it asks again after the interval", async () => {
  await using centralSystem = await startCentralSystem()
  const currentTime = new Date().toISOString()
  const answers = ["Rejected", "Accepted"]
  centralSystem.answers["BootNotification"] = () => ({ status: answers.shift(), currentTime, interval: 1 })
  await using station = build(centralSystem)
  await station.connect()
  await station.booted
  expect(centralSystem.of("BootNotification")).toHaveLength(2)
})

test("a session runs from plug to unplug, its register only grows, and the sums agree", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem)
  expect(await station.plugIn(1, "04A1", { vehicle: vehicle() })).toBe("started")
  const stop = await centralSystem.message("StopTransaction")
  await centralSystem.until(() => statuses(centralSystem, 1).filter((status) => status === "Available").length === 2)
  expect(statuses(centralSystem, 1)).toEqual([
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "Finishing",
    "Available",
  ])
  const [started] = centralSystem.of("StartTransaction")
  const readings = centralSystem.of("MeterValues").map((request) => {
    const [meterValue] = request["meterValue"] as { sampledValue: Fields[] }[]
    return meterValue!.sampledValue
  })
  const register = readings.map((values) =>
    Number(values.find(({ measurand }) => measurand === "Energy.Active.Import.Register")?.["value"]),
  )
  const path = [Number(started?.["meterStart"]), ...register, Number(stop["meterStop"])]
  expect(path).toEqual(path.toSorted((a, b) => a - b))
  // 30 % of 50 kWh, and what the charger on board loses.
  expect(Number(stop["meterStop"]) - Number(started?.["meterStart"])).toBeWithin(15_000, 17_000)
  expect(readings[0]!.map(({ measurand, phase }) => [measurand, phase].filter(Boolean).join(" "))).toEqual([
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import L1",
    "Current.Import L2",
    "Current.Import L3",
    "Voltage L1-N",
    "Voltage L2-N",
    "Voltage L3-N",
    "SoC",
  ])
  expect(stop).toMatchObject({ transactionId: 1, reason: "EVDisconnected" })
  expect(stop["transactionData"]).toHaveLength(2)
  expect(centralSystem.violations).toEqual([])
})

test("who is not accepted gets no energy, online before the start and offline after it", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem)
  centralSystem.answers["Authorize"] = () => ({ idTagInfo: { status: "Blocked" } })
  expect(await station.plugIn(1, "04A1")).toBe("refused")
  expect(centralSystem.of("StartTransaction")).toEqual([])
  centralSystem.answers["Authorize"] = () => ({ idTagInfo: { status: "Accepted" } })
  centralSystem.answers["StartTransaction"] = () => ({ transactionId: 5, idTagInfo: { status: "Invalid" } })
  await station.plugIn(1, "04A1")
  expect(await centralSystem.message("StopTransaction")).toMatchObject({ transactionId: 5, reason: "DeAuthorized" })
})

test("what happened offline is told in order when the connection is back, without another boot", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { speed: 60 })
  await station.plugIn(1, "04A1", { vehicle: vehicle() })
  await station.chargePoint.waitForText((text) => text.includes("transactionId"))
  await centralSystem.shut()
  const before = centralSystem.received.length
  expect(await station.plugIn(2, "04A1", { vehicle: vehicle() })).toBe("started")
  const stopped = Promise.all([station.connector(1)!.stop("Local"), station.connector(2)!.stop("Local")])
  centralSystem.admit()
  await stopped
  const backlog = centralSystem.received
    .slice(before)
    .filter(({ action }) => /Transaction$/.test(action))
    .map(({ action, params }) => [action, params["connectorId"] ?? params["transactionId"]])
  expect(backlog).toEqual([
    ["StartTransaction", 2],
    ["StopTransaction", 1],
    ["StopTransaction", 2],
  ])
  expect(centralSystem.of("BootNotification")).toHaveLength(1)
})

test.each([
  ["Soft", ["StopTransaction", "BootNotification"]],
  ["Hard", ["BootNotification", "StopTransaction"]],
] as const)("a %s reset ends the transaction, reconnects and boots", async (type, order) => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { speed: 60 })
  await station.plugIn(1, "04A1", { vehicle: vehicle() })
  await centralSystem.message("StartTransaction")
  const before = centralSystem.received.length
  expect(await centralSystem.call("CP", "Reset", { type })).toEqual({ status: "Accepted" })
  const stop = await centralSystem.message("StopTransaction")
  await centralSystem.until(() => centralSystem.of("BootNotification").length === 2)
  await station.booted
  expect(stop["reason"]).toBe(`${type}Reset`)
  const told = centralSystem.received.slice(before).map(({ action }) => action)
  expect(told.filter((action) => /Boot|Stop/.test(action))).toEqual([...order])
})

test("configuration keys are listed, changed, refused and unknown as the standard has it", async () => {
  await using centralSystem = await startCentralSystem()
  await using _station = await booted(centralSystem)
  const change = (key: string, value: string) => centralSystem.call("CP", "ChangeConfiguration", { key, value })
  const { configurationKey } = await centralSystem.call("CP", "GetConfiguration")
  const names = (configurationKey as { key: string }[]).map(({ key }) => key)
  expect(names).toContain("MeterValueSampleInterval")
  expect(names).not.toContain("AuthorizationKey")
  expect(await change("MeterValueSampleInterval", "15")).toEqual({ status: "Accepted" })
  expect(await change("MeterValueSampleInterval", "-1")).toEqual({ status: "Rejected" })
  expect(await change("MeterValuesSampledData", "Energy.Dark")).toEqual({ status: "Rejected" })
  expect(await change("NumberOfConnectors", "3")).toEqual({ status: "Rejected" })
  expect(await change("ConnectorPhaseRotation", "0.RST")).toEqual({ status: "RebootRequired" })
  expect(await change("Unheard.Of", "1")).toEqual({ status: "NotSupported" })
  expect(await change("AuthorizationKey", "0011")).toEqual({ status: "Rejected" })
  const asked = ["meterValueSampleInterval", "Unheard.Of"]
  expect(await centralSystem.call("CP", "GetConfiguration", { key: asked })).toEqual({
    configurationKey: [{ key: "MeterValueSampleInterval", readonly: false, value: "15" }],
    unknownKey: ["Unheard.Of"],
  })
})

test("a new AuthorizationKey is the password of the next connection", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { password: "old password 123" })
  const value = "00ff".repeat(8)
  expect(await centralSystem.call("CP", "ChangeConfiguration", { key: "AuthorizationKey", value })).toEqual({
    status: "Accepted",
  })
  station.chargePoint.terminate()
  await station.chargePoint.waitForClose()
  await station.connect()
  expect(centralSystem.passwords).toEqual(["old password 123", Buffer.from(value, "hex").toString("latin1")])
})

test("a remote start charges with its profile, a limit shows in the power, a remote stop ends it", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { speed: 600 })
  const chargingProfile = {
    ...{ chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" },
    chargingSchedule: { chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 1500 }] },
  }
  const request = { idTag: "04A1", connectorId: 2, chargingProfile }
  expect(await centralSystem.call("CP", "RemoteStartTransaction", request)).toEqual({ status: "Accepted" })
  expect(await centralSystem.message("StartTransaction")).toMatchObject({ connectorId: 2, idTag: "04A1" })
  const { meterValue } = await centralSystem.message("MeterValues")
  const [{ sampledValue }] = meterValue as [{ sampledValue: Fields[] }]
  const power = sampledValue.find(({ measurand }) => measurand === "Power.Active.Import")
  expect(Number(power?.["value"])).toBe(1500)
  const composite = await centralSystem.call("CP", "GetCompositeSchedule", { connectorId: 2, duration: 600 })
  expect(composite["chargingSchedule"]).toMatchObject({ chargingSchedulePeriod: [{ startPeriod: 0, limit: 1500 }] })
  expect(await centralSystem.call("CP", "RemoteStopTransaction", { transactionId: 99 })).toEqual({ status: "Rejected" })
  expect(await centralSystem.call("CP", "RemoteStopTransaction", { transactionId: 1 })).toEqual({ status: "Accepted" })
  expect(await centralSystem.message("StopTransaction")).toMatchObject({ transactionId: 1, reason: "Remote" })
  expect(station.sessions.started).toBe(1)
})

test("a reservation keeps others away and comes with the StartTransaction of its holder", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { speed: 60 })
  const expiryDate = new Date(Date.now() + 60_000).toISOString()
  const reserve = (connectorId: number, reservationId: number) =>
    centralSystem.call("CP", "ReserveNow", { connectorId, reservationId, expiryDate, idTag: "04A1" })
  expect(await reserve(0, 1)).toEqual({ status: "Rejected" })
  expect(await reserve(1, 2)).toEqual({ status: "Accepted" })
  expect(await reserve(1, 3)).toEqual({ status: "Occupied" })
  expect(await station.plugIn(1, "BEEF")).toBe("busy")
  expect(await station.plugIn(1, "04a1", { vehicle: vehicle() })).toBe("started")
  expect(await centralSystem.message("StartTransaction")).toMatchObject({ reservationId: 2 })
  expect(await reserve(2, 4)).toEqual({ status: "Accepted" })
  expect(await centralSystem.call("CP", "CancelReservation", { reservationId: 4 })).toEqual({ status: "Accepted" })
  expect(await centralSystem.call("CP", "CancelReservation", { reservationId: 4 })).toEqual({ status: "Rejected" })
})

test("availability changes at once when free and after the transaction when not", async () => {
  await using centralSystem = await startCentralSystem()
  await using station = await booted(centralSystem, { speed: 600 })
  const change = (connectorId: number, type: string) =>
    centralSystem.call("CP", "ChangeAvailability", { connectorId, type })
  await station.plugIn(1, "04A1", { vehicle: vehicle() })
  expect(await change(1, "Inoperative")).toEqual({ status: "Scheduled" })
  expect(await change(2, "Inoperative")).toEqual({ status: "Accepted" })
  expect(await change(9, "Inoperative")).toEqual({ status: "Rejected" })
  await station.connector(1)!.stop("Local")
  await centralSystem.until(() => statuses(centralSystem, 1).at(-1) === "Unavailable")
  expect(statuses(centralSystem, 2)).toEqual(["Available", "Unavailable"])
  expect(await change(0, "Operative")).toEqual({ status: "Accepted" })
  await centralSystem.until(() => statuses(centralSystem, 1).at(-1) === "Available")
})
