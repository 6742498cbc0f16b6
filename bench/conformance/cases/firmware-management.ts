/** The certificate's functionality Firmware Management, diagnostics included: 5 cases. */
import { operate } from "../expectations.ts"
import { casesOf, check } from "../stage.ts"
import type { Case, Stage } from "../stage.ts"
import { boot, booted, instant, statusOfAll } from "../states.ts"

const firmware = casesOf("Firmware Management")

/** Has credentials, an escape and a query: all of it must reach the charge point as it is. */
const FIRMWARE_LOCATION = "ftp://octt:p%40ss@files.example.com:2121/firmware/busbar%20v2.bin?channel=stable"
const DIAGNOSTICS_LOCATION = "ftp://octt:p%40ss@files.example.com:2121/diagnostics/"

async function updateFirmware(stage: Stage): Promise<void> {
  await booted(stage)
  const request = { location: FIRMWARE_LOCATION, retrieveDate: instant(-60) }
  await operate(stage, "UpdateFirmware", { request, answer: {} })
}

async function reportFirmware(stage: Stage, ...words: string[]): Promise<void> {
  for (const status of words) await stage.chargePoint.call("FirmwareStatusNotification", { status })
}

/** Download and installation, up to what comes of it. */
async function install(stage: Stage, outcome: "Installed" | "InstallationFailed"): Promise<void> {
  await updateFirmware(stage)
  await reportFirmware(stage, "Downloading", "Downloaded")
  await statusOfAll(stage, "Unavailable")
  await reportFirmware(stage, "Installing")
  await boot(stage)
  await statusOfAll(stage, "Available")
  await reportFirmware(stage, outcome)
}

async function getDiagnostics(stage: Stage, outcome: "Uploaded" | "UploadFailed"): Promise<void> {
  await booted(stage)
  const fileName = `diagnostics-${stage.suffix}.zip`
  const { result } = await operate(stage, "GetDiagnostics", {
    request: { location: DIAGNOSTICS_LOCATION },
    answer: { fileName },
  })
  check(result["fileName"] === fileName, `the operator was told ${JSON.stringify(result)}`)
  for (const status of ["Uploading", outcome]) await stage.chargePoint.call("DiagnosticsStatusNotification", { status })
}

export const firmwareManagementCases: readonly Case[] = [
  firmware("044_1", "Firmware Update - Download and Install", (stage) => install(stage, "Installed")),
  firmware("044_2", "Firmware Update - Download Failed", async (stage) => {
    await updateFirmware(stage)
    await reportFirmware(stage, "Downloading", "DownloadFailed")
  }),
  firmware("044_3", "Firmware Update - Installation Failed", (stage) => install(stage, "InstallationFailed")),
  firmware("045_1", "Get Diagnostics", (stage) => getDiagnostics(stage, "Uploaded")),
  firmware("045_2", "Get Diagnostics - Upload Failed", (stage) => getDiagnostics(stage, "UploadFailed")),
]
