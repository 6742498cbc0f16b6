/** A run of the bench that is ended in its middle leaves nothing behind, wherever that is. */
import { expect, test } from "bun:test"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ask } from "../../bench/load/enrol.ts"
import { childrenOf } from "../../bench/load/process-meter.ts"
import { startTestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

/** Several servers are started one after the other: on a busy machine that takes its time. */
const PATIENCE_MS = 120_000

/** A run whose data, and whose processes' data, lie in a folder of its own. */
function startRun(...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "busbar-test-bench-"))
  chmodSync(folder, 0o755) // PostgreSQL runs as another user, where the run is root's
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../bench/bench.ts"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const output = Promise.all([child.stdout.text(), child.stderr.text()])
  return {
    child,
    folder,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM")
      await output
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Empty for one that has ended, also while nobody has asked for its exit code. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return ""
  }
}

const descendantsOf = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])

const ON_POSTGRES = ["meter-values", "--store", "postgres", "--chargers", "4", "--seconds", "30", "--no-peers"]
const ACROSS_NODES = ["idle-memory", "--chargers", "4", "--seconds", "1"]
const GENERATOR = [/generator\.ts/]
const DATABASES = [/postgres -D/, /redis-server/]

test.concurrent.each<[NodeJS.Signals, string, RegExp[], string[]]>([
  ["SIGTERM", "while PostgreSQL's folder is made", [/initdb/], ON_POSTGRES],
  ["SIGTERM", "while PostgreSQL starts", [/postgres -D/], ON_POSTGRES],
  ["SIGINT", "under load on PostgreSQL", [...DATABASES, ...GENERATOR], ON_POSTGRES],
  ["SIGKILL", "under load on PostgreSQL", [...DATABASES, ...GENERATOR], ON_POSTGRES],
  ["SIGTERM", "with several nodes", [...DATABASES, ...GENERATOR, /main\.ts[\s\S]*main\.ts/], ACROSS_NODES],
])(
  "%s %s ends everything that the run has started",
  async (signal, _, running, args) => {
    await using run = startRun(...args)
    const seen = new Set<number>()
    await until(
      `all of ${running.join()} run`,
      () => {
        const pids = descendantsOf(run.child.pid)
        for (const pid of pids) seen.add(pid)
        const lines = pids.map(commandLineOf).join("\n")
        return running.every((pattern) => pattern.test(lines))
      },
      PATIENCE_MS,
    )
    run.child.kill(signal)
    expect(await run.child.exited).toBe(signal === "SIGKILL" ? 137 : 130)
    await until("all of them are gone", () => [...seen].every((pid) => commandLineOf(pid) === ""))
    if (signal !== "SIGKILL") expect(readdirSync(run.folder)).toEqual([])
  },
  PATIENCE_MS,
)

// By itself: beside the runs above its node would have to start on a machine that is under full load.
test(
  "a run that is stopped while it makes its charge points takes them away again",
  async () => {
    await using node = await startTestNode()
    const where = ["--ocpp", node.ocppUrl, "--graphql", node.graphqlUrl, "--token", node.token]
    await using run = startRun("heartbeat", "--chargers", "100000", ...where)
    const chargePoints = async () => {
      const query = "{ chargePoints(first: 1) { edges { node { identity } } } }"
      return (await ask<{ chargePoints: { edges: unknown[] } }>(node, query)).chargePoints.edges
    }
    await until("the first is there", async () => (await chargePoints()).length > 0)
    run.child.kill("SIGTERM")
    expect(await run.child.exited).toBe(130)
    expect(await chargePoints()).toEqual([])
  },
  PATIENCE_MS,
)
