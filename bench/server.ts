/** A node started for one measurement, in a process of its own, with a folder that goes with it. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface OwnServer extends AsyncDisposable {
  /** Up to and including `/ocpp`. */
  readonly ocpp: string
  readonly graphql: string
  /** Of an administrator. */
  readonly token: string
}

const PROGRAM = join(import.meta.dir, "..", "src", "main.ts")

/** Starts a node on free ports with its own data and Redis. @throws Error with the node's own words when it ends instead */
export async function startServer(): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), "busbar-bench-"))
  const token = crypto.randomUUID()
  const child = Bun.spawn([process.execPath, "--no-orphans", PROGRAM], {
    env: {
      ...{ PATH: process.env["PATH"], HOST: "127.0.0.1", OCPP_PORT: "0", HTTP_PORT: "0", LOG_LEVEL: "warn" },
      ...{ DATA_DIR: folder, ADMIN_TOKEN: token },
    },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const stop = async () => {
    child.kill("SIGTERM")
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return { ...(await addressesFrom(child.stdout)), token, [Symbol.asyncDispose]: stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

/** Where it listens, as its welcome says; what it says after that is read and dropped, so that it never blocks. */
async function addressesFrom(output: ReadableStream<Uint8Array>): Promise<{ ocpp: string; graphql: string }> {
  const told = Promise.withResolvers<{ ocpp: string; graphql: string }>()
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    let text = ""
    for await (const bytes of output) {
      text = (text + decoder.decode(bytes, { stream: true })).slice(-20_000)
      const ocpp = /(ws:\/\/\S+\/ocpp)\//.exec(text)?.[1]
      const graphql = /(http:\/\/\S+\/graphql)/.exec(text)?.[1]
      if (ocpp !== undefined && graphql !== undefined) told.resolve({ ocpp, graphql })
    }
    told.reject(new Error(`the node ended before it served:\n${text}`))
  }
  read().catch(told.reject)
  return told.promise
}
