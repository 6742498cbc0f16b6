/** The certificate's functionality Core: 34 cases. */
import { operate } from "../expectations.ts"
import { casesOf, check } from "../stage.ts"
import type { Case, Payload, Stage } from "../stage.ts"
import { authorize, authorized, boot, booted, charging, start, status, stop } from "../states.ts"

const core = casesOf("Core")

/** Remote start on the connector under test, which the charge point answers as told. */
async function remoteStart(stage: Stage, answer: "Accepted" | "Rejected"): Promise<string> {
  const { validIdTag: idTag, connectorId } = stage.values
  await operate(stage, "RemoteStartTransaction", { request: { idTag, connectorId }, answer: { status: answer } })
  return idTag
}

/** Unlock of a connector, which the charge point answers as told. */
async function unlock(stage: Stage, connectorId: number, answer: string): Promise<void> {
  await operate(stage, "UnlockConnector", { request: { connectorId }, answer: { status: answer } })
}

async function reset(stage: Stage, type: "Hard" | "Soft"): Promise<void> {
  await operate(stage, "Reset", {
    input: { type: type.toUpperCase() },
    request: { type },
    answer: { status: "Accepted" },
  })
  await stage.chargePoint.reconnect()
  await booted(stage)
}

async function changeConfiguration(stage: Stage, key: string, value: string, answer: string): Promise<void> {
  await operate(stage, "ChangeConfiguration", { request: { key, value }, answer: { status: answer } })
}

/** Every key the standard requires of Core, local lists and smart charging, as a full listing carries them. */
const REQUIRED_KEYS: readonly [key: string, readonly: boolean, value: string][] = [
  ["AuthorizeRemoteTxRequests", false, "true"],
  ["ClockAlignedDataInterval", false, "900"],
  ["ConnectionTimeOut", false, "60"],
  ["ConnectorPhaseRotation", false, "0.RST,1.RST,2.RST"],
  ["GetConfigurationMaxKeys", true, "50"],
  ["HeartbeatInterval", false, "300"],
  ["LocalAuthorizeOffline", false, "true"],
  ["LocalPreAuthorize", false, "false"],
  ["MeterValuesAlignedData", false, "Energy.Active.Import.Register"],
  ["MeterValuesSampledData", false, "Energy.Active.Import.Register,Power.Active.Import"],
  ["MeterValueSampleInterval", false, "60"],
  ["NumberOfConnectors", true, "2"],
  ["ResetRetries", false, "3"],
  ["StopTransactionOnEVSideDisconnect", false, "true"],
  ["StopTransactionOnInvalidId", false, "true"],
  ["StopTxnAlignedData", false, ""],
  ["StopTxnSampledData", false, ""],
  ["SupportedFeatureProfiles", true, "Core,LocalAuthListManagement,SmartCharging"],
  ["TransactionMessageAttempts", false, "3"],
  ["TransactionMessageRetryInterval", false, "30"],
  ["UnlockConnectorOnEVSideDisconnect", false, "true"],
  ["LocalAuthListEnabled", false, "true"],
  ["LocalAuthListMaxLength", true, "500"],
  ["SendLocalListMaxLength", true, "100"],
  ["ChargeProfileMaxStackLevel", true, "8"],
  ["ChargingScheduleAllowedChargingRateUnit", true, "Current,Power"],
  ["ChargingScheduleMaxPeriods", true, "24"],
  ["MaxChargingProfilesInstalled", true, "10"],
]

async function allKeys(stage: Stage, input: Payload): Promise<void> {
  await booted(stage)
  const configurationKey = [
    ...REQUIRED_KEYS.map(([key, readonly, value]) => ({ key, readonly, value })),
    { key: "AuthorizationKeyless", readonly: true },
  ]
  const { result } = await operate(stage, "GetConfiguration", { input, request: input, answer: { configurationKey } })
  const keys = result["configurationKey"]
  check(Array.isArray(keys) && keys.length === configurationKey.length, `the operator saw ${JSON.stringify(keys)}`)
}

export const coreCases: readonly Case[] = [
  core("001", "Cold Boot Charge Point", async (stage) => {
    const { interval, currentTime } = await booted(stage)
    check(interval === stage.values.heartbeatIntervalS, `the interval was ${String(interval)}`)
    check(Math.abs(Date.parse(String(currentTime)) - Date.now()) < 60_000, `currentTime was ${String(currentTime)}`)
    await Bun.sleep(stage.values.heartbeatIntervalS * 1000)
    const heartbeat = await stage.chargePoint.call("Heartbeat", {})
    check(Math.abs(Date.parse(String(heartbeat["currentTime"])) - Date.now()) < 60_000, "Heartbeat told a wrong time")
  }),
  core("003", "Regular Charging Session - Plugin First", async (stage) => {
    await booted(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    await authorized(stage)
    await start(stage)
    await status(stage, stage.values.connectorId, "Charging")
  }),
  core("004_1", "Regular Charging Session - Identification First", async (stage) => {
    await booted(stage)
    await charging(stage)
  }),
  core("004_2", "Identification First - ConnectionTimeOut", async (stage) => {
    await booted(stage)
    await authorized(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    await status(stage, stage.values.connectorId, "Available")
  }),
  core("005_1", "EV Side Disconnected", async (stage) => {
    await booted(stage)
    const transactionId = await charging(stage)
    await status(stage, stage.values.connectorId, "SuspendedEV")
    await stop(stage, transactionId, { reason: "EVDisconnected" })
    await status(stage, stage.values.connectorId, "Finishing")
    await status(stage, stage.values.connectorId, "Available")
  }),
  core("007", "Regular Start Charging Session - Cached Id", async (stage) => {
    await booted(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    await start(stage)
    await status(stage, stage.values.connectorId, "Charging")
  }),
  core("061", "Clear Authorization Data in Authorization Cache", async (stage) => {
    await booted(stage)
    await operate(stage, "ClearCache", { request: {}, answer: { status: "Accepted" } })
  }),
  core("010", "Remote Start - Cable Plugged in First", async (stage) => {
    await booted(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    const idTag = await remoteStart(stage, "Accepted")
    await authorize(stage, idTag)
    await start(stage, { idTag })
    await status(stage, stage.values.connectorId, "Charging")
  }),
  core("011_1", "Remote Start - Remote Start First", async (stage) => {
    await booted(stage)
    const idTag = await remoteStart(stage, "Accepted")
    await authorize(stage, idTag)
    await status(stage, stage.values.connectorId, "Preparing")
    await start(stage, { idTag })
    await status(stage, stage.values.connectorId, "Charging")
  }),
  core("011_2", "Remote Start - Time Out", async (stage) => {
    await booted(stage)
    const idTag = await remoteStart(stage, "Accepted")
    await authorize(stage, idTag)
    await status(stage, stage.values.connectorId, "Preparing")
    await status(stage, stage.values.connectorId, "Available")
  }),
  core("012", "Remote Stop Charging Session", async (stage) => {
    await booted(stage)
    const transactionId = await charging(stage)
    await operate(stage, "RemoteStopTransaction", { request: { transactionId }, answer: { status: "Accepted" } })
    await stop(stage, transactionId, { reason: "Remote" })
    await status(stage, stage.values.connectorId, "Finishing")
    await status(stage, stage.values.connectorId, "Available")
  }),
  core("013", "Hard Reset", async (stage) => {
    await booted(stage)
    await reset(stage, "Hard")
  }),
  core("014", "Soft Reset", async (stage) => {
    await booted(stage)
    await reset(stage, "Soft")
  }),
  core("017_1", "Unlock connector, no session (not fixed cable)", async (stage) => {
    await booted(stage)
    await unlock(stage, stage.values.connectorId, "Unlocked")
  }),
  core("017_2", "Unlock connector, no session (fixed cable)", async (stage) => {
    await booted(stage)
    await unlock(stage, stage.values.connectorId, "NotSupported")
  }),
  core("018_1", "Unlock Connector - With Charging Session", async (stage) => {
    await booted(stage)
    const transactionId = await charging(stage)
    await unlock(stage, stage.values.connectorId, "Unlocked")
    await status(stage, stage.values.connectorId, "Finishing")
    await stop(stage, transactionId, { reason: "UnlockCommand" })
    await status(stage, stage.values.connectorId, "Available")
  }),
  core(
    "019_1",
    "Retrieve all configuration keys",
    { form: "no key at all", run: (stage) => allKeys(stage, {}) },
    { form: "an empty list of keys", run: (stage) => allKeys(stage, { key: [] }) },
  ),
  core("019_2", "Retrieve specific configuration key", async (stage) => {
    await booted(stage)
    const key = "SupportedFeatureProfiles"
    const configurationKey = [{ key, readonly: true, value: "Core" }]
    const { result } = await operate(stage, "GetConfiguration", {
      request: { key: [key] },
      answer: { configurationKey },
    })
    check(Bun.deepEquals(result["configurationKey"], configurationKey), `the operator saw ${JSON.stringify(result)}`)
  }),
  core("021", "Change/set Configuration", async (stage) => {
    await booted(stage)
    await changeConfiguration(stage, "MeterValueSampleInterval", "60", "Accepted")
  }),
  core("023_1", "Authorize invalid", async (stage) => {
    await booted(stage)
    await authorize(stage, stage.values.unknownIdTag, "Invalid")
  }),
  core("023_2", "Authorize expired", async (stage) => {
    await booted(stage)
    await authorize(stage, stage.values.expiredIdTag, "Expired")
  }),
  core("023_3", "Authorize blocked", async (stage) => {
    await booted(stage)
    await authorize(stage, stage.values.blockedIdTag, "Blocked")
  }),
  core("024", "Start Charging Session Lock Failure", async (stage) => {
    await booted(stage)
    await authorized(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    await status(stage, stage.values.connectorId, "Faulted", "ConnectorLockFailure")
  }),
  core("026", "Remote Start - Rejected", async (stage) => {
    await booted(stage)
    await remoteStart(stage, "Rejected")
  }),
  core("028", "Remote Stop Transaction - Rejected", async (stage) => {
    await booted(stage)
    const running = await charging(stage)
    const unknown = running + 1_000_000
    await operate(stage, "RemoteStopTransaction", {
      request: { transactionId: unknown },
      answer: { status: "Rejected" },
    })
    const { transaction } = await stage.operator.ask(
      "query ($id: Int!) { transaction(transactionId: $id) { state } }",
      {
        id: running,
      },
    )
    check((transaction as Payload)["state"] === "ACTIVE", "the running transaction did not stay open")
  }),
  core("030", "Unlock Connector - Unlock Failure", async (stage) => {
    await booted(stage)
    await unlock(stage, stage.values.connectorId, "UnlockFailed")
  }),
  core("031", "Unlock Connector - Unknown Connector", async (stage) => {
    await booted(stage)
    await unlock(stage, stage.values.connectors + 1, "NotSupported")
  }),
  core("032_1", "Power failure boot, configured to stop transaction(s)", async (stage) => {
    await booted(stage)
    const transactionId = await charging(stage)
    await boot(stage)
    await status(stage, stage.values.connectorId, "Finishing")
    for (let connectorId = 0; connectorId <= stage.values.connectors; connectorId++)
      if (connectorId !== stage.values.connectorId) await status(stage, connectorId, "Available")
    await stop(stage, transactionId, { reason: "PowerLoss" })
  }),
  core("037_1", "Offline Start Transaction - Valid IdTag", async (stage) => {
    await booted(stage)
    await stage.chargePoint.reconnect()
    await start(stage, { secondsAgo: 120 })
    await status(stage, stage.values.connectorId, "Charging")
  }),
  core("037_3", "Offline Start - Invalid IdTag (StopTransactionOnInvalidId = true)", async (stage) => {
    await booted(stage)
    await stage.chargePoint.reconnect()
    const transactionId = await start(stage, { idTag: stage.values.unknownIdTag, expected: "Invalid", secondsAgo: 60 })
    await status(stage, stage.values.connectorId, "Charging")
    await stop(stage, transactionId, { reason: "DeAuthorized" })
    await status(stage, stage.values.connectorId, "Finishing")
  }),
  core("039", "Offline Transaction", async (stage) => {
    await booted(stage)
    await stage.chargePoint.reconnect()
    const transactionId = await start(stage, { secondsAgo: 600 })
    await stop(stage, transactionId, { reason: "Local", secondsAgo: 60 })
  }),
  core("040_1", "Configuration keys (NotSupported)", async (stage) => {
    await booted(stage)
    await changeConfiguration(stage, "NoSuchKey.x-vendor", "anything", "NotSupported")
  }),
  core("040_2", "Configuration keys (invalid value)", async (stage) => {
    await booted(stage)
    await changeConfiguration(stage, "MeterValueSampleInterval", "-1", "Rejected")
  }),
  core("064", "Data Transfer to a Central System", async (stage) => {
    await booted(stage)
    const confirmation = await stage.chargePoint.call("DataTransfer", {
      vendorId: "com.example.unknown",
      messageId: "question",
      data: "payload",
    })
    check(
      confirmation["status"] === "UnknownVendorId" && !("data" in confirmation),
      `DataTransfer was answered ${JSON.stringify(confirmation)}`,
    )
  }),
]
