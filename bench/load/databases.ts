/** PostgreSQL and Redis of a run's own, where a scenario needs them and none is given. */
import { spawnSync } from "node:child_process"
import { accessSync, chownSync, constants, readdirSync } from "node:fs"
import { createServer } from "node:net"
import { delimiter, join } from "node:path"
import type { Watched } from "./process-meter.ts"
import { boundToRun, startProgram } from "./programs.ts"
import { scratchFolder } from "./scratch.ts"
import { stopping } from "./stopping.ts"

/** Nodes that share a database want to be told it. */
const SECRET_KEY = "a key for one run of the bench"

export interface Database extends AsyncDisposable {
  readonly url: string
  readonly watched: readonly Watched[]
}

/** What a node finds in its environment to keep its facts there. */
export const onPostgres = ({ url }: Database) => ({ DATABASE_URL: url, SECRET_KEY })

/** What several nodes have in common. */
export interface Cluster extends AsyncDisposable {
  readonly redis: Database
  readonly postgres: Database
  /** What each of them finds in its environment. */
  readonly environment: Record<string, string>
}

/** Starts it; `url` as with `startPostgres`. @throws NotHere */
export async function startCluster(url?: string): Promise<Cluster> {
  await using open = new AsyncDisposableStack()
  const redis = open.use(await startRedis())
  const postgres = open.use(await startPostgres(url))
  const environment = {
    ...onPostgres(postgres),
    REDIS_URL: redis.url,
    ADMIN_TOKEN: `bench-${crypto.randomUUID()}`,
  }
  const kept = open.move()
  return { redis, postgres, environment, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** What the machine lacks for a scenario. */
export class NotHere extends Error {
  override readonly name = "NotHere"
}

/**
 * An empty server that keeps every commit on disk before it says so. With `url` that one is used: it must be empty.
 * @throws NotHere without PostgreSQL's programs
 */
export async function startPostgres(url?: string): Promise<Database> {
  if (url !== undefined) return { url, watched: [], [Symbol.asyncDispose]: async () => undefined }
  const programs = postgresPrograms()
  if (programs === undefined) throw new NotHere("PostgreSQL's server programs (initdb, postgres) are not here")
  await using cleaning = new AsyncDisposableStack()
  const { path: folder } = cleaning.use(await scratchFolder("postgres"))
  const [data, asOwner, port] = [join(folder, "data"), ownerOf(folder), await freePort()]
  const initdb = [...boundToRun("SIGTERM"), ...asOwner, join(programs, "initdb")]
  const plan = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
  // Not a second in which no signal is heard.
  const made = Bun.spawn([...initdb, ...plan], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    signal: stopping,
  })
  const words = await made.stderr.text()
  const code = await made.exited
  stopping.throwIfAborted()
  if (code !== 0) throw new NotHere(`initdb: ${words}`)
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "", max_connections: 200 }
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const program = cleaning.use(
    await startProgram({
      command: [...asOwner, join(programs, "postgres"), "-D", data, ...flags],
      cwd: folder,
      ready: /ready to accept connections/,
      // "Fast": without waiting for clients to leave.
      stopSignal: "SIGINT",
      // "Immediate": its processes go too.
      endSignal: "SIGQUIT",
    }),
  )
  const kept = cleaning.move()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    watched: [{ name: "postgres", pid: program.pid, tree: true }],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** An empty server on a free port. @throws NotHere without a program */
export async function startRedis(): Promise<Database> {
  const binary = Bun.which("redis-server") ?? Bun.which("valkey-server")
  if (binary === null) throw new NotHere("there is no redis-server on PATH")
  await using cleaning = new AsyncDisposableStack()
  const { path: folder } = cleaning.use(await scratchFolder("redis"))
  const port = await freePort()
  const program = cleaning.use(
    await startProgram({
      command: [binary, "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes"],
      cwd: folder,
      ready: /eady to accept connections/,
    }),
  )
  const kept = cleaning.move()
  return {
    url: `redis://127.0.0.1:${port}`,
    watched: [{ name: "redis", pid: program.pid }],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The folder of initdb and postgres, which Debian and Homebrew keep off PATH. */
function postgresPrograms(): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...within("/usr/lib/postgresql").map((version) => join(version, "bin")),
    ...within("/opt/homebrew/opt").map((formula) => join(formula, "bin")),
  ]
  return folders.find((folder) => ["initdb", "postgres"].every((program) => isProgram(join(folder, program))))
}

function within(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^\d+$|^postgresql/.test(name))
    return names.sort((a, b) => b.localeCompare(a, "en", { numeric: true })).map((name) => join(folder, name))
  } catch {
    return []
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** PostgreSQL refuses to run as root: gives the folder to another user, and the words that make a command that user's. */
function ownerOf(folder: string): string[] {
  if (process.getuid?.() !== 0) return []
  const idOf = (flag: string, user: string) => Number(spawnSync("id", [flag, user]).stdout.toString() || Number.NaN)
  const user = Number.isNaN(idOf("-u", "postgres")) ? "nobody" : "postgres"
  const [uid, gid] = [idOf("-u", user), idOf("-g", user)]
  chownSync(folder, uid, gid)
  // With another user's rights a process forgets what binds it to us, unless it is told to keep that.
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--pdeathsig", "keep"]
}

/** A TCP port nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}
