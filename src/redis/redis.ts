/** Connections to Redis: to a server given by URL, or to one of our own that lives and ends with this process. */
import { createClient } from "redis"
import { atMost } from "../at-most.ts"
import { Closing } from "../closing.ts"
import type { Log } from "../log.ts"
import { RedisTooOld, RedisUnreachable } from "./errors.ts"
import { startServer } from "./server.ts"

export type RedisClient = ReturnType<typeof newClient>

export interface Redis extends AsyncDisposable {
  /**
   * A connected client of its own, named after its purpose; it reconnects by itself for as long as Redis is away.
   * `failFast`: commands given meanwhile are rejected at once instead of waiting for its return.
   */
  connect(purpose: string, options?: { failFast?: boolean }): Promise<RedisClient>
  /** The process id of the managed server while it runs; undefined with a server given by URL. */
  serverPid(): number | undefined
}

export interface RedisOptions {
  /** `redis://…` or `rediss://…`; left out: a managed server in `dataDir`. */
  url?: string | undefined
  dataDir: string
  log: Log
}

const MAX_RECONNECT_MS = 1_000
const FIRST_CONNECT_TRIES = 12
const CLOSE_MS = 1_000
// Keeps address translation on the way alive, and notices a peer that is gone.
const PING_INTERVAL_MS = 10_000

/**
 * Opens the way to Redis and checks its version. Closing ends every client that is still open, then a managed server.
 * @throws RedisMissing, RedisInUse, RedisUnreachable, RedisTooOld
 */
export async function openRedis({ url, dataDir, log }: RedisOptions): Promise<Redis> {
  const closing = new Closing(log)
  const server = url === undefined ? closing.add("redis-server", await startServer({ dataDir, log })) : undefined
  const target = url === undefined ? { path: server?.socketPath ?? "" } : { url }
  try {
    await checkVersion(target)
  } catch (cause) {
    await closing.run()
    throw cause
  }

  const open = async (purpose: string, { failFast = false } = {}) => {
    const client = newClient(target, purpose, failFast, reconnectIn)
    reportErrors(client, log.child({ redisClient: purpose }))
    closing.step(`redis client ${purpose}`, () => closeClient(client))
    await client.connect()
    return client
  }
  return {
    connect: open,
    serverPid: () => server?.pid(),
    [Symbol.asyncDispose]: () => closing.run(),
  }
}

type Target = { path: string } | { url: string }

function newClient(
  target: Target,
  purpose: string,
  failFast: boolean,
  reconnectStrategy: (retries: number, cause: Error) => number | false,
) {
  const common = {
    name: `busbar:${purpose}`,
    disableOfflineQueue: failFast,
    // A timer for each command, which costs as much as the command; who wants to fail fast has patience of his own.
    ...(failFast && { commandOptions: { timeout: 0 } }),
  }
  return "path" in target
    ? createClient({ ...common, socket: { path: target.path, tls: false, reconnectStrategy } })
    : createClient({ ...common, url: target.url, pingInterval: PING_INTERVAL_MS, socket: { reconnectStrategy } })
}

/** ms until the next try: doubling, bounded, and spread so that nodes do not return in step. */
const reconnectIn = (retries: number): number =>
  Math.min(25 * 2 ** Math.min(retries, 8), MAX_RECONNECT_MS) * (0.75 + Math.random() / 2)

async function checkVersion(target: Target): Promise<void> {
  // A server that is still starting is waited for; one that does not let us in will not do so later.
  const isRefusal = (cause: Error) => /^(WRONGPASS|NOAUTH|NOPERM|ERR )/.test(cause.message)
  const client = newClient(
    target,
    "start",
    false,
    (retries, cause) => retries < FIRST_CONNECT_TRIES && !isRefusal(cause) && reconnectIn(retries),
  )
  let lastError: unknown
  client.on("error", (cause) => {
    lastError = cause
  })
  try {
    await client.connect()
    const version = /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "of unknown version"
    const [major = 0, minor = 0] = version.split(".").map(Number)
    if (!(major > 6 || (major === 6 && minor >= 2))) throw new RedisTooOld(version)
  } catch (cause) {
    if (cause instanceof RedisTooOld) throw cause
    const place = "url" in target ? withoutCredentials(target.url) : target.path
    throw new RedisUnreachable(`Redis at ${place} cannot be used: ${messageOf(lastError ?? cause)}`, { cause })
  } finally {
    if (client.isOpen) client.destroy()
  }
}

/** One line when the way is lost and one when it is back, not one per try. */
function reportErrors(client: RedisClient, log: Log): void {
  let lost = false
  client.on("error", (cause) => {
    if (!lost) log.warn({ err: cause }, "the connection to Redis is lost")
    lost = true
  })
  client.on("ready", () => {
    if (lost) log.info("the connection to Redis is back")
    lost = false
  })
}

/** Lets answers under way arrive, but does not wait for a Redis that is away. */
async function closeClient(client: RedisClient): Promise<void> {
  if (!client.isOpen) return
  if (client.isReady) await atMost(client.close(), CLOSE_MS)
  if (client.isOpen) client.destroy()
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
