/** The reusable states of the test-case document: steps that bring the charge point to where a case begins. */
import { check } from "./stage.ts"
import type { Payload, Stage } from "./stage.ts"

/** An instant as the wire carries it, `secondsAgo` before now. */
export const instant = (secondsAgo = 0): string => new Date(Date.now() - secondsAgo * 1000).toISOString()

/** The status of an idTagInfo in a confirmation, or undefined. */
export const idTagStatus = (confirmation: Payload): unknown =>
  (confirmation["idTagInfo"] as Payload | undefined)?.["status"]

export async function status(stage: Stage, connectorId: number, word: string, errorCode = "NoError"): Promise<void> {
  await stage.chargePoint.call("StatusNotification", { connectorId, errorCode, status: word, timestamp: instant() })
}

/** One StatusNotification for connector 0 and one for each connector. */
export async function statusOfAll(stage: Stage, word: string): Promise<void> {
  for (let connectorId = 0; connectorId <= stage.values.connectors; connectorId++)
    await status(stage, connectorId, word)
}

/** BootNotification, which must be Accepted. */
export async function boot(stage: Stage): Promise<Payload> {
  const confirmation = await stage.chargePoint.call("BootNotification", {
    chargePointVendor: stage.values.vendor,
    chargePointModel: stage.values.model,
  })
  check(confirmation["status"] === "Accepted", `BootNotification was answered ${String(confirmation["status"])}`)
  return confirmation
}

/** State Booted: accepted, and every connector reported Available. */
export async function booted(stage: Stage): Promise<Payload> {
  const confirmation = await boot(stage)
  await statusOfAll(stage, "Available")
  return confirmation
}

/** Authorize, which must be answered with the status. */
export async function authorize(stage: Stage, idTag: string, expected = "Accepted"): Promise<Payload> {
  const confirmation = await stage.chargePoint.call("Authorize", { idTag })
  const answered = idTagStatus(confirmation)
  check(answered === expected, `Authorize of ${idTag} was answered ${String(answered)}, not ${expected}`)
  return confirmation
}

/** State Authorized. */
export const authorized = (stage: Stage): Promise<Payload> => authorize(stage, stage.values.validIdTag)

/** StartTransaction on the connector under test; gives the transactionId back. */
export async function start(
  stage: Stage,
  { idTag = stage.values.validIdTag, expected = "Accepted", secondsAgo = 0, extra = {} as Payload } = {},
): Promise<number> {
  const confirmation = await stage.chargePoint.call("StartTransaction", {
    connectorId: stage.values.connectorId,
    idTag,
    meterStart: 1000,
    timestamp: instant(secondsAgo),
    ...extra,
  })
  const answered = idTagStatus(confirmation)
  check(answered === expected, `StartTransaction was answered ${String(answered)}, not ${expected}`)
  const transactionId = confirmation["transactionId"]
  check(typeof transactionId === "number" && transactionId > 0, "StartTransaction gave no usable transactionId")
  return transactionId
}

/** StopTransaction, 2,500 Wh after `start`. */
export async function stop(
  stage: Stage,
  transactionId: number,
  { reason, secondsAgo = 0 }: { reason?: string; secondsAgo?: number } = {},
): Promise<Payload> {
  return stage.chargePoint.call("StopTransaction", {
    transactionId,
    meterStop: 3500,
    timestamp: instant(secondsAgo),
    ...(reason === undefined ? {} : { reason }),
  })
}

/** State Charging: authorised, plugged in, started, with the valid idTag unless told. */
export async function charging(
  stage: Stage,
  { idTag = stage.values.validIdTag, extra = {} as Payload } = {},
): Promise<number> {
  await authorize(stage, idTag)
  await status(stage, stage.values.connectorId, "Preparing")
  const transactionId = await start(stage, { idTag, extra })
  await status(stage, stage.values.connectorId, "Charging")
  return transactionId
}
