/** Files over HTTP and FTP: firmware images on their way to charge points, diagnostics on their way from them. */
import { readFile } from "node:fs/promises"
import { lookup } from "node:dns/promises"
import type { Closing } from "../closing.ts"
import type { FirmwareImageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Authentication } from "../services/authentication.ts"
import type { Commands } from "../services/commands.ts"
import { createFileServices, type FileServices } from "../services/file-services.ts"
import type { Clock, Store } from "../services/ports.ts"
import type { Seals } from "../services/seals.ts"
import { reachableHost } from "./address.ts"
import { FORM_BYTES } from "./body.ts"
import { Desk } from "./desk.ts"
import { LinkEndpoint } from "./link-endpoint.ts"
import { LocalCopies } from "./local-copies.ts"

export interface FilesOptions {
  store: Pick<Store, "change" | "read" | "addFileChunk" | "removeFileChunks">
  commands: Commands
  seals: Seals
  clock: Clock
  log: Log
  /** Takes charge of what is opened. */
  closing: Closing
  /** The address that listeners are bound to. */
  host: string
  /** Where charge points reach `/files`; left out: at this machine's address. */
  filesUrl: string | undefined
  ocppPort: () => number
  linkLifetimeMs: number
  maxImageBytes: number
  maxDiagnosticsBytes: number
  ftp:
    | {
        port: number
        /** False: other nodes serve it, this one only makes links. */
        isServed: boolean
        publicHost: string | undefined
        passivePorts: { first: number; last: number }
        certFile: string | undefined
        keyFile: string | undefined
      }
    | undefined
}

type Door = (request: Request, pathname: string) => Promise<Response | undefined>

/** The ways in which files come and go; each answers undefined for a path that is not its own. */
export interface FileDoors {
  readonly services: FileServices
  /** What charge points bring at most, with what a form puts around it. */
  readonly maxLinkBodyBytes: number
  /** What anybody brings at most. */
  readonly maxBodyBytes: number
  readonly forChargePoints: Door
  /** `shown`: a new image as the API would show it. */
  forPeople(authentication: Pick<Authentication, "viewerOf">, shown: (image: FirmwareImageRow) => object): Door
}

/** Opens them. @throws where FTP's port is taken or its certificate cannot be read */
export async function openFiles(options: FilesOptions): Promise<FileDoors> {
  const { closing, log, host, filesUrl, ocppPort, ftp, maxImageBytes, maxDiagnosticsBytes } = options
  const ftpHost = ftp?.publicHost ?? reachableHost(host)
  let ftpPort = ftp?.port ?? 0
  const services = createFileServices({
    ...options,
    places: {
      http: () => filesUrl?.replace(/\/+$/, "") ?? `http://${reachableHost(host)}:${ocppPort()}`,
      ftp: () => (ftp === undefined ? undefined : { host: ftpHost, port: ftpPort }),
    },
  })
  const { transfers, firmware, diagnostics, files } = services
  const copies = closing.add("copies of files", new LocalCopies(files))
  if (ftp?.isServed) {
    // The library is loaded by those alone who use it.
    const { startFtp } = await import("./ftp.ts")
    const { address: passiveAddress } = await lookup(ftpHost, { family: 4 })
    const { port, passivePorts } = ftp
    const tls = await certificateOf(ftp)
    const server = closing.add(
      "FTP",
      await startFtp({ host, port, passiveAddress, passivePorts, tls, transfers, copies, log }),
    )
    ftpPort = server.port
  }
  const links = new LinkEndpoint({ transfers, copies, log })
  return {
    services,
    maxLinkBodyBytes: maxDiagnosticsBytes + FORM_BYTES,
    maxBodyBytes: Math.max(maxImageBytes, maxDiagnosticsBytes) + FORM_BYTES,
    forChargePoints: (request, pathname) => links.answer(request, pathname),
    forPeople(authentication, shown) {
      const desk = new Desk({ firmware, diagnostics, authentication, copies, log, shown })
      return async (request, pathname) =>
        (await links.answer(request, pathname)) ?? (await desk.answer(request, pathname))
    },
  }
}

async function certificateOf({ certFile, keyFile }: { certFile: string | undefined; keyFile: string | undefined }) {
  if (certFile === undefined || keyFile === undefined) return undefined
  const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")])
  return { cert, key }
}
