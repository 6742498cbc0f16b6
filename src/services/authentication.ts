/** From a bearer token to who asks; and word to what a token holds open when the token's time is over. */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose"
import { type ApiTokenRow, DEFAULT_ORGANISATION_ID, type Role } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { type Clock, type Store, StoreUnavailable } from "./ports.ts"
import { hashToken } from "./tokens.ts"
import { ROLES, type Viewer } from "./viewer.ts"

interface AuthenticationOptions {
  store: Pick<Store, "read">
  clock: Clock
  log: Log
  /** Whose JWTs are accepted beside our own tokens; left out: nobody's. */
  jwt?: { jwksUrl: string; issuer?: string | undefined; audience?: string | undefined } | undefined
  /** How long a revocation on another node may go unnoticed by what is open, ms. */
  recheckMs?: number
}

/** What a token holds open. */
interface Watched {
  viewer: Viewer
  ended: Set<() => void>
}

/** Nobody of ours has a longer one; a hash of it is not worth its work. */
const MAX_TOKEN_LENGTH = 8_192

export class Authentication implements AsyncDisposable {
  readonly #options: AuthenticationOptions
  readonly #keys: ReturnType<typeof createRemoteJWKSet> | undefined
  /** Organisations found to exist: none is ever taken away. */
  readonly #organisations = new Set<string>()
  /** By token: however much one holds open, it is looked at once. */
  readonly #watched = new Map<string, Watched>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(options: AuthenticationOptions) {
    this.#options = options
    const { jwt, log } = options
    if (!jwt) return
    this.#keys = createRemoteJWKSet(new URL(jwt.jwksUrl))
    if (jwt.audience === undefined) {
      log.warn("without JWT_AUDIENCE also those JWTs open the API that the provider gave out for other programs")
    }
  }

  /** The bearer of this token, or null where it opens nothing. @throws StoreUnavailable */
  async viewerOf(token: string | null): Promise<Viewer | null> {
    if (!token || token.length > MAX_TOKEN_LENGTH) return null
    const row = await this.#options.store.read.apiTokenByHash(hashToken(token))
    if (row) return this.#isValid(row) ? viewerOfRow(row) : null
    // Three parts with dots between them: nothing else can be a JWT.
    return this.#keys && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? this.#viewerOfJwt(token, this.#keys) : null
  }

  /**
   * Calls `ended` once when the token is found expired or revoked, within `recheckMs`. The returned function stops the
   * watch.
   */
  watch(token: string, viewer: Viewer, ended: () => void): () => void {
    const watched = this.#watched.get(token) ?? { viewer, ended: new Set() }
    watched.ended.add(ended)
    this.#watched.set(token, watched)
    this.#timer ??= setInterval(() => void this.recheck(), this.#options.recheckMs ?? 2_000).unref()
    return () => {
      watched.ended.delete(ended)
      if (watched.ended.size === 0 && this.#watched.get(token) === watched) this.#forget(token)
    }
  }

  /** Looks again at every watched token now. Never rejects: a store in trouble ends nothing. */
  async recheck(): Promise<void> {
    await Promise.all(
      [...this.#watched].map(async ([token, watched]) => {
        if (await this.#isStillValid(token, watched.viewer)) return
        if (this.#watched.get(token) === watched) this.#forget(token)
        for (const ended of watched.ended) ended()
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watched.clear()
    this.#stop()
  }

  #forget(token: string): void {
    this.#watched.delete(token)
    if (this.#watched.size === 0) this.#stop()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #isStillValid(token: string, viewer: Viewer): Promise<boolean> {
    const { store, clock, log } = this.#options
    if (viewer.expiresAt !== null && viewer.expiresAt <= clock.now()) return false
    if (viewer.apiTokenId === null) return true
    try {
      const row = await store.read.apiTokenByHash(hashToken(token))
      return row !== undefined && this.#isValid(row)
    } catch (cause) {
      log.warn({ err: cause }, "a token that holds subscriptions open could not be checked")
      return true
    }
  }

  async #hasOrganisation({ organisationId, name }: Viewer): Promise<boolean> {
    if (this.#organisations.has(organisationId)) return true
    const exists = await this.#options.store.read.organisationExists(organisationId)
    if (exists) this.#organisations.add(organisationId)
    else this.#options.log.warn({ organisationId, name }, "a JWT names an organisation that does not exist")
    return exists
  }

  #isValid({ revokedAt, expiresAt }: ApiTokenRow): boolean {
    return revokedAt === null && (expiresAt === null || expiresAt > this.#options.clock.now())
  }

  async #viewerOfJwt(token: string, keys: ReturnType<typeof createRemoteJWKSet>): Promise<Viewer | null> {
    const { jwt, clock, log } = this.#options
    try {
      const { payload } = await jwtVerify(token, keys, {
        ...(jwt?.issuer === undefined ? {} : { issuer: jwt.issuer }),
        ...(jwt?.audience === undefined ? {} : { audience: jwt.audience }),
        currentDate: new Date(clock.now()),
        // A JWT without an end could never be taken back.
        requiredClaims: ["exp"],
      })
      const viewer = viewerOfClaims(payload)
      return viewer && (await this.#hasOrganisation(viewer)) ? viewer : null
    } catch (cause) {
      if (cause instanceof StoreUnavailable) throw cause
      // A wrong token is the bearer's affair; an identity provider that does not answer is the operator's.
      if (!(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSTimeout) {
        log.error({ err: cause }, "the JSON Web Key Set could not be read")
      }
      return null
    }
  }
}

/** The token in an Authorization header, or null where it carries none. RFC 6750 §2.1. */
export function bearerToken(header: string | null): string | null {
  return /^Bearer +(\S+)\s*$/i.exec(header ?? "")?.[1] ?? null
}

const viewerOfRow = ({ organisationId, role, name, id, expiresAt }: ApiTokenRow): Viewer => ({
  organisationId,
  role,
  name,
  apiTokenId: id,
  expiresAt,
})

/** Claims `role` (in any letter case) and `organisation` (the default one when left out); without a known role, nobody. */
function viewerOfClaims(claims: JWTPayload): Viewer | null {
  const role = roleOf(claims["role"])
  const organisation = claims["organisation"] ?? DEFAULT_ORGANISATION_ID
  if (role === undefined || typeof organisation !== "string" || claims.exp === undefined) return null
  return {
    organisationId: organisation,
    role,
    name: claims.sub ?? "JWT",
    apiTokenId: null,
    expiresAt: claims.exp * 1_000,
  }
}

function roleOf(claim: unknown): Role | undefined {
  return typeof claim === "string" ? ROLES.find((role) => role.toLowerCase() === claim.toLowerCase()) : undefined
}
