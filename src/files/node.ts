/** The ways of files as a node's configuration has them. */
import type { Config } from "../config.ts"
import { type FileDoors, type FilesOptions, openFiles } from "./index.ts"

const HOUR_MS = 3_600_000

/** Opens them; only a gateway serves FTP. @throws where FTP's port is taken or its certificate cannot be read */
export function openNodeFiles(
  config: Config,
  surroundings: Pick<FilesOptions, "store" | "commands" | "seals" | "clock" | "log" | "closing" | "ocppPort">,
): Promise<FileDoors> {
  return openFiles({
    ...surroundings,
    log: surroundings.log.child({ room: "files" }),
    host: config.HOST,
    filesUrl: config.FILES_URL,
    linkLifetimeMs: config.FILE_LINK_LIFETIME * HOUR_MS,
    maxImageBytes: config.FIRMWARE_MAX_BYTES,
    maxDiagnosticsBytes: config.DIAGNOSTICS_MAX_BYTES,
    ftp:
      config.FTP_PORT === undefined
        ? undefined
        : {
            port: config.FTP_PORT,
            isServed: config.ROLES.includes("gateway"),
            publicHost: config.FTP_PUBLIC_HOST,
            passivePorts: config.FTP_PASSIVE_PORTS,
            certFile: config.FTP_TLS_CERT,
            keyFile: config.FTP_TLS_KEY,
          },
  })
}
