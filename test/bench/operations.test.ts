/** Every operation a central system can start gets an answer that the official schemas accept. */
import { expect, test } from "bun:test"
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto"
import { believableChargePoint } from "../../bench/behaviour.ts"
import { elements } from "../../bench/certificates.ts"
import { failureOf, startCentralSystem } from "./central-system.ts"
import { selfSigned } from "./self-signed.ts"

const now = new Date().toISOString()
const profile = {
  ...{
    chargingProfileId: 7,
    stackLevel: 1,
    chargingProfilePurpose: "TxDefaultProfile",
    chargingProfileKind: "Absolute",
  },
  chargingSchedule: {
    ...{ startSchedule: now, duration: 3600, chargingRateUnit: "A" },
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 16 },
      { startPeriod: 600, limit: 8.5, numberPhases: 1 },
    ],
  },
}
const hash = {
  hashAlgorithm: "SHA256",
  issuerNameHash: "00",
  issuerKeyHash: "00",
  serialNumber: "1",
}

async function start(options: { signedFirmware?: boolean } = {}) {
  const centralSystem = await startCentralSystem()
  const station = believableChargePoint({
    url: centralSystem.url,
    identity: "CP",
    speed: 3600,
    rebootMs: 5,
    ...options,
  })
  await station.connect()
  await station.booted
  return {
    centralSystem,
    station,
    ask: (action: string, params: Record<string, unknown> = {}) => centralSystem.call("CP", action, params),
    async [Symbol.asyncDispose]() {
      await station.stop()
      await centralSystem[Symbol.asyncDispose]()
    },
  }
}

test.each([
  ["CancelReservation", { reservationId: 1 }, { status: "Rejected" }],
  ["ChangeAvailability", { connectorId: 0, type: "Operative" }, { status: "Accepted" }],
  ["ChangeConfiguration", { key: "BlinkRepeat", value: "1" }, { status: "Accepted" }],
  ["ClearCache", {}, { status: "Accepted" }],
  ["ClearChargingProfile", {}, { status: "Unknown" }],
  ["DataTransfer", { vendorId: "com.example" }, { status: "UnknownVendorId" }],
  ["GetLocalListVersion", {}, { listVersion: 0 }],
  ["RemoteStartTransaction", { idTag: "04A1", connectorId: 9 }, { status: "Rejected" }],
  ["RemoteStopTransaction", { transactionId: 1 }, { status: "Rejected" }],
  ["ReserveNow", { connectorId: 1, reservationId: 1, expiryDate: now, idTag: "A" }, { status: "Accepted" }],
  ["SetChargingProfile", { connectorId: 1, csChargingProfiles: profile }, { status: "Accepted" }],
  ["UnlockConnector", { connectorId: 1 }, { status: "Unlocked" }],
  ["UnlockConnector", { connectorId: 5 }, { status: "NotSupported" }],
  ["CertificateSigned", { certificateChain: "none" }, { status: "Rejected" }],
  ["DeleteCertificate", { certificateHashData: hash }, { status: "NotFound" }],
  ["GetInstalledCertificateIds", { certificateType: "ManufacturerRootCertificate" }, { status: "NotFound" }],
  [
    "InstallCertificate",
    { certificateType: "ManufacturerRootCertificate", certificate: "none" },
    { status: "Rejected" },
  ],
])("%s is answered", async (action, params, answer) => {
  await using it = await start()
  expect(await it.ask(action, params)).toEqual(answer)
  expect(it.centralSystem.violations).toEqual([])
})

test("SetChargingProfile takes a TxProfile only for a running transaction, and the composite shows what is in force", async () => {
  await using it = await start()
  const txProfile = { ...profile, chargingProfilePurpose: "TxProfile" }
  const set = (connectorId: number, csChargingProfiles: object) =>
    it.ask("SetChargingProfile", { connectorId, csChargingProfiles })
  expect(await set(1, txProfile)).toEqual({ status: "Rejected" })
  expect(await set(1, { ...profile, stackLevel: 99 })).toEqual({ status: "Rejected" })
  expect(await failureOf(set(4, profile))).toMatchObject({ rpcErrorCode: "PropertyConstraintViolation" })
  expect(await set(0, profile)).toEqual({ status: "Accepted" })
  const composite = await it.ask("GetCompositeSchedule", { connectorId: 1, duration: 3000, chargingRateUnit: "W" })
  const { chargingSchedulePeriod } = composite["chargingSchedule"] as { chargingSchedulePeriod: { limit: number }[] }
  expect(chargingSchedulePeriod.map(({ limit }) => limit)).toEqual([16 * 230 * 3, 8.5 * 230])
  expect(await it.ask("ClearChargingProfile", { id: 7 })).toEqual({ status: "Accepted" })
})

test("a local list is taken whole or by differences, and its version is told", async () => {
  await using it = await start()
  const send = (listVersion: number, updateType: string, localAuthorizationList: object[]) =>
    it.ask("SendLocalList", { listVersion, updateType, localAuthorizationList })
  const entry = { idTag: "04A1", idTagInfo: { status: "Accepted" } }
  expect(await send(3, "Full", [entry])).toEqual({ status: "Accepted" })
  expect(await it.ask("GetLocalListVersion")).toEqual({ listVersion: 3 })
  expect(await send(3, "Differential", [])).toEqual({ status: "VersionMismatch" })
  expect(await send(4, "Full", [entry, { ...entry, idTag: "04a1" }])).toEqual({ status: "Failed" })
  expect(await send(4, "Differential", [{ idTag: "04a1" }])).toEqual({ status: "Accepted" })
  expect(await it.ask("GetLocalListVersion")).toEqual({ listVersion: 0 })
})

test.each([
  "StatusNotification",
  "MeterValues",
  "Heartbeat",
  "FirmwareStatusNotification",
  "DiagnosticsStatusNotification",
])("TriggerMessage brings %s", async (requestedMessage) => {
  await using it = await start()
  await it.centralSystem.until(() => it.centralSystem.of("StatusNotification").length === 2)
  const before = it.centralSystem.received.length
  expect(await it.ask("TriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" })
  await it.centralSystem.until(() => it.centralSystem.received.length > before)
  expect(it.centralSystem.received[before]?.action).toBe(requestedMessage)
  expect(await it.ask("TriggerMessage", { requestedMessage, connectorId: 5 })).toEqual({ status: "Rejected" })
  expect(it.centralSystem.violations).toEqual([])
})

test("an operation nobody knows is NotImplemented, and a request without its fields is refused", async () => {
  await using it = await start()
  const { chargePoint } = it.station
  const client = it.centralSystem.clients.get("CP")!
  client.sendRaw('[2,"raw-1","Teleport",{}]')
  client.sendRaw('[2,"raw-2","Reset",{"type":"Warm"}]')
  client.sendRaw('[2,"raw-3","Reset",{}]')
  await it.centralSystem.until(() => it.centralSystem.replies.length >= 3)
  expect(it.centralSystem.replies.map((frame) => frame.slice(0, 3))).toEqual([
    [4, "raw-1", "NotImplemented"],
    [4, "raw-2", "PropertyConstraintViolation"],
    [4, "raw-3", "ProtocolError"],
  ])
  expect(chargePoint.online).toBe(true)
})

test("UpdateFirmware downloads, installs, restarts with a new version and says so at each step", async () => {
  await using it = await start()
  using files = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("firmware") })
  expect(await it.ask("UpdateFirmware", { location: `${files.url}image.bin`, retrieveDate: now })).toEqual({})
  await it.centralSystem.message("FirmwareStatusNotification", ({ status }) => status === "Installed")
  expect(it.centralSystem.of("FirmwareStatusNotification").map(({ status }) => status)).toEqual([
    "Downloading",
    "Downloaded",
    "Installing",
    "Installed",
  ])
  const versions = it.centralSystem.of("BootNotification").map(({ firmwareVersion }) => firmwareVersion)
  expect(versions).toEqual(["1.0.0", "1.0.1"])
})

test("a firmware that is not there is DownloadFailed after the retries asked for", async () => {
  await using it = await start()
  let asked = 0
  const fetch = () => {
    asked++
    return new Response("", { status: 404 })
  }
  using files = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch })
  const location = `${files.url}image.bin`
  await it.ask("UpdateFirmware", { location, retrieveDate: now, retries: 2, retryInterval: 0 })
  await it.centralSystem.message("FirmwareStatusNotification", ({ status }) => status === "DownloadFailed")
  expect(asked).toBe(3)
})

test("GetDiagnostics uploads a file under the name that was announced", async () => {
  await using it = await start()
  const uploads: { path: string; method: string; text: string }[] = []
  using files = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    async fetch(request) {
      uploads.push({ path: new URL(request.url).pathname, method: request.method, text: await request.text() })
      return new Response()
    },
  })
  const { fileName } = await it.ask("GetDiagnostics", { location: `${files.url}in/` })
  await it.centralSystem.message("DiagnosticsStatusNotification", ({ status }) => status === "Uploaded")
  expect(uploads).toMatchObject([
    { path: `/in/${fileName}`, method: "PUT", text: expect.stringContaining("charge point CP") },
  ])
  expect(it.centralSystem.of("DiagnosticsStatusNotification").map(({ status }) => status)).toEqual([
    "Uploading",
    "Uploaded",
  ])

  const log = { remoteLocation: `${files.url}log` }
  const answer = await it.ask("GetLog", { logType: "SecurityLog", requestId: 5, log })
  expect(answer).toMatchObject({ status: "Accepted" })
  await it.centralSystem.message("LogStatusNotification", ({ status }) => status === "Uploaded")
  expect(uploads.at(-1)?.path).toBe("/log")
})

test.each([
  ["well signed", true, "Installed", "SignatureVerified"],
  ["tampered", false, "InvalidSignature", "InvalidSignature"],
] as const)("a %s firmware", async (_, genuine, last, verdict) => {
  await using it = await start({ signedFirmware: true })
  using files = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("firmware") })
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const signature = sign("sha256", Buffer.from(genuine ? "firmware" : "another"), keys.privateKey).toString("base64")
  const firmware = {
    ...{ location: `${files.url}image.bin`, retrieveDateTime: now, signature },
    signingCertificate: selfSigned(keys, "Firmware"),
  }
  const plain = it.ask("UpdateFirmware", { location: firmware.location, retrieveDate: now })
  expect(await failureOf(plain)).toMatchObject({ rpcErrorCode: "NotSupported" })
  const unreadable = { ...firmware, signingCertificate: "none" }
  expect(await it.ask("SignedUpdateFirmware", { requestId: 1, firmware: unreadable })).toEqual({
    status: "InvalidCertificate",
  })
  expect(await it.ask("SignedUpdateFirmware", { requestId: 2, firmware })).toEqual({ status: "Accepted" })
  await it.centralSystem.message("SignedFirmwareStatusNotification", ({ status }) => status === last)
  const told = it.centralSystem.of("SignedFirmwareStatusNotification")
  expect(told.map(({ status }) => status)).toContain(verdict)
  expect(told.every(({ requestId }) => requestId === 2)).toBe(true)
})

test("a root certificate is installed, listed with its hashes, and deleted by them", async () => {
  await using it = await start()
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const certificateType = "CentralSystemRootCertificate"
  const certificate = selfSigned(keys, "Root")
  expect(await it.ask("InstallCertificate", { certificateType, certificate })).toEqual({ status: "Accepted" })
  const { certificateHashData } = await it.ask("GetInstalledCertificateIds", { certificateType })
  const keyBits = keys.publicKey.export({ type: "spki", format: "der" }).subarray(-65)
  const [listed] = certificateHashData as [Record<string, string>]
  expect(listed["issuerKeyHash"]).toBe(createHash("sha256").update(keyBits).digest("hex"))
  expect(await it.ask("DeleteCertificate", { certificateHashData: listed })).toEqual({ status: "Accepted" })
  expect(await it.ask("GetInstalledCertificateIds", { certificateType })).toEqual({ status: "NotFound" })
})

test("ExtendedTriggerMessage brings a signing request, and the certificate for it is taken once", async () => {
  await using it = await start()
  const requestedMessage = "SignChargePointCertificate"
  expect(await it.ask("ExtendedTriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" })
  const { csr } = await it.centralSystem.message("SignCertificate")
  const der = Buffer.from(String(csr).replace(/-----[^-]+-----/g, ""), "base64")
  const [info, , signature] = elements(elements(der)[0]!.content)
  const [, subject, publicKey] = elements(info!.content)
  const key = createPublicKey({ key: publicKey!.whole, type: "spki", format: "der" })
  expect(verify("sha256", info!.whole, key, signature!.content.subarray(1))).toBe(true)
  expect(subject!.whole.toString("latin1")).toMatch(/Busbar.*CP/s)
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const certificateChain = selfSigned(keys, "CP")
  expect(await it.ask("CertificateSigned", { certificateChain })).toEqual({ status: "Accepted" })
  expect(await it.ask("CertificateSigned", { certificateChain })).toEqual({ status: "Rejected" })
})
