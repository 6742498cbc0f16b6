// How the facts change: one rule for each entry of the catalogue.
import type { ChangeName, ChangeOf } from "../catalogue.ts"
import { createApiToken, revokeApiToken } from "./api-tokens.ts"
import { createChargePoint, deleteChargePoint, updateChargePoint } from "./charge-points.ts"
import { endCommand, recordCommand } from "./commands.ts"
import { dropQueuedCommand, queueCommand, requeueCommand, sendQueuedCommand } from "./command-queue.ts"
import { goOffline, goOnline, noteSeen } from "./connection.ts"
import {
  addFirmwareImage,
  beginUpload,
  endUpload,
  keepUpload,
  removeFirmwareImage,
  requestDiagnostics,
  requestFirmwareUpdate,
  withdrawTransfer,
} from "./files.ts"
import {
  beginFirmwareAttempt,
  createFirmwareCampaign,
  followFirmwareAttempt,
  steerFirmwareCampaign,
} from "./firmware-campaigns.ts"
import { createIdTag, deleteIdTag, updateIdTag } from "./id-tags.ts"
import { takeListVersion } from "./local-lists.ts"
import { report } from "./report.ts"
import { reportBoot } from "./report-boot.ts"
import { reportMeterValues } from "./report-meter-values.ts"
import { reportStatus } from "./report-status.ts"
import { expireReservation, requestReservation, withdrawReservation } from "./reservations.ts"
import { startTransaction } from "./start-transaction.ts"
import { stopTransaction } from "./stop-transaction.ts"

/** Every change by name, for the store to run. */
export const changes = {
  reportBoot,
  reportStatus,
  startTransaction,
  stopTransaction,
  reportMeterValues,
  report,
  goOnline,
  goOffline,
  noteSeen,
  createChargePoint,
  updateChargePoint,
  deleteChargePoint,
  createIdTag,
  updateIdTag,
  deleteIdTag,
  recordCommand,
  queueCommand,
  sendQueuedCommand,
  requeueCommand,
  dropQueuedCommand,
  endCommand,
  takeListVersion,
  addFirmwareImage,
  removeFirmwareImage,
  requestFirmwareUpdate,
  requestDiagnostics,
  withdrawTransfer,
  beginUpload,
  keepUpload,
  endUpload,
  createFirmwareCampaign,
  steerFirmwareCampaign,
  beginFirmwareAttempt,
  followFirmwareAttempt,
  requestReservation,
  withdrawReservation,
  expireReservation,
  createApiToken,
  revokeApiToken,
} as const satisfies { [Name in ChangeName]: ChangeOf<Name> }
