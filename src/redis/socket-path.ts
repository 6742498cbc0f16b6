/** Where the managed server's unix socket lies. */
import { createHash } from "node:crypto"
import { lstatSync, mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RedisUnreachable } from "./errors.ts"

// The kernel keeps a socket's path in 108 bytes, on some systems in 104.
const MAX_PATH_BYTES = 100

/**
 * The socket's path for a data folder: inside it, or where that is too long for a socket in a private folder under the
 * temporary one. The same folder always gives the same path, so that a second node on it is noticed.
 */
export function socketPathFor(folder: string): string {
  const inside = join(folder, "redis.sock")
  if (Buffer.byteLength(inside) <= MAX_PATH_BYTES) return inside
  const short = join(tmpdir(), `busbar-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`)
  mkdirSync(short, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(short)
  // Whoever may enter the folder may command the server; a folder prepared by somebody else is not ours to use.
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new RedisUnreachable(`${short} must belong to this user alone (mode 0700)`)
  return join(short, "redis.sock")
}
