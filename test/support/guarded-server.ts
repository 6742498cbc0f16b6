/** A server program run as a child that cannot outlive the tests, however they end, and leaves no folder behind. */
import { mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export type GuardedServer = {
  /** Ends the server as a crash would; what it kept on disk stays. */
  kill(): Promise<void>
  /** Starts the server, again if it runs, on what it kept on disk; resolves when it takes connections. */
  restart(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A new empty folder for a server's data; a stopped server takes it along. */
export function serverFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `busbar-test-${name}-`))
}

export type ServerPlan = {
  /** from `serverFolder`; the server runs in it */
  folder: string
  /** run once before the first start */
  prepare?: string[]
  command: string[]
  /** the signal that ends the server at once */
  crash: "SIGKILL" | "SIGQUIT"
}

/** Starts a server and waits until it takes connections. Throws with the server's own words if it exits instead. */
export async function startGuarded(plan: ServerPlan): Promise<GuardedServer> {
  const guard = Bun.spawn([process.execPath, join(import.meta.dir, "guard.ts"), JSON.stringify(plan)], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true, // Ctrl-C reaches the whole process group of a terminal, and must not reach the guard
  })
  guard.unref()
  const answers = guard.stdout.pipeThrough(new TextDecoderStream()).getReader()

  const order = async (word: "start" | "kill") => {
    guard.stdin.write(`${word}\n`)
    await guard.stdin.flush()
    let line = ""
    while (!line.endsWith("\n")) {
      const { done, value } = await answers.read()
      if (done) throw new Error(`the guard of ${plan.command[0]} is gone`)
      line += value
    }
    const problem: string = JSON.parse(line)
    if (problem) throw new Error(`${plan.command.join(" ")} ${problem}`)
  }
  const stop = async () => {
    await guard.stdin.end()
    await guard.exited
  }
  try {
    await order("start")
  } catch (error) {
    await stop()
    throw error
  }
  return { kill: () => order("kill"), restart: () => order("start"), stop, [Symbol.asyncDispose]: stop }
}

/**
 * A TCP port nobody listens on, below the range from which the kernel takes ports for outgoing connections: a server
 * that is down for a moment gets it back.
 */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })
  return free ? port : freePort()
}
