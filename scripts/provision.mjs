// The programs that Busbar and its tests need from the system: found, or installed aloud, or named in one plain line.
import { spawnSync } from "node:child_process"
import { accessSync, constants, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { Missing, say } from "./say.mjs"

const programs = {
  redis: { find: findRedis, missing: "no REDIS_URL and no redis-server on PATH", apt: "redis-server", brew: "redis" },
  postgres: {
    find: findPostgres,
    missing: "the tests need the PostgreSQL server (initdb, postgres), which is not here",
    apt: "postgresql",
    brew: "postgresql@17",
  },
  chromium: {
    find: findChromium,
    missing: "the tests need a browser (Chromium or Chrome), which is not here",
    apt: "chromium",
    brew: "google-chrome",
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

/** The path of Chromium or Chrome, or undefined. macOS keeps them off PATH. */
export function findChromium() {
  // The last name is on Ubuntu a script that only asks for a snap.
  const onPath = ["chromium", "google-chrome", "chromium-browser"].map(which).find(Boolean)
  const apps = ["Chromium", "Google Chrome"].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`)
  return onPath ?? apps.find(isProgram)
}

/**
 * Makes sure the named programs are installed. Missing ones are installed together from the system's packages, aloud,
 * when that needs no password and BUSBAR_NO_PROVISION is not set.
 * @param {("redis" | "postgres" | "chromium")[]} names
 * @throws {Missing} says what is missing and the command that installs it
 */
export function provide(names) {
  const wanted = names.map((name) => programs[name]).filter(({ find }) => !find())
  if (wanted.length === 0) return
  const missing = wanted.map((program) => program.missing).join("; ")
  const { command, allowed } = installer(wanted)
  if (!command) throw new Missing(`${missing}: install with your system's package manager`)
  if (!allowed) throw new Missing(`${missing}: ${command}`)
  say(`${missing}; installing (BUSBAR_NO_PROVISION=1 forbids this): ${command}`)
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const { status } = spawnSync("/bin/sh", ["-c", command], { env, stdio: ["ignore", 2, 2] })
  if (status !== 0 || !wanted.every(({ find }) => find()))
    throw new Missing(`${missing}, and this did not help: ${command}`)
}

/**
 * The command that installs programs here, and whether we may run it ourselves.
 * @param {{ apt: string, brew: string }[]} wanted
 */
function installer(wanted) {
  const forbidden = (process.env.BUSBAR_NO_PROVISION ?? "0") !== "0"
  if (which("apt-get")) {
    const isRoot = process.getuid?.() === 0
    const sudo = isRoot ? "" : "sudo "
    const packages = wanted.map(({ apt }) => apt).join(" ")
    const command = `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages}`
    return { command, allowed: !forbidden && (isRoot || spawnSync("sudo", ["-n", "true"]).status === 0) }
  }
  const formulas = wanted.map(({ brew }) => brew).join(" ")
  return which("brew") ? { command: `brew install ${formulas}`, allowed: !forbidden } : { allowed: false }
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
