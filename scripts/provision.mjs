// The servers that Busbar and its tests need from the system: found, or installed aloud, or named in one plain line.
import { spawnSync } from "node:child_process"
import { accessSync, constants, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { Missing, say } from "./say.mjs"

const servers = {
  redis: { find: findRedis, missing: "no REDIS_URL and no redis-server on PATH", apt: "redis-server", brew: "redis" },
  postgres: {
    find: findPostgres,
    missing: "the tests need the PostgreSQL server (initdb, postgres), which is not here",
    apt: "postgresql",
    brew: "postgresql@17",
  },
}

/** The path of redis-server or valkey-server, or undefined. */
export function findRedis() {
  return which("redis-server") ?? which("valkey-server")
}

/** The folder of PostgreSQL's server programs, or undefined. Debian and Homebrew keep them off PATH. */
export function findPostgres() {
  const folders = [
    ...path(),
    ...versions("/usr/lib/postgresql").map((version) => join(version, "bin")),
    ...["/opt/homebrew/opt", "/usr/local/opt"].flatMap((opt) =>
      versions(opt, "postgresql@").map((v) => join(v, "bin")),
    ),
  ]
  return folders.find((folder) => ["initdb", "postgres"].every((program) => isProgram(join(folder, program))))
}

/**
 * Makes sure the named servers are installed. A missing one is installed from the system's packages, aloud, when that
 * needs no password and BUSBAR_NO_PROVISION is not set.
 * @param {("redis" | "postgres")[]} names
 * @throws {Missing} says what is missing and the command that installs it
 */
export function provide(names) {
  for (const name of names) {
    const { find, missing, apt, brew } = servers[name]
    if (find()) continue
    const { command, allowed } = installer(apt, brew)
    if (!command) throw new Missing(`${missing}: install it with your system's package manager`)
    if (!allowed) throw new Missing(`${missing}: ${command}`)
    say(`${missing}; installing it (BUSBAR_NO_PROVISION=1 forbids this): ${command}`)
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    const { status } = spawnSync("/bin/sh", ["-c", command], { env, stdio: ["ignore", 2, 2] })
    if (status !== 0 || !find()) throw new Missing(`${missing}, and this did not help: ${command}`)
  }
}

/**
 * The command that installs a package here, and whether we may run it ourselves.
 * @param {string} apt @param {string} brew
 */
function installer(apt, brew) {
  const forbidden = (process.env.BUSBAR_NO_PROVISION ?? "0") !== "0"
  if (which("apt-get")) {
    const isRoot = process.getuid?.() === 0
    const sudo = isRoot ? "" : "sudo "
    const command = `${sudo}apt-get update && ${sudo}apt-get install -y ${apt}`
    return { command, allowed: !forbidden && (isRoot || spawnSync("sudo", ["-n", "true"]).status === 0) }
  }
  return which("brew") ? { command: `brew install ${brew}`, allowed: !forbidden } : { allowed: false }
}

function path() {
  return (process.env.PATH ?? "").split(delimiter).filter(Boolean)
}

/** @param {string} program */
function which(program) {
  return path()
    .map((folder) => join(folder, program))
    .find(isProgram)
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The entries of a folder, the highest version first; none if there is no such folder.
 * @param {string} folder
 */
function versions(folder, prefix = "") {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}
