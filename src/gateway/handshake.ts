/** Reads what a charge point shows in its upgrade request; understands more than it should have to. OCPP-J 1.6 §3. */
import type { HandshakeDeviation, Knock } from "../services/admission.ts"

/** An upgrade request as far as it could be read, with what was tolerated in it. */
export interface Handshake {
  knock: Knock
  deviations: HandshakeDeviation[]
}

const ENDPOINT = "ocpp"

/** The path of a request's URL. Not by `new URL`, which throws where the Host header names no host. */
export const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "")

/** The path below the endpoint; undefined where the path is another one. */
function belowEndpoint(pathname: string): string[] | undefined {
  const [endpoint, ...segments] = pathname.split("/").filter((segment) => segment !== "")
  return endpoint === ENDPOINT ? segments : undefined
}

/** Whether the path is one that charge points come to, `/ocpp/<identity>`. */
export const isChargePointPath = (pathname: string): boolean => (belowEndpoint(pathname)?.length ?? 0) > 0

/** Reads a request for a path that `isChargePointPath` accepts. Nothing in it can make this throw. */
export function readHandshake(pathname: string, headers: Headers): Handshake {
  const segments = belowEndpoint(pathname) ?? []
  const writtenIdentity = segments.at(-1) ?? ""
  const deviations: HandshakeDeviation[] = []
  if (pathname.endsWith("/")) deviations.push({ kind: "trailing-slash", example: pathname })
  if (!tokens(headers.get("connection")).some((token) => token.toLowerCase() === "upgrade")) {
    deviations.push({ kind: "missing-connection-header", example: headers.get("connection") ?? "" })
  }
  const protocols = headers.get("sec-websocket-protocol")
  return {
    knock: {
      identities: identitiesIn(segments),
      writtenIdentity,
      credentials: basicCredentials(headers.get("authorization")),
      subprotocols: protocols === null ? null : tokens(protocols),
    },
    deviations,
  }
}

/**
 * One segment is the identity, decoded once. With more, the charge point may have left a slash of its identity as it is,
 * or put another path or a whole URL before it.
 */
function identitiesIn(segments: readonly string[]): string[] {
  const written = segments.length > 1 ? [segments.join("/"), segments.at(-1) ?? ""] : segments
  return written.flatMap((identity) => {
    try {
      return [decodeURIComponent(identity)]
    } catch {
      return [] // no percent-encoding of anything: nobody has this identity
    }
  })
}

const tokens = (header: string | null): string[] =>
  (header ?? "").split(",").flatMap((token) => (token.trim() === "" ? [] : [token.trim()]))

/** The bytes of `user:password`: they need not be text. OCPP-J 1.6 §6.2.2. */
function basicCredentials(header: string | null): Uint8Array | null {
  const encoded = /^\s*basic\s+([A-Za-z0-9+/_-]+={0,2})\s*$/i.exec(header ?? "")?.[1]
  return encoded === undefined ? null : Buffer.from(encoded, "base64")
}
