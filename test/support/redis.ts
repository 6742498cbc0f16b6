/** A real Redis server for a test, on a port of its own, that keeps an append-only file as the embedded one does. */
import { cp, rm } from "node:fs/promises"
import { join } from "node:path"
import { findRedis } from "../../scripts/provision.mjs"
import { freePort, type GuardedServer, serverFolder, startGuarded } from "./guarded-server.ts"

export type RedisServer = GuardedServer & {
  /** `redis://127.0.0.1:…` */
  readonly url: string
  /** A copy of what it has on disk by now, as a backup takes it. */
  backup(): Promise<string>
  /** While it is down: puts such a copy under it, or nothing at all. */
  restore(copy?: string): Promise<void>
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
  const data = join(folder, "appendonlydir")
  let copies = 0
  return {
    ...server,
    url: `redis://127.0.0.1:${port}`,
    async backup() {
      const copy = join(folder, `copy-${++copies}`)
      await cp(data, copy, { recursive: true })
      return copy
    },
    async restore(copy) {
      await rm(data, { recursive: true })
      if (copy !== undefined) await cp(copy, data, { recursive: true })
    },
  }
}
