// The language OCPP 1.6-J: every message of the standard and its security extension, and how one is read, written and answered.
import type { Action } from "./action.ts"
import { Authorize } from "./core/authorize.ts"
import { BootNotification } from "./core/boot-notification.ts"
import { ChangeAvailability } from "./core/change-availability.ts"
import { ChangeConfiguration } from "./core/change-configuration.ts"
import { ClearCache } from "./core/clear-cache.ts"
import { DataTransfer } from "./core/data-transfer.ts"
import { GetConfiguration } from "./core/get-configuration.ts"
import { Heartbeat } from "./core/heartbeat.ts"
import { MeterValues } from "./core/meter-values.ts"
import { RemoteStartTransaction } from "./core/remote-start-transaction.ts"
import { RemoteStopTransaction } from "./core/remote-stop-transaction.ts"
import { Reset } from "./core/reset.ts"
import { StartTransaction } from "./core/start-transaction.ts"
import { StatusNotification } from "./core/status-notification.ts"
import { StopTransaction } from "./core/stop-transaction.ts"
import { UnlockConnector } from "./core/unlock-connector.ts"
import { DiagnosticsStatusNotification } from "./firmware-management/diagnostics-status-notification.ts"
import { FirmwareStatusNotification } from "./firmware-management/firmware-status-notification.ts"
import { GetDiagnostics } from "./firmware-management/get-diagnostics.ts"
import { UpdateFirmware } from "./firmware-management/update-firmware.ts"
import { GetLocalListVersion } from "./local-auth-list/get-local-list-version.ts"
import { SendLocalList } from "./local-auth-list/send-local-list.ts"
import { TriggerMessage } from "./remote-trigger/trigger-message.ts"
import { CancelReservation } from "./reservation/cancel-reservation.ts"
import { ReserveNow } from "./reservation/reserve-now.ts"
import { ClearChargingProfile } from "./smart-charging/clear-charging-profile.ts"
import { GetCompositeSchedule } from "./smart-charging/get-composite-schedule.ts"
import { SetChargingProfile } from "./smart-charging/set-charging-profile.ts"
import { CertificateSigned } from "./security/certificate-signed.ts"
import { DeleteCertificate } from "./security/delete-certificate.ts"
import { ExtendedTriggerMessage } from "./security/extended-trigger-message.ts"
import { GetInstalledCertificateIds } from "./security/get-installed-certificate-ids.ts"
import { GetLog } from "./security/get-log.ts"
import { InstallCertificate } from "./security/install-certificate.ts"
import { LogStatusNotification } from "./security/log-status-notification.ts"
import { SecurityEventNotification } from "./security/security-event-notification.ts"
import { SignCertificate } from "./security/sign-certificate.ts"
import { SignedFirmwareStatusNotification } from "./security/signed-firmware-status-notification.ts"
import { SignedUpdateFirmware } from "./security/signed-update-firmware.ts"

/** What a Charge Point may ask, by the name on the wire. */
export const fromChargePoint = {
  Authorize,
  BootNotification,
  DataTransfer,
  Heartbeat,
  MeterValues,
  StartTransaction,
  StatusNotification,
  StopTransaction,
  DiagnosticsStatusNotification,
  FirmwareStatusNotification,
  LogStatusNotification,
  SecurityEventNotification,
  SignCertificate,
  SignedFirmwareStatusNotification,
} as const satisfies Record<string, Action>

/** What the Central System may ask, by the name on the wire. */
export const fromCentralSystem = {
  ChangeAvailability,
  ChangeConfiguration,
  ClearCache,
  DataTransfer,
  GetConfiguration,
  RemoteStartTransaction,
  RemoteStopTransaction,
  Reset,
  UnlockConnector,
  GetDiagnostics,
  UpdateFirmware,
  GetLocalListVersion,
  SendLocalList,
  TriggerMessage,
  CancelReservation,
  ReserveNow,
  ClearChargingProfile,
  GetCompositeSchedule,
  SetChargingProfile,
  CertificateSigned,
  DeleteCertificate,
  ExtendedTriggerMessage,
  GetInstalledCertificateIds,
  GetLog,
  InstallCertificate,
  SignedUpdateFirmware,
} as const satisfies Record<string, Action>

export type FromChargePoint = typeof fromChargePoint
export type FromCentralSystem = typeof fromCentralSystem
export type ChargePointActionName = keyof FromChargePoint
export type CentralSystemActionName = keyof FromCentralSystem

/** Whether a Charge Point may send a CALL of this name. Letter case counts. */
export const isChargePointAction = (name: string): name is ChargePointActionName => Object.hasOwn(fromChargePoint, name)

/** Whether the Central System may send a CALL of this name. Letter case counts. */
export const isCentralSystemAction = (name: string): name is CentralSystemActionName =>
  Object.hasOwn(fromCentralSystem, name)
