// A file per CALL from a charge point: a function from request to confirmation that meets services only.
import type { ChargePointActionName } from "../ocpp/index.ts"
import { authorize } from "./authorize.ts"
import { bootNotification } from "./boot-notification.ts"
import { dataTransfer } from "./data-transfer.ts"
import { diagnosticsStatusNotification } from "./diagnostics-status-notification.ts"
import { firmwareStatusNotification } from "./firmware-status-notification.ts"
import type { Handler } from "./handler.ts"
import { heartbeat } from "./heartbeat.ts"
import { logStatusNotification } from "./log-status-notification.ts"
import { meterValues } from "./meter-values.ts"
import { securityEventNotification } from "./security-event-notification.ts"
import { signCertificate } from "./sign-certificate.ts"
import { signedFirmwareStatusNotification } from "./signed-firmware-status-notification.ts"
import { startTransaction } from "./start-transaction.ts"
import { statusNotification } from "./status-notification.ts"
import { stopTransaction } from "./stop-transaction.ts"

/** The handler of every action a charge point may ask for. */
export const handlers = {
  Authorize: authorize,
  BootNotification: bootNotification,
  DataTransfer: dataTransfer,
  DiagnosticsStatusNotification: diagnosticsStatusNotification,
  FirmwareStatusNotification: firmwareStatusNotification,
  Heartbeat: heartbeat,
  LogStatusNotification: logStatusNotification,
  MeterValues: meterValues,
  SecurityEventNotification: securityEventNotification,
  SignCertificate: signCertificate,
  SignedFirmwareStatusNotification: signedFirmwareStatusNotification,
  StartTransaction: startTransaction,
  StatusNotification: statusNotification,
  StopTransaction: stopTransaction,
} satisfies { [A in ChargePointActionName]: Handler<A> }
