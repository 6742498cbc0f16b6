/** A real Redis server for a test, on a port of its own, that keeps an append-only file as the embedded one does. */
import { findRedis } from "../../scripts/provision.mjs"
import { freePort, type GuardedServer, serverFolder, startGuarded } from "./guarded-server.ts"

export type RedisServer = GuardedServer & {
  /** `redis://127.0.0.1:…` */
  readonly url: string
}

/** Starts an empty Redis server; its port and data survive `kill()` and `restart()`. */
export async function startRedis(): Promise<RedisServer> {
  const program = findRedis()
  if (!program) throw new Error("no redis-server on PATH")
  const folder = serverFolder("redis")
  const port = await freePort()
  const command = [program, "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--maxmemory-policy"]
  command.push("noeviction", "--appendonly", "yes", "--appendfsync", "everysec", "--hz", "100")
  const server = await startGuarded({ folder, command, crash: "SIGKILL" })
  return { ...server, url: `redis://127.0.0.1:${port}` }
}
