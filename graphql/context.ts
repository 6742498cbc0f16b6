/** What every resolver can ask: who the viewer is, the services, and loaders that live as long as the operation. */
import type { Authentication } from "../src/services/authentication.ts"
import type { ChargePoints } from "../src/services/charge-points.ts"
import type { Commands } from "../src/services/commands.ts"
import type { Fleet } from "../src/services/fleet.ts"
import type { Following } from "../src/services/following/index.ts"
import type { IdTags } from "../src/services/id-tags.ts"
import type { Bus, Reads } from "../src/services/ports.ts"
import type { Tokens } from "../src/services/tokens.ts"
import type { Viewer } from "../src/services/viewer.ts"
import type { Loaders } from "./loaders.ts"

/** What the API is made of; `createServices` makes it of the ports. */
export interface Services {
  read: Reads
  chargePoints: ChargePoints
  idTags: IdTags
  tokens: Tokens
  fleet: Fleet
  following: Following
  authentication: Authentication
  nodes: Bus["nodes"]
  commands: Commands
}

export interface Context {
  viewer: Viewer
  /** The text of the viewer's token, by which a subscription asks whether it still opens anything. */
  token: string
  services: Services
  loaders: Loaders
}
