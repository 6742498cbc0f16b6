/** Tokens of the API: made, shown once, kept as a hash, revoked. */
import { createHash, randomBytes } from "node:crypto"
import { type ApiTokenRow, DEFAULT_ORGANISATION_ID, type Role } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import type { Clock, Store } from "./ports.ts"
import { ApiTokenNotFound, demand } from "./refusals.ts"
import type { Viewer } from "./viewer.ts"

/**
 * What is kept of a token. A token of ours has 256 bits of chance, so a plain hash is not worth guessing against, and it
 * can be looked up.
 */
export const hashToken = (token: string): string => createHash("sha256").update(token).digest("hex")

const newToken = (): string => `busbar_${randomBytes(32).toString("base64url")}`

/** Of the token that the environment gives; its hash follows, so that another ADMIN_TOKEN is another row. */
const ENVIRONMENT_PREFIX = "environment-"
/** Of the token made at the first start: of nodes that start together only one makes it. */
const FIRST_ID = "first"

export class Tokens {
  readonly #store: Pick<Store, "read" | "change">
  readonly #clock: Clock

  constructor(store: Pick<Store, "read" | "change">, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Makes a token; its text is in no other answer ever again. `expiresAt` in epoch ms. @throws InvalidInput */
  async create(
    viewer: Pick<Viewer, "organisationId">,
    { name, role, expiresAt }: { name: string; role: Role; expiresAt?: number | undefined },
  ): Promise<{ apiToken: ApiTokenRow; token: string }> {
    const now = this.#clock.now()
    demand(
      [/\S/.test(name) && name.length <= 100, "name", "must have 1 to 100 characters"],
      [expiresAt === undefined || expiresAt > now, "expiresAt", "must be in the future"],
    )
    const token = newToken()
    const id = crypto.randomUUID()
    const apiToken = await this.#add(viewer.organisationId, id, name, role, token, expiresAt ?? null)
    if (!apiToken) throw new Error(`the id ${id} was given before`)
    return { apiToken, token }
  }

  /** From now on the token opens nothing; what it holds open ends within seconds. @throws ApiTokenNotFound */
  async revoke(viewer: Pick<Viewer, "organisationId">, apiTokenId: string): Promise<ApiTokenRow> {
    const { organisationId } = viewer
    const outcome = await this.#store.change("revokeApiToken", { organisationId, apiTokenId, at: this.#clock.now() })
    if ("notFound" in outcome) throw new ApiTokenNotFound()
    return outcome.apiToken
  }

  list(viewer: Pick<Viewer, "organisationId">): Promise<ApiTokenRow[]> {
    return this.#store.read.apiTokens(viewer.organisationId)
  }

  /**
   * Sees to it that somebody can get in. With a token from the environment, that one is ADMIN and an earlier one from
   * there is revoked. One that was revoked itself stays so, as it may be known to somebody: the log says it. Without one,
   * and only while no token was ever made, makes an ADMIN token.
   * @returns the text of the token it made, to be shown once; undefined where it made none.
   */
  async ensureFirst(fromEnvironment: string | undefined, log: Log): Promise<string | undefined> {
    const known = await this.#store.read.apiTokens(DEFAULT_ORGANISATION_ID)
    if (fromEnvironment !== undefined) {
      await this.#takeFromEnvironment(fromEnvironment, known, log)
      return undefined
    }
    if (known.length > 0) return undefined
    const token = newToken()
    const made = await this.#add(DEFAULT_ORGANISATION_ID, FIRST_ID, "first token", "Admin", token, null)
    return made ? token : undefined
  }

  async #takeFromEnvironment(token: string, known: readonly ApiTokenRow[], log: Log): Promise<void> {
    const tokenHash = hashToken(token)
    for (const { id, organisationId, tokenHash: other, revokedAt } of known) {
      if (!id.startsWith(ENVIRONMENT_PREFIX) || other === tokenHash || revokedAt !== null) continue
      await this.#store.change("revokeApiToken", { organisationId, apiTokenId: id, at: this.#clock.now() })
    }
    const same = known.find((row) => row.tokenHash === tokenHash)
    if (same) return this.#warnOf(same, log)
    const id = `${ENVIRONMENT_PREFIX}${tokenHash.slice(0, 32)}`
    await this.#add(DEFAULT_ORGANISATION_ID, id, "ADMIN_TOKEN", "Admin", token, null)
  }

  /** Whoever set ADMIN_TOKEN believes that it opens everything. */
  #warnOf({ revokedAt, expiresAt, role }: ApiTokenRow, log: Log): void {
    if (revokedAt !== null) {
      log.warn(
        { revokedAt: new Date(revokedAt).toISOString() },
        "ADMIN_TOKEN was revoked and opens nothing: set another one",
      )
    } else if (role !== "Admin" || expiresAt !== null) {
      log.warn(
        { role, expiresAt },
        "ADMIN_TOKEN is a token that the API made, with its role and its end: set another one",
      )
    }
  }

  /** Undefined where there is a token of this id: another node that starts at the same time was faster. */
  async #add(
    organisationId: string,
    id: string,
    name: string,
    role: Role,
    token: string,
    expiresAt: number | null,
  ): Promise<ApiTokenRow | undefined> {
    const apiToken: ApiTokenRow = {
      id,
      organisationId,
      name,
      role,
      tokenHash: hashToken(token),
      createdAt: this.#clock.now(),
      expiresAt,
      revokedAt: null,
    }
    const outcome = await this.#store.change("createApiToken", { apiToken })
    return "apiToken" in outcome ? outcome.apiToken : undefined
  }
}

/** `Tokens.ensureFirst` for a start: see there. */
export const ensureFirstToken = (
  store: Pick<Store, "read" | "change">,
  clock: Clock,
  fromEnvironment: string | undefined,
  log: Log,
): Promise<string | undefined> => new Tokens(store, clock).ensureFirst(fromEnvironment, log)
