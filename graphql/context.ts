/** What every resolver can ask: who the viewer is, the services, and loaders that live as long as the operation. */
import type { Authentication } from "../src/services/authentication.ts"
import type { ChargePoints } from "../src/services/charge-points.ts"
import type { ChargingProfiles } from "../src/services/charging-profiles.ts"
import type { Commands } from "../src/services/commands.ts"
import type { Diagnostics } from "../src/services/diagnostics.ts"
import type { Firmware } from "../src/services/firmware.ts"
import type { FirmwareCampaigns } from "../src/services/firmware-campaigns.ts"
import type { Fleet } from "../src/services/fleet.ts"
import type { Following } from "../src/services/following/index.ts"
import type { IdTags } from "../src/services/id-tags.ts"
import type { LocalLists } from "../src/services/local-lists.ts"
import type { Bus, Reads } from "../src/services/ports.ts"
import type { Reservations } from "../src/services/reservations.ts"
import type { Tokens } from "../src/services/tokens.ts"
import type { Viewer } from "../src/services/viewer.ts"
import type { Loaders } from "./loaders.ts"

/** What the API is made of; `createServices` makes it of the ports. */
export interface Services {
  read: Reads
  chargePoints: ChargePoints
  chargingProfiles: ChargingProfiles
  idTags: IdTags
  localLists: LocalLists
  reservations: Reservations
  tokens: Tokens
  fleet: Fleet
  following: Following
  authentication: Authentication
  nodes: Bus["nodes"]
  commands: Commands
  firmware: Firmware
  firmwareCampaigns: FirmwareCampaigns
  diagnostics: Diagnostics
}

export interface Context {
  viewer: Viewer
  /** The text of the viewer's token, by which a subscription asks whether it still opens anything. */
  token: string
  services: Services
  loaders: Loaders
}
