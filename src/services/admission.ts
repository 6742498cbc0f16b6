/** Who is let in: identity, security profile, credentials and subprotocol, in this order. OCPP-J 1.6 §3, §6.2. */
import type { ChargePointRow, Leniency } from "../facts/rows.ts"
import type { HandshakeDeviationKind } from "./deviations.ts"
import type { Passwords } from "./passwords.ts"
import type { Registration } from "./registration.ts"

/** What somebody shows at the door. */
export interface Knock {
  /** What the path may mean by the identity, decoded, the likeliest first. */
  identities: readonly string[]
  /** The identity as it was written in the path: still percent-encoded. */
  writtenIdentity: string
  /** `user:password` of Basic authentication, as bytes: a password need not be text. */
  credentials: Uint8Array | null
  /** The subprotocols offered; null: the header was missing. */
  subprotocols: readonly string[] | null
}

/** Something tolerated at the door. */
export interface HandshakeDeviation {
  kind: HandshakeDeviationKind
  example: string
}

export type Admission =
  | { admitted: true; chargePoint: ChargePointRow; subprotocol: string | null; deviations: HandshakeDeviation[] }
  | { admitted: false; status: 400 | 401 | 403 | 404; reason: string }

interface AdmissionOptions {
  registration: Pick<Registration, "find" | "findKnown" | "findInAnyCase">
  passwords: Passwords
  /** The level of charge points without a setting of their own. */
  leniency: Leniency
  /** An unknown identity is refused like a wrong password, after as much work. */
  hideIdentities: boolean
}

/** The one version this central system speaks. OCPP-J 1.6 §3.1.2. */
export const SUBPROTOCOL = "ocpp1.6"

export class Admissions {
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Rejects with StoreUnavailable while nobody can be known. */
  async admit(knock: Knock): Promise<Admission> {
    const { passwords, hideIdentities } = this.#options
    const deviations: HandshakeDeviation[] = []
    const chargePoint = await this.#find(knock, deviations)
    if (chargePoint === undefined) {
      if (!hideIdentities) return refuse(404, "unknown identity")
      passwords.match(null, knock.credentials ?? new Uint8Array())
      return refuse(401, "unknown identity")
    }
    // Credentials that only TLS would keep secret are not asked for on an open line. Security white paper A00.FR.001.
    if (chargePoint.securityProfile > 1) {
      return refuse(hideIdentities ? 401 : 403, `security profile ${chargePoint.securityProfile} asks for TLS`)
    }
    if (chargePoint.securityProfile === 1 && !this.#isAuthentic(chargePoint, knock, deviations)) {
      return refuse(401, "missing or wrong credentials")
    }
    const subprotocol = this.#subprotocol(chargePoint, knock, deviations)
    if (subprotocol === undefined) return refuse(400, `${SUBPROTOCOL} is not offered`)
    return { admitted: true, chargePoint, subprotocol, deviations }
  }

  async #find({ identities }: Knock, deviations: HandshakeDeviation[]): Promise<ChargePointRow | undefined> {
    const { registration } = this.#options
    const [identity, ...others] = identities
    if (identity === undefined) return undefined
    if (others.length === 0) return (await this.#findMeant(identity, deviations)) ?? registration.find(identity)
    // An odd path leads only to charge points that somebody announced.
    for (const known of identities) {
      const chargePoint = await registration.findKnown(known)
      if (chargePoint === undefined) continue
      deviations.push({ kind: "extra-path-segments", example: identity })
      return chargePoint
    }
    return undefined
  }

  /** A charge point that is known, if need be by a name in other letters: some change them with their firmware. */
  async #findMeant(identity: string, deviations: HandshakeDeviation[]): Promise<ChargePointRow | undefined> {
    const { registration, leniency } = this.#options
    const known = await registration.findKnown(identity)
    if (known !== undefined) return known
    const meant = await registration.findInAnyCase(identity)
    if (meant === undefined || (meant.leniency ?? leniency) === "strict") return undefined
    deviations.push({ kind: "identity-letter-case", example: identity })
    return meant
  }

  #isAuthentic(chargePoint: ChargePointRow, knock: Knock, deviations: HandshakeDeviation[]): boolean {
    const shown = passwordOf(chargePoint.identity, knock)
    const match = this.#options.passwords.match(chargePoint.passwordHash, shown?.password ?? new Uint8Array())
    if (shown === undefined || match === "None") return false
    if (shown.encoded) deviations.push({ kind: "encoded-user-name", example: knock.writtenIdentity })
    if (match === "HexText") deviations.push({ kind: "password-as-hex-text", example: "" })
    return true
  }

  /** What the answer names; null where the charge point named none and is forgiven; undefined: nothing in common. */
  #subprotocol(
    { leniency }: ChargePointRow,
    { subprotocols }: Knock,
    deviations: HandshakeDeviation[],
  ): string | null | undefined {
    if (subprotocols !== null) return subprotocols.includes(SUBPROTOCOL) ? SUBPROTOCOL : undefined
    if ((leniency ?? this.#options.leniency) === "strict") return undefined
    deviations.push({ kind: "missing-subprotocol", example: "" })
    return null
  }
}

const refuse = (status: 400 | 401 | 403 | 404, reason: string): Admission => ({ admitted: false, status, reason })

/**
 * What follows the user name, which has to be the identity. Both may contain colons, so that the name is known by its
 * beginning, not by the first colon. Some write it as in the URL, percent-encoded. Security white paper A00.FR.204.
 */
function passwordOf(
  identity: string,
  { credentials, writtenIdentity }: Knock,
): { password: Uint8Array; encoded: boolean } | undefined {
  if (credentials === null) return undefined
  const shown = Buffer.from(credentials)
  for (const userName of [identity, writtenIdentity, encodeURIComponent(identity)]) {
    const start = Buffer.from(`${userName}:`, "utf8")
    if (shown.subarray(0, start.length).equals(start)) {
      return { password: shown.subarray(start.length), encoded: userName !== identity }
    }
  }
  return undefined
}
