// Runs a program of this project with the Bun of its lockfile, on a machine that has only Node and npm:
//   node scripts/run.mjs [flags of bun] file [arguments]
// Sets up first, aloud, whatever that program needs and this machine does not have yet.
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { bun, install, root } from "./install.mjs"
import { provide } from "./provision.mjs"
import { Missing, say } from "./say.mjs"

const args = process.argv.slice(2)

try {
  install()
  provide(programsFor(args))
} catch (error) {
  if (!(error instanceof Missing)) throw error
  say(error.message)
  process.exit(1)
}

// Bun's allocator gives unused memory back after a tenth of a second, only to take it again, page by page: under load a
// fifth of a node's CPU went there. After these (ms) a node that has become idle is as small as before. And a thread of
// its own makes fresh pages ready in advance: with two cores it takes the time of the threads that it is to serve, up to
// a tenth of all. Bun reads them when the process begins, so that the process itself cannot say so.
const memory = {
  MIMALLOC_PURGE_DELAY: "5000",
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "5000",
  BUN_JSC_useWarmUpMarkedBlocks: "0",
}

const child = spawn(bun, args, { cwd: root, stdio: "inherit", env: { ...memory, ...process.env } })
// A service manager signals only us. In a terminal the child hears Ctrl-C twice: from the terminal and from here.
const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
for (const signal of signals) process.on(signal, () => child.kill(signal))
child.on("error", (error) => {
  say(error.message)
  process.exitCode = 1
})
child.on("exit", (code, signal) => {
  if (!signal) return process.exit(code)
  for (const forwarded of signals) process.removeAllListeners(forwarded)
  process.kill(process.pid, signal) // so that whoever started us sees the same end
})

/**
 * @param {string[]} args
 * @returns {("redis" | "postgres" | "chromium")[]}
 */
function programsFor(args) {
  const program = args.find((arg) => !arg.startsWith("-"))
  if (program === "scripts/test.ts") return ["redis", "postgres", "chromium"]
  // A conformance run without URLs starts a node of its own, which runs its own Redis.
  const ownNode = program === "bench/conformance/run.ts" && !process.env.CONFORMANCE_GRAPHQL_URL
  if (ownNode) return args.some((arg) => /^(--graphql|--help)/.test(arg)) ? [] : ["redis"]
  // A benchmark without a target starts its own nodes too, and those on PostgreSQL where it is asked for.
  if (program === "bench/bench.ts") return benchPrograms(args)
  const isNode = program === "src/main.ts" || program === "workers/main.ts"
  return isNode && !args.includes("--help") && !args.includes("-h") && !hasRedisUrl() ? ["redis"] : []
}

/**
 * @param {string[]} args
 * @returns {("redis" | "postgres")[]}
 */
function benchPrograms(args) {
  if (args.some((arg) => /^(--graphql|--help|-h)/.test(arg))) return []
  return args.some((arg) => /postgres|both/.test(arg)) ? ["redis", "postgres"] : ["redis"]
}

/** Bun reads .env files, Node does not. */
function hasRedisUrl() {
  if (process.env.REDIS_URL) return true
  const files = [".env", ".env.local"].map((file) => join(root, file)).filter((file) => existsSync(file))
  return files.some((file) => /^\s*(export\s+)?REDIS_URL\s*=\s*[^\s#]/m.test(readFileSync(file, "utf8")))
}
