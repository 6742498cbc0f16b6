/** Who may take part: BootNotification and the acceptance that belongs to an identity. OCPP 1.6 §4.2. */
import DataLoader from "dataloader"
import type { FromCaller } from "../facts/catalogue.ts"
import { type ChargePointRow, DEFAULT_ORGANISATION_ID, type RegistrationStatus } from "../facts/rows.ts"
import type { ConfirmationOf, RequestOf } from "../ocpp/action.ts"
import type { FromChargePoint } from "../ocpp/index.ts"
import { held } from "./ownership.ts"
import type { Clock, Store } from "./ports.ts"

/** What decides whether a charge point may send anything but BootNotification. */
export interface Standing {
  registrationStatus: RegistrationStatus
  acceptedAt: number | null
}

/** What a charge point says a few times and then drops for ever when it is refused. OCPP 1.6 §3.7. */
const TRANSACTION_MESSAGES: ReadonlySet<string> = new Set(["StartTransaction", "MeterValues", "StopTransaction"])

/**
 * Whether the charge point may send this CALL: BootNotification always, everything once its identity was accepted by an
 * answer to BootNotification and still is, and before that only what a TriggerMessage on this connection asked for. One
 * that was accepted and has been set to Pending knows of it by its next boot: until then its transactions go on.
 * OCPP 1.6 §4.2, OCPP-J errata §3.10.
 */
export function mayCall(standing: Standing, action: string, triggered: ReadonlySet<string>): boolean {
  if (action === "BootNotification" || triggered.has(action)) return true
  const { registrationStatus, acceptedAt } = standing
  if (acceptedAt === null || registrationStatus === "Rejected") return false
  return registrationStatus === "Accepted" || TRANSACTION_MESSAGES.has(action)
}

/** The action that a TriggerMessage or ExtendedTriggerMessage asks for. OCPP 1.6 §5.17, security white paper §5.5. */
export function triggeredAction(action: string, request: object): string | undefined {
  if (action !== "TriggerMessage" && action !== "ExtendedTriggerMessage") return undefined
  const requested = "requestedMessage" in request ? String(request.requestedMessage) : undefined
  if (requested === "SignChargePointCertificate") return "SignCertificate"
  const isSigned = action === "ExtendedTriggerMessage" && requested === "FirmwareStatusNotification"
  return isSigned ? "SignedFirmwareStatusNotification" : requested
}

interface RegistrationOptions {
  store: Pick<Store, "change" | "read">
  clock: Clock
  /** Whether a charge point nobody announced is created when it connects. */
  open: boolean
  /** Given to accepted charge points without an interval of their own, s. */
  heartbeatIntervalS: number
  /** How long Pending and Rejected charge points are to wait before the next BootNotification, s. */
  bootRetryIntervalS: number
}

/** An identity that comes from outside, unannounced, is kept only if a person can read it. */
const READABLE_IDENTITY = /^[^\p{Cc}\p{Cs}]{1,255}$/u

/** Charge points that are looked up with one question. */
const LOOKED_UP_AT_ONCE = 500

export class Registration {
  readonly #options: RegistrationOptions
  /** All who knock in one turn of the event loop are looked up together: after a power cut they come by the thousand. */
  readonly #known: DataLoader<string, ChargePointRow | undefined>

  constructor(options: RegistrationOptions) {
    this.#options = options
    const lookUp = async (identities: readonly string[]) => {
      const rows = await options.store.read.chargePointsOfIdentities([...new Set(identities)])
      const known = new Map(rows.map((row) => [row.identity, row]))
      return identities.map((identity) => known.get(identity))
    }
    this.#known = new DataLoader(lookUp, {
      cache: false,
      maxBatchSize: LOOKED_UP_AT_ONCE,
      batchScheduleFn: (ask) => setImmediate(ask),
    })
  }

  /** Resolves to the answer when the boot is on disk. @throws OwnershipLost */
  async boot(
    caller: FromCaller,
    request: RequestOf<FromChargePoint["BootNotification"]>,
  ): Promise<ConfirmationOf<FromChargePoint["BootNotification"]>> {
    const { store, clock, bootRetryIntervalS } = this.#options
    const { status, heartbeatIntervalS } = held(await store.change("reportBoot", { ...caller, request }))
    const interval = status === "Accepted" ? this.heartbeatIntervalS(heartbeatIntervalS) : bootRetryIntervalS
    return { status, currentTime: new Date(clock.now()).toISOString(), interval }
  }

  /** The heartbeat interval of a charge point, s, given its own setting. Never 0, whose meaning nobody defined. */
  heartbeatIntervalS(ownSetting: number | null): number {
    return ownSetting !== null && ownSetting > 0 ? ownSetting : this.#options.heartbeatIntervalS
  }

  /**
   * The charge point with this identity. Where registration is open, one nobody announced is created: accepted, without
   * a password, in the default organisation.
   */
  async find(identity: string): Promise<ChargePointRow | undefined> {
    const { store, clock, open } = this.#options
    const known = await this.findKnown(identity)
    if (known !== undefined || !open || !READABLE_IDENTITY.test(identity)) return known
    const chargePoint = newChargePoint(DEFAULT_ORGANISATION_ID, identity, clock.now())
    const outcome = await store.change("createChargePoint", { chargePoint })
    // Two sockets of one charge point may have asked at the same time.
    return "chargePoint" in outcome ? outcome.chargePoint : this.findKnown(identity)
  }

  /** The charge point whose identity is this but for letter case, if there is exactly one. */
  findInAnyCase(identity: string): Promise<ChargePointRow | undefined> {
    return this.#options.store.read.chargePointByIdentityInAnyCase(identity)
  }

  /** The charge point with this identity, if somebody announced it. */
  findKnown(identity: string): Promise<ChargePointRow | undefined> {
    return this.#known.load(identity)
  }
}

/** A charge point as it is before it was ever heard of: accepted, open to anybody who knows its identity. */
export function newChargePoint(organisationId: string, identity: string, createdAt: number): ChargePointRow {
  return {
    id: crypto.randomUUID(),
    organisationId,
    identity,
    createdAt,
    registrationStatus: "Accepted",
    acceptedAt: null,
    lastBootAt: null,
    heartbeatIntervalS: null,
    securityProfile: 0,
    passwordHash: null,
    leniency: null,
    wireLog: false,
    vendor: null,
    model: null,
    serialNumber: null,
    chargeBoxSerialNumber: null,
    firmwareVersion: null,
    iccid: null,
    imsi: null,
    meterType: null,
    meterSerialNumber: null,
    online: false,
    epoch: 0,
    nodeId: null,
    connectedSince: null,
    disconnectedAt: null,
    lastSeenAt: null,
    voltageV: null,
    phases: null,
  }
}
