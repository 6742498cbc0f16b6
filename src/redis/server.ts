/** A redis-server of our own: started on a unix socket in the data folder, restarted when it dies, ended with us. */
import { mkdirSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { dirname, join, resolve } from "node:path"
import type { Log } from "../log.ts"
import { RedisInUse, RedisMissing, RedisUnreachable } from "./errors.ts"
import { socketPathFor } from "./socket-path.ts"

export interface ManagedServer extends AsyncDisposable {
  readonly socketPath: string
  /** The process id of the running server; undefined between its death and its restart. */
  pid(): number | undefined
}

// A node that was killed takes its server along, but not in the same instant.
const PREDECESSOR_MS = 2_000
const POLL_MS = 10
const FIRST_BACK_OFF_MS = 100
const MAX_BACK_OFF_MS = 5_000
const STOP_MS = 10_000

/**
 * Starts the server and waits until it has loaded its data and answers.
 * @throws RedisMissing, RedisInUse, RedisUnreachable
 */
export async function startServer({ dataDir, log }: { dataDir: string; log: Log }): Promise<ManagedServer> {
  const path = { PATH: process.env["PATH"] ?? "" }
  const program = Bun.which("redis-server", path) ?? Bun.which("valkey-server", path)
  if (program === null) throw new RedisMissing()
  const folder = join(resolve(dataDir), "redis")
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const socketPath = socketPathFor(folder)
  await untilFree(socketPath)

  let stopping = false
  let child = spawnServer(program, folder, socketPath)
  await untilAnswering(child, folder, socketPath)

  const supervise = async () => {
    let backOffMs = FIRST_BACK_OFF_MS
    for (;;) {
      const code = await child.exited
      if (stopping) return
      log.error({ code, restartInMs: backOffMs }, "redis-server ended by itself")
      await Bun.sleep(backOffMs)
      if (stopping) return
      child = spawnServer(program, folder, socketPath)
      const answers = await untilAnswering(child, folder, socketPath).then(
        () => true,
        () => false,
      )
      backOffMs = answers ? FIRST_BACK_OFF_MS : Math.min(2 * backOffMs, MAX_BACK_OFF_MS)
      if (answers) log.info("redis-server is back")
    }
  }
  const supervision = supervise()

  return {
    socketPath,
    pid: () => (child.exitCode === null && child.signalCode === null ? child.pid : undefined),
    async [Symbol.asyncDispose]() {
      stopping = true
      // SIGTERM lets it write what it still holds to its append-only file.
      child.kill("SIGTERM")
      const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_MS)
      await child.exited
      clearTimeout(impatience)
      await supervision
      if (dirname(socketPath) !== folder) rmSync(dirname(socketPath), { recursive: true, force: true })
    },
  }
}

function spawnServer(program: string, folder: string, socketPath: string): Bun.Subprocess {
  rmSync(socketPath, { force: true })
  const options = {
    port: "0",
    unixsocket: socketPath,
    unixsocketperm: "700",
    dir: folder,
    logfile: join(folder, "redis.log"),
    loglevel: "warning",
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
    // So often it wakes up by itself: delayed jobs fire at most 40 ms after their time.
    hz: "25",
  }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  // Detached: Ctrl-C reaches the whole process group of a terminal, and must not stop the server before we are done.
  return Bun.spawn([program, ...flags], { cwd: folder, detached: true, stdio: ["ignore", "ignore", "ignore"] })
}

async function untilFree(socketPath: string): Promise<void> {
  const deadline = performance.now() + PREDECESSOR_MS
  while ((await ping(socketPath)) !== undefined) {
    if (performance.now() > deadline) throw new RedisInUse(socketPath)
    await Bun.sleep(POLL_MS)
  }
}

/** Waits as long as it takes to load the data: a large append-only file is no failure, an exit is. */
async function untilAnswering(child: Bun.Subprocess, folder: string, socketPath: string): Promise<void> {
  while ((await ping(socketPath)) !== "+PONG") {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new RedisUnreachable(`redis-server does not start, see ${join(folder, "redis.log")}`)
    await Bun.sleep(POLL_MS)
  }
}

/** The first line a server answers to PING (+PONG, or an error while it loads); undefined when nobody listens. */
function ping(socketPath: string): Promise<string | undefined> {
  return new Promise((answer) => {
    const socket = connect(socketPath)
    const end = (line: string | undefined) => {
      socket.destroy()
      answer(line)
    }
    socket.setTimeout(1_000, () => end("")) // somebody listens and does not speak
    socket.once("connect", () => socket.write("PING\r\n"))
    socket.once("data", (bytes) => end(bytes.toString().split("\r\n")[0]))
    socket.once("error", () => end(undefined))
    socket.once("close", () => answer(undefined))
  })
}
