/** Who asks: the bearer of a token, what the role allows, and until when. */
import type { Role } from "../facts/rows.ts"

/** The bearer of a valid token. */
export interface Viewer {
  organisationId: string
  role: Role
  /** How the bearer is named in commands and logs: the token's name, or a JWT's subject. */
  name: string
  /** The row of the token; null for a JWT. */
  apiTokenId: string | null
  /** After this instant (epoch ms) the token is worth nothing; null: it has no end. */
  expiresAt: number | null
}

/** The roles, each including those before it. */
export const ROLES = ["Viewer", "Operator", "Admin"] as const satisfies readonly Role[]

/** Whether a bearer of this role may do what needs that one. */
export const allows = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed)
