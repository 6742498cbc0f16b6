/** A whole node in this process, as a user starts it: managed Redis, SQLite in a folder of its own, free ports. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startApp } from "../../src/app.ts"
import { readConfig } from "../../src/config.ts"
import { createLog } from "../../src/log.ts"
import type { Clock } from "../../src/services/ports.ts"

export interface TestNode extends AsyncDisposable {
  /** Up to and including `/ocpp`. */
  readonly ocppUrl: string
  readonly graphqlUrl: string
  /** Of an ADMIN. */
  readonly token: string
  /** Where its database and its Redis lie. */
  readonly dataDir: string
}

const TOKEN = "the-token-of-every-test-node"

/** Starts a node; `environment` is added to what a test needs. `clock` is the node's, the real one unless told. */
export async function startTestNode(environment: Record<string, string> = {}, clock?: Clock): Promise<TestNode> {
  const folder = await mkdtemp(join(tmpdir(), "busbar-node-"))
  const config = readConfig({
    HOST: "127.0.0.1",
    OCPP_PORT: "0",
    HTTP_PORT: "0",
    DATA_DIR: folder,
    ADMIN_TOKEN: TOKEN,
    DRAIN_TIME: "0",
    LOG_LEVEL: process.env["TEST_LOG_LEVEL"] ?? "error",
    ...environment,
  })
  const app = await startApp(config, createLog(config.LOG_LEVEL), clock).catch(async (cause: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw cause
  })
  return {
    ocppUrl: `ws://127.0.0.1:${app.ocppPort}/ocpp`,
    graphqlUrl: `http://127.0.0.1:${app.httpPort}/graphql`,
    token: config.ADMIN_TOKEN ?? TOKEN,
    dataDir: folder,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
