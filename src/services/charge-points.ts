/** Charge points as an operator keeps them: announced, changed, taken away. */
import type { ChargePointRow, Leniency, RegistrationStatus } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Passwords } from "./passwords.ts"
import type { Bus, Clock, DisconnectReason, Store } from "./ports.ts"
import { AlreadyExists, ChargePointNotFound, demand } from "./refusals.ts"
import { newChargePoint } from "./registration.ts"
import type { Viewer } from "./viewer.ts"

/** What an operator decides about a charge point; what is undefined stays as it is. */
export interface ChargePointSettings {
  /** 16 to 20 bytes as 32 to 40 hexadecimal digits, or plain text; null takes the password away. OCPP-J 1.6 §6.2. */
  password?: string | null | undefined
  /** 0 none, 1 Basic, 2 Basic over TLS, 3 client certificate. */
  securityProfile?: number | undefined
  registrationStatus?: RegistrationStatus | undefined
  /** null: the node's default. */
  leniency?: Leniency | null | undefined
  wireLog?: boolean | undefined
  /** s; null: the node's default. */
  heartbeatIntervalS?: number | null | undefined
  /** V, phase to neutral; null: not stated. */
  voltageV?: number | null | undefined
  /** 1 to 3; null: not stated. */
  phases?: number | null | undefined
}

interface ChargePointsOptions {
  store: Pick<Store, "read" | "change">
  bus: Pick<Bus, "disconnect">
  passwords: Pick<Passwords, "hash">
  clock: Clock
  log: Log
}

/** The longest path segment that every proxy on the way is sure to pass. */
const MAX_IDENTITY_LENGTH = 255

/** The end of low voltage: no charge point is supplied with more. */
const MAX_VOLTAGE_V = 1000

export class ChargePoints {
  readonly #options: ChargePointsOptions

  constructor(options: ChargePointsOptions) {
    this.#options = options
  }

  /** @throws ChargePointNotFound also for a charge point of another organisation. */
  async find(viewer: Viewer, identity: string): Promise<ChargePointRow> {
    const row = await this.#options.store.read.chargePointByIdentity(identity)
    if (row?.organisationId !== viewer.organisationId) throw new ChargePointNotFound(identity)
    return row
  }

  /**
   * Announces a charge point. Without a security profile it is 1 with a password and 0 without.
   * @throws InvalidInput, AlreadyExists (identities are unique over all organisations).
   */
  async create(viewer: Viewer, identity: string, settings: ChargePointSettings): Promise<ChargePointRow> {
    const { store, clock } = this.#options
    const securityProfile = settings.securityProfile ?? (settings.password ? 1 : 0)
    demand(
      [
        isUsableIdentity(identity),
        "identity",
        `must have 1 to ${MAX_IDENTITY_LENGTH} characters, no control character, no blank at an end, and not be . or ..`,
      ],
      ...rulesFor(settings),
      [!needsPassword(securityProfile) || !!settings.password, "password", "is needed with security profile 1 and 2"],
    )
    const chargePoint: ChargePointRow = {
      ...newChargePoint(viewer.organisationId, identity, clock.now()),
      ...this.#changeOf({ ...settings, securityProfile }),
    }
    const outcome = await store.change("createChargePoint", { chargePoint })
    if ("alreadyExists" in outcome) {
      throw new AlreadyExists(`a charge point with the identity ${JSON.stringify(identity)} exists already`)
    }
    return outcome.chargePoint
  }

  /**
   * Changes what is given. Other credentials, or a refusal, also close the charge point's socket.
   * @throws InvalidInput, ChargePointNotFound
   */
  async update(viewer: Viewer, identity: string, settings: ChargePointSettings): Promise<ChargePointRow> {
    const { store, clock } = this.#options
    const before = await this.find(viewer, identity)
    const securityProfile = settings.securityProfile ?? before.securityProfile
    const keepsPassword = settings.password === undefined ? before.passwordHash !== null : settings.password !== null
    demand(...rulesFor(settings), [
      !needsPassword(securityProfile) || keepsPassword,
      "password",
      "is needed with security profile 1 and 2",
    ])
    const outcome = await store.change("updateChargePoint", {
      organisationId: viewer.organisationId,
      chargePointId: before.id,
      at: clock.now(),
      change: this.#changeOf(settings),
    })
    if ("notFound" in outcome) throw new ChargePointNotFound(identity)
    const after = outcome.chargePoint
    if (after.passwordHash !== before.passwordHash || after.securityProfile !== before.securityProfile) {
      await this.#disconnect(after, "CredentialsChanged")
    } else if (after.registrationStatus === "Rejected" && before.registrationStatus !== "Rejected") {
      await this.#disconnect(after, "Rejected")
    }
    return after
  }

  /** Takes the charge point away and closes its socket; its transactions stay. @throws ChargePointNotFound */
  async delete(viewer: Viewer, identity: string): Promise<ChargePointRow> {
    const { store, clock } = this.#options
    const { id } = await this.find(viewer, identity)
    const { organisationId } = viewer
    const outcome = await store.change("deleteChargePoint", { organisationId, chargePointId: id, at: clock.now() })
    if ("notFound" in outcome) throw new ChargePointNotFound(identity)
    await this.#disconnect(outcome.chargePoint, "Deleted")
    return outcome.chargePoint
  }

  #changeOf({ password, ...settings }: ChargePointSettings): Partial<ChargePointRow> {
    const { passwords } = this.#options
    const hash = password == null ? password : passwords.hash(password)
    return withoutUndefined({ ...settings, passwordHash: hash })
  }

  /** The fact is committed whether the order to close arrives or not: without Redis the gateway finds out by itself. */
  async #disconnect(chargePoint: ChargePointRow, reason: DisconnectReason): Promise<void> {
    try {
      await this.#options.bus.disconnect(chargePoint.id, reason)
    } catch (cause) {
      this.#options.log.warn(
        { err: cause, chargePoint: chargePoint.identity, reason },
        "the socket could not be closed",
      )
    }
  }
}

/** Profiles 1 and 2 are those with HTTP Basic authentication. Security white paper §3. */
const needsPassword = (securityProfile: number) => securityProfile === 1 || securityProfile === 2

/** Whether it can stand in a URL: `.` and `..` as a path segment mean another path, percent-encoded or not. */
const isUsableIdentity = (identity: string) =>
  identity.length <= MAX_IDENTITY_LENGTH &&
  /^[^\p{Cc}\p{Cs}]+$/u.test(identity) &&
  identity.trim() === identity &&
  !/^\.{1,2}$/.test(identity)

const rulesFor = ({
  password,
  securityProfile,
  heartbeatIntervalS,
  voltageV,
  phases,
}: ChargePointSettings): [holds: boolean, path: string, message: string][] => [
  [
    password == null || (password.length > 0 && Buffer.byteLength(password) <= 128),
    "password",
    "must have 1 to 128 bytes",
  ],
  [securityProfile === undefined || [0, 1, 2, 3].includes(securityProfile), "securityProfile", "must be 0, 1, 2 or 3"],
  [
    heartbeatIntervalS == null || (heartbeatIntervalS >= 1 && heartbeatIntervalS <= 86_400),
    "heartbeatIntervalS",
    "must be 1 to 86400 s",
  ],
  [voltageV == null || (voltageV >= 1 && voltageV <= MAX_VOLTAGE_V), "voltageV", `must be 1 to ${MAX_VOLTAGE_V} V`],
  [phases == null || [1, 2, 3].includes(phases), "phases", "must be 1, 2 or 3"],
]

/** `undefined` means "as it is", which a row cannot carry. */
function withoutUndefined<Row extends object>(row: Row): { [Field in keyof Row]?: Exclude<Row[Field], undefined> } {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as {
    [Field in keyof Row]?: Exclude<Row[Field], undefined>
  }
}
