/** A real PostgreSQL server for tests: one that the whole run shares, a fresh database each; or one of a test's own. */
import { spawnSync } from "node:child_process"
import { chownSync } from "node:fs"
import { join } from "node:path"
import { SQL } from "bun"
import { findPostgres } from "../../scripts/provision.mjs"
import { freePort, type GuardedServer, serverFolder, startGuarded } from "./guarded-server.ts"

export type PostgresServer = GuardedServer & {
  /** `postgres://postgres@127.0.0.1:…/postgres`, the superuser's own database */
  readonly url: string
}

/** Where `scripts/test.ts` tells the address of the run's shared server: a unix socket that speaks HTTP. */
export const sharedServerSocket = "BUSBAR_TEST_POSTGRES"

/**
 * Starts an empty PostgreSQL server; its port and data survive `kill()` and `restart()`.
 * Commits survive a kill in any case; `durable` makes them reach the disk too, at a disk's speed.
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const programs = findPostgres()
  if (!programs) throw new Error("no PostgreSQL server programs (initdb, postgres) found")
  const folder = serverFolder("postgres")
  const data = join(folder, "data")
  const asOwner = ownerOf(folder)
  const initdb = [...asOwner, join(programs, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
  initdb.push("--locale=C.UTF-8", "--no-sync", "--no-instructions")

  const port = await freePort()
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "", max_connections: 300 }
  const speed = durable ? {} : { fsync: "off", full_page_writes: "off" }
  const flags = Object.entries({ ...settings, ...speed }).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const command = [...asOwner, join(programs, "postgres"), "-D", data, ...flags]
  // QUIT is PostgreSQL's own crash: no checkpoint, recovery at the next start, and no child process left behind.
  const server = await startGuarded({ folder, prepare: initdb, command, crash: "SIGQUIT" })
  return { ...server, url: `postgres://postgres@127.0.0.1:${port}/postgres` }
}

/**
 * The `postgres://` URL of a new empty database on the shared server. `test/preload.ts` drops it after the test file
 * that asked for it.
 */
export async function freshDatabase(): Promise<string> {
  const url = new URL(await sharedUrl())
  await using sql = new SQL(url.href, { max: 1 })
  const [{ version }] = await sql`SELECT current_setting('server_version_num')::int AS version`
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`
  // Copying files is several times faster than writing the copy to the log; before version 15 there was no choice.
  await sql.unsafe(`CREATE DATABASE ${name} TEMPLATE template0 ${version >= 150_000 ? "STRATEGY file_copy" : ""}`)
  databases.push(name)
  url.pathname = name
  return url.href
}

const databases: string[] = []

/** Drops what `freshDatabase` made; a database that a test left connections to stays until the server goes. */
export async function dropDatabases(): Promise<void> {
  if (databases.length === 0) return
  await using sql = new SQL(await sharedUrl(), { max: 1 })
  for (const name of databases.splice(0)) await sql.unsafe(`DROP DATABASE ${name}`).catch(() => undefined)
}

let own: Promise<PostgresServer> | undefined

async function sharedUrl(): Promise<string> {
  const unix = process.env[sharedServerSocket]
  if (unix) return (await fetch("http://localhost/", { unix })).text()
  own ??= startPostgres()
  return (await own).url
}

/** PostgreSQL refuses to run as root: gives the folder to another user, and the command prefix that becomes that user. */
function ownerOf(folder: string): string[] {
  if (process.getuid?.() !== 0) return []
  const idOf = (flag: string, user: string) => Number(spawnSync("id", [flag, user]).stdout.toString() || Number.NaN)
  const user = Number.isNaN(idOf("-u", "postgres")) ? "nobody" : "postgres"
  const [uid, gid] = [idOf("-u", user), idOf("-g", user)]
  chownSync(folder, uid, gid)
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"]
}
