import { expect, test } from "bun:test"
import type { DiagnosticsRow, FirmwareUpdateRow } from "../../src/facts/rows.ts"
import { caller, chargePointRow, minute } from "../support/charging.ts"
import { sentCommand } from "../support/ended-command.ts"
import { MemoryFacts } from "../support/facts.ts"

const requestedDiagnostics = (change: Partial<DiagnosticsRow> = {}): DiagnosticsRow => ({
  id: "d1",
  organisationId: "default",
  chargePointId: "cp1",
  location: "http://files.example/files/upload/***/",
  requestedAt: minute(0),
  tokenHash: "hash",
  expiresAt: minute(60),
  state: "Requested",
  fileName: null,
  status: null,
  statusAt: null,
  uploadId: null,
  leaseUntil: null,
  receivedName: null,
  size: null,
  sha256: null,
  receivedAt: null,
  ...change,
})

const requestedUpdate = (change: Partial<FirmwareUpdateRow> = {}): FirmwareUpdateRow => ({
  id: "u1",
  organisationId: "default",
  chargePointId: "cp1",
  firmwareImageId: null,
  location: "https://files.example/fw.bin",
  retrieveDate: minute(0),
  requestedAt: minute(0),
  tokenHash: null,
  expiresAt: null,
  state: "Requested",
  status: null,
  statusAt: null,
  ...change,
})

async function requested(change: Partial<DiagnosticsRow> = {}): Promise<MemoryFacts> {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  await facts.change("requestDiagnostics", { diagnostics: requestedDiagnostics(change) })
  return facts
}

const begin = (uploadId: string, at = minute(1)) => ({
  chargePointId: "cp1",
  diagnosticsId: "d1",
  uploadId,
  at,
  leaseUntil: at + 60_000,
})

const end = (uploadId: string, received: { name: string | null; size: number; sha256: string } | null) => ({
  chargePointId: "cp1",
  diagnosticsId: "d1",
  uploadId,
  at: minute(2),
  received,
})

const file = { name: "log.txt", size: 5, sha256: "00" }

let reports = 0
const notify = (facts: MemoryFacts, action: string, status: string) =>
  facts.change("report", { ...caller(), id: `r${++reports}`, action, payload: JSON.stringify({ status }) })

const endCommand = (facts: MemoryFacts, id: string, state: "Answered" | "Failed" | "TimedOut", confirmation: object) =>
  facts.change("endCommand", {
    organisationId: "default",
    commandId: id,
    chargePointId: "cp1",
    state,
    at: minute(1),
    confirmation: state === "Answered" ? JSON.stringify(confirmation) : null,
    error: null,
    configurationKeys: [],
  })

test("a complete upload is told, and no other one is taken after it", async () => {
  const facts = await requested()
  expect(await facts.change("beginUpload", begin("one"))).toMatchObject({ diagnostics: { state: "Receiving" } })
  expect(await facts.change("endUpload", end("one", file))).toEqual({ held: true })
  expect(facts.rows("diagnostics")).toMatchObject([
    { state: "Received", receivedName: "log.txt", size: 5, sha256: "00", receivedAt: minute(2), leaseUntil: null },
  ])
  const [told] = facts.events
  expect(told).toMatchObject({ type: "ChargePoint", kind: "Diagnostics", diagnostics: { id: "d1", state: "Received" } })
  expect(JSON.stringify(told)).not.toContain("hash")
  expect(await facts.change("beginUpload", begin("two"))).toEqual({ refused: "Spent" })
})

test("of two uploads at once the first is taken; after it broke off, another", async () => {
  const facts = await requested()
  await facts.change("beginUpload", begin("one"))
  expect(await facts.change("beginUpload", begin("two"))).toEqual({ refused: "Busy" })
  await facts.change("endUpload", end("one", null))
  expect(await facts.change("beginUpload", begin("two"))).toMatchObject({ diagnostics: { uploadId: "two" } })
  expect(facts.events).toEqual([])
})

test("an upload of which nothing is heard gives way, and cannot end what took its place", async () => {
  const facts = await requested()
  await facts.change("beginUpload", begin("one", minute(1)))
  expect(await facts.change("keepUpload", { ...begin("one"), leaseUntil: minute(3) })).toEqual({ held: true })
  expect(await facts.change("beginUpload", begin("two", minute(2)))).toEqual({ refused: "Busy" })
  expect(await facts.change("beginUpload", begin("two", minute(3)))).toMatchObject({ diagnostics: { uploadId: "two" } })
  expect(await facts.change("keepUpload", { ...begin("one"), leaseUntil: minute(9) })).toEqual({ held: false })
  expect(await facts.change("endUpload", end("one", file))).toEqual({ held: false })
  expect(facts.rows("diagnostics")).toMatchObject([{ state: "Receiving", uploadId: "two" }])
})

test.each([
  ["whose time is over", { expiresAt: minute(1) }],
  ["of a location that is not ours", { expiresAt: null, tokenHash: null }],
  ["of a request that the charge point refused", { state: "Failed" }],
] as const)("a link %s takes nothing", async (_, change) => {
  const facts = await requested(change)
  expect(await facts.change("beginUpload", begin("one"))).toEqual({ refused: "Over" })
})

test("the answer to GetDiagnostics names the file, or says that there is none. OCPP 1.6 §5.9", async () => {
  for (const [confirmation, state, fileName] of [
    [{ fileName: "log.zip" }, "Expected", "log.zip"],
    [{}, "Nothing", null],
  ] as const) {
    const facts = await requested()
    await facts.change("recordCommand", { command: sentCommand("d1", "GetDiagnostics", {}) })
    await endCommand(facts, "d1", "Answered", confirmation)
    expect(facts.rows("diagnostics")).toMatchObject([{ state, fileName }])
  }
})

test("a file that came before the answer stays", async () => {
  const facts = await requested()
  await facts.change("recordCommand", { command: sentCommand("d1", "GetDiagnostics", {}) })
  await facts.change("beginUpload", begin("one"))
  await facts.change("endUpload", end("one", file))
  await endCommand(facts, "d1", "Answered", { fileName: "log.zip" })
  expect(facts.rows("diagnostics")).toMatchObject([{ state: "Received", fileName: "log.zip" }])
})

test("a request without an answer stays open, one that was refused does not", async () => {
  for (const [state, left] of [
    ["TimedOut", "Requested"],
    ["Failed", "Failed"],
  ] as const) {
    const facts = await requested()
    await facts.change("recordCommand", { command: sentCommand("d1", "GetDiagnostics", {}) })
    await endCommand(facts, "d1", state, {})
    expect(facts.rows("diagnostics")).toMatchObject([{ state: left }])
  }
})

test("a notification speaks of the newest request that was not refused; Idle of none. OCPP 1.6 §4.5", async () => {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  for (const [index, id] of ["u1", "u2", "u3"].entries()) {
    await facts.change("requestFirmwareUpdate", { firmwareUpdate: requestedUpdate({ id, requestedAt: minute(index) }) })
    await facts.change("recordCommand", { command: sentCommand(id, "UpdateFirmware", {}) })
  }
  await endCommand(facts, "u3", "Failed", {})
  await notify(facts, "FirmwareStatusNotification", "Downloading")
  await notify(facts, "FirmwareStatusNotification", "Idle")
  const shown = facts.rows("firmwareUpdates").map(({ id, state, status }) => [id, state, status])
  expect(shown).toEqual([
    ["u1", "Requested", null],
    ["u2", "Requested", "Downloading"],
    ["u3", "Failed", null],
  ])
})

test("a notification does not speak of a request that has yet to leave, but of the one before. OCPP 1.6 §4.5", async () => {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  const shown = () => facts.rows("firmwareUpdates").map(({ id, status }) => [id, status])
  for (const [index, id] of ["u1", "u2"].entries())
    await facts.change("requestFirmwareUpdate", { firmwareUpdate: requestedUpdate({ id, requestedAt: minute(index) }) })
  await facts.change("recordCommand", { command: sentCommand("u1", "UpdateFirmware", {}) })
  await notify(facts, "FirmwareStatusNotification", "InstallationFailed")
  expect(shown()).toEqual([
    ["u1", "InstallationFailed"],
    ["u2", null],
  ])
  const waiting = { ...sentCommand("u2", "UpdateFirmware", {}), state: "Queued", sentAt: null } as const
  await facts.change("recordCommand", { command: waiting })
  await notify(facts, "FirmwareStatusNotification", "DownloadFailed")
  expect(shown()).toEqual([
    ["u1", "DownloadFailed"],
    ["u2", null],
  ])
})

test("after UploadFailed the link takes another file: by FTP a broken upload looks complete", async () => {
  const facts = await requested({ state: "Expected", fileName: "log.zip" })
  await facts.change("recordCommand", { command: sentCommand("d1", "GetDiagnostics", {}) })
  await facts.change("beginUpload", begin("one"))
  await facts.change("endUpload", end("one", file))
  await notify(facts, "DiagnosticsStatusNotification", "UploadFailed")
  expect(facts.rows("diagnostics")).toMatchObject([{ state: "Expected", status: "UploadFailed", size: null }])
  expect(await facts.change("beginUpload", begin("two"))).toMatchObject({ diagnostics: { uploadId: "two" } })
  await facts.change("endUpload", end("two", file))
  await notify(facts, "DiagnosticsStatusNotification", "Uploaded")
  expect(facts.rows("diagnostics")).toMatchObject([{ state: "Received", status: "Uploaded", uploadId: "two" }])
})

test.each(["Answered", "TimedOut"] as const)(
  "a link opens for as long after %s as it would have at once, however long its command waited",
  async (state) => {
    const facts = await requested()
    const update = requestedUpdate({ tokenHash: "other", retrieveDate: minute(10), expiresAt: minute(70) })
    await facts.change("requestFirmwareUpdate", { firmwareUpdate: update })
    const end = { organisationId: "default", chargePointId: "cp1", state, error: null, configurationKeys: [] }
    const answers = { GetDiagnostics: '{"fileName":"d.zip"}', UpdateFirmware: "{}" }
    for (const [commandId, action] of [
      ["d1", "GetDiagnostics"],
      ["u1", "UpdateFirmware"],
    ] as const) {
      await facts.change("recordCommand", { command: sentCommand(commandId, action, {}) })
      const confirmation = state === "Answered" ? answers[action] : null
      await facts.change("endCommand", { ...end, commandId, at: minute(90), confirmation })
    }
    expect(facts.rows("diagnostics")).toMatchObject([{ expiresAt: minute(150) }])
    expect(facts.rows("firmwareUpdates")).toMatchObject([{ expiresAt: minute(150) }])
  },
)

test("what was prepared for a command that never came to be is taken back", async () => {
  const facts = await requested()
  await facts.change("withdrawTransfer", { chargePointId: "cp1", commandId: "d1" })
  expect(facts.rows("diagnostics")).toEqual([])
})
