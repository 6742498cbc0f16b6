/** What the gateway's sockets lead to: the services, opened and closed together. */
import type { HandlerServices } from "../handlers/handler.ts"
import { Admissions } from "../services/admission.ts"
import { Authorization } from "../services/authorization.ts"
import { Deviations } from "../services/deviations.ts"
import type { Lines } from "../services/lines.ts"
import type { Passwords } from "../services/passwords.ts"
import type { Bus, Clock, Store } from "../services/ports.ts"
import { type OwnershipBus, Presence } from "../services/presence.ts"
import { Registration } from "../services/registration.ts"
import { Reports } from "../services/reports.ts"
import { SignsOfLife } from "../services/signs-of-life.ts"
import { Status } from "../services/status.ts"
import { Transactions } from "../services/transactions.ts"
import { WireLog } from "../services/wire-log.ts"
import { Closing } from "../closing.ts"
import type { Leniency } from "../facts/rows.ts"
import type { Log } from "../log.ts"

/** As much of the bus as sockets need. */
export type GatewayBus = OwnershipBus &
  Pick<Bus, "onSuperseded" | "onDisconnect" | "onReturn" | "isWatched" | "publishMessages">

/** As much of the store as sockets need. */
export type GatewayStore = Pick<
  Store,
  "change" | "read" | "putSetting" | "addDeviations" | "addMessages" | "troubleSince"
>

export interface GatewayServicesOptions {
  store: GatewayStore
  bus: GatewayBus
  lines: Lines
  passwords: Passwords
  clock: Clock
  log: Log
  /** The level of charge points without a setting of their own. */
  leniency: Leniency
  openRegistration: boolean
  hideIdentities: boolean
  /** s */
  heartbeatIntervalS: number
  /** s */
  bootRetryIntervalS: number
}

export interface GatewayServices extends HandlerServices, AsyncDisposable {
  store: GatewayStore
  bus: GatewayBus
  lines: Lines
  admissions: Admissions
  deviations: Deviations
  presence: Presence
  signsOfLife: SignsOfLife
  wireLog: WireLog
  leniency: Leniency
}

/** Opens the services; closing them writes what still waits. They outlive the gateway and close before the store. */
export function openGatewayServices(options: GatewayServicesOptions): GatewayServices {
  const { store, bus, lines, passwords, clock, log, leniency, hideIdentities } = options
  const closing = new Closing(log)
  const registration = new Registration({
    store,
    clock,
    open: options.openRegistration,
    heartbeatIntervalS: options.heartbeatIntervalS,
    bootRetryIntervalS: options.bootRetryIntervalS,
  })
  const presence = new Presence({ store, bus, clock, log })
  return {
    store,
    bus,
    lines,
    clock,
    leniency,
    registration,
    admissions: new Admissions({ registration, passwords, leniency, hideIdentities }),
    authorization: new Authorization(store, clock),
    reports: new Reports(store),
    status: new Status(store),
    transactions: new Transactions(store),
    signsOfLife: closing.add("signs of life", new SignsOfLife({ store, lines, presence, log })),
    presence: closing.add("presence", presence),
    deviations: closing.add("deviations", new Deviations({ store, clock, log })),
    wireLog: closing.add("wire log", new WireLog({ store, bus, log })),
    [Symbol.asyncDispose]: () => closing.run(),
  }
}
