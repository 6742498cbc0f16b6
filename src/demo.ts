/** The demo: a small fleet of simulated charge points beside the node, in a process of its own. */
import { join } from "node:path"
import type { App } from "./app.ts"
import type { Log } from "./log.ts"

const CHARGE_POINTS = 12

/** Starts the fleet against this node; disposing stops it. @throws Error when the node does not hold both listeners. */
export async function startDemo(app: App, log: Log): Promise<AsyncDisposable> {
  if (app.ocppPort === undefined || !app.roles.includes("api"))
    throw new Error("--demo needs the roles gateway and api on this node")
  const child = Bun.spawn(
    [
      process.execPath,
      "bench/simulate.ts",
      ...["--url", `ws://127.0.0.1:${app.ocppPort}/ocpp`],
      ...["--graphql", `http://127.0.0.1:${app.httpPort}/graphql`],
      ...["--chargers", String(CHARGE_POINTS), "--prefix", "DEMO-", "--session-every", "30", "--report-every", "60"],
      "--stop-with-stdin",
    ],
    {
      cwd: join(import.meta.dir, ".."),
      env: { PATH: process.env["PATH"] ?? "", SIMULATE_TOKEN: await app.helperToken("demo") },
      stdin: "pipe",
      stdout: "inherit",
      stderr: "inherit",
    },
  )
  log.info({ chargePoints: CHARGE_POINTS, pid: child.pid }, "the demo fleet is starting")
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.end()
      await child.exited
    },
  }
}
