import type { Log } from "../src/log.ts"
import { Authentication } from "../src/services/authentication.ts"
import { ChargePoints } from "../src/services/charge-points.ts"
import { ChargingProfiles } from "../src/services/charging-profiles.ts"
import type { Commands } from "../src/services/commands.ts"
import type { Diagnostics } from "../src/services/diagnostics.ts"
import type { Firmware } from "../src/services/firmware.ts"
import type { FirmwareCampaigns } from "../src/services/firmware-campaigns.ts"
import { Fleet } from "../src/services/fleet.ts"
import { Following } from "../src/services/following/index.ts"
import { IdTags } from "../src/services/id-tags.ts"
import { LocalLists } from "../src/services/local-lists.ts"
import type { Passwords } from "../src/services/passwords.ts"
import type { Bus, Clock, EventStream, Store } from "../src/services/ports.ts"
import { Reservations } from "../src/services/reservations.ts"
import { Tokens } from "../src/services/tokens.ts"
import type { Services } from "./context.ts"

/** What the API needs of the world. */
export interface ApiPorts {
  store: Pick<Store, "read" | "change">
  bus: Pick<Bus, "disconnect" | "watchMessages" | "nodes">
  stream: Pick<EventStream, "cursor" | "isAfter" | "live" | "replay" | "reached">
  commands: Commands
  firmware: Firmware
  firmwareCampaigns: FirmwareCampaigns
  diagnostics: Diagnostics
  passwords: Pick<Passwords, "hash">
  clock: Clock
  log: Log
  /** Whose JWTs open the API beside Busbar's own tokens. */
  jwt?: { jwksUrl: string; issuer?: string | undefined; audience?: string | undefined } | undefined
  /** How long a revocation on another node may go unnoticed by open subscriptions, ms; 2 s unless told. */
  recheckTokensMs?: number
}

/** The services behind the API. `authentication` is to be disposed at the end. */
export function createServices(ports: ApiPorts): Services {
  const {
    store,
    bus,
    stream,
    commands,
    firmware,
    firmwareCampaigns,
    diagnostics,
    passwords,
    clock,
    log,
    jwt,
    recheckTokensMs,
  } = ports
  return {
    read: store.read,
    chargePoints: new ChargePoints({ store, bus, passwords, clock, log }),
    chargingProfiles: new ChargingProfiles(clock),
    idTags: new IdTags(store, clock),
    localLists: new LocalLists(store, clock),
    reservations: new Reservations({ store, commands, clock }),
    tokens: new Tokens(store, clock),
    fleet: new Fleet({ store, clock, log }),
    following: new Following({ stream, bus, store, clock }),
    authentication: new Authentication({
      store,
      clock,
      log,
      jwt,
      ...(recheckTokensMs !== undefined && { recheckMs: recheckTokensMs }),
    }),
    nodes: () => bus.nodes(),
    commands,
    firmware,
    firmwareCampaigns,
    diagnostics,
  }
}
