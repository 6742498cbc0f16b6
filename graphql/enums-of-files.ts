/** The words of firmware images and diagnostics. */
import type { DiagnosticsRow, FirmwareUpdateRow } from "../src/facts/rows.ts"
import type { FileTransferProtocol } from "../src/services/file-links.ts"
import { words } from "./words.ts"

export const FileTransferProtocolWords = words("FileTransferProtocol", "How a charge point moves a file.", {
  HTTP: "By HTTP, or HTTPS where that is how charge points reach Busbar.",
  FTP: "By FTP, with explicit TLS where the charge point asks for it and Busbar has a certificate.",
} satisfies Record<FileTransferProtocol, string>)

export const FirmwareUpdateStateWords = words("FirmwareUpdateState", "Whether a charge point took an update.", {
  Requested: "No answer is known.",
  Accepted: "The charge point answered; it tells its progress by FirmwareStatusNotification.",
  Failed: "It was not sent, or refused with a CALLERROR.",
} satisfies Record<FirmwareUpdateRow["state"], string>)

export const DiagnosticsStateWords = words("DiagnosticsState", "What became of a request for diagnostics.", {
  Requested: "No answer is known, or an upload broke off.",
  Failed: "It was not sent, or refused with a CALLERROR.",
  Nothing: "The charge point answered that it has none.",
  Expected:
    "The charge point named a file; with a location of the operator's own, no more is seen of it than its status.",
  Receiving: "The file is arriving.",
  Received: "The file is there.",
} satisfies Record<DiagnosticsRow["state"], string>)
