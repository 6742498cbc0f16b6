/** Everything about files that services do, made of the same parts. */
import type { Log } from "../log.ts"
import type { Commands } from "./commands.ts"
import { Diagnostics } from "./diagnostics.ts"
import { FileLinks, type FilePlaces } from "./file-links.ts"
import { Firmware } from "./firmware.ts"
import { FirmwareCampaigns } from "./firmware-campaigns.ts"
import type { Clock, Store } from "./ports.ts"
import type { Seals } from "./seals.ts"
import { StoredFiles } from "./stored-files.ts"
import { Transfers } from "./transfers.ts"

interface FileServicesOptions {
  store: Pick<Store, "change" | "read" | "addFileChunk" | "removeFileChunks">
  commands: Commands
  seals: Seals
  clock: Clock
  log: Log
  places: FilePlaces
  /** How long a link opens, ms. */
  linkLifetimeMs: number
  /** The largest image that is taken, bytes. */
  maxImageBytes: number
  /** The largest diagnostics that are taken, bytes. */
  maxDiagnosticsBytes: number
}

export interface FileServices {
  files: StoredFiles
  firmware: Firmware
  firmwareCampaigns: FirmwareCampaigns
  diagnostics: Diagnostics
  transfers: Transfers
}

/** Makes them; they hold nothing open. */
export function createFileServices({
  store,
  commands,
  seals,
  clock,
  log,
  places,
  linkLifetimeMs,
  maxImageBytes,
  maxDiagnosticsBytes,
}: FileServicesOptions): FileServices {
  const files = new StoredFiles(store, clock)
  const links = new FileLinks({ read: store.read, clock, places, lifetimeMs: linkLifetimeMs })
  return {
    files,
    firmware: new Firmware({ store, commands, files, links, clock, maxBytes: maxImageBytes }),
    firmwareCampaigns: new FirmwareCampaigns({ store, seals, places, clock }),
    diagnostics: new Diagnostics({ store, commands, links, clock }),
    transfers: new Transfers({ store, files, clock, log, maxBytes: maxDiagnosticsBytes }),
  }
}
