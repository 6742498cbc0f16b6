/** A node of this run's own, started as `npm start` does it, with everything it keeps in a folder that goes with it. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface OwnNode extends AsyncDisposable {
  /** Up to and including `/ocpp`. */
  readonly ocppUrl: string
  readonly graphqlUrl: string
  readonly token: string
}

/** Resolves once the node has said where it listens. @throws Error with its output when it ends before. */
export async function startOwnNode(): Promise<OwnNode> {
  await using cleaning = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), "busbar-conformance-"))
  cleaning.defer(() => rm(folder, { recursive: true, force: true }))
  const token = crypto.randomUUID()
  const child = Bun.spawn([process.execPath, "--no-orphans", join(import.meta.dir, "../../src/main.ts")], {
    // Where no .env says otherwise.
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOST: "127.0.0.1",
      OCPP_PORT: "0",
      HTTP_PORT: "0",
      DATA_DIR: folder,
      ADMIN_TOKEN: token,
      LOG_LEVEL: "warn",
      DRAIN_TIME: "0",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    // A terminal's Ctrl-C is for the run, which still needs the node to clean up.
    detached: true,
  })
  cleaning.defer(async () => {
    child.kill("SIGTERM")
    await child.exited
  })
  const [ocppUrl, graphqlUrl] = await welcomeOf(child)
  const kept = cleaning.move()
  return { ocppUrl, graphqlUrl, token, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The two URLs that a node prints at its start; goes on reading, so that the node never waits for its output. */
async function welcomeOf(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<[ocpp: string, graphql: string]> {
  const told = Promise.withResolvers<[string, string]>()
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    let output = ""
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true })
      const ocpp = /(ws:\/\/\S+\/ocpp)\//.exec(output)?.[1]
      const graphql = /(http:\/\/\S+\/graphql)\s/.exec(output)?.[1]
      if (ocpp !== undefined && graphql !== undefined) told.resolve([ocpp, graphql])
    }
    told.reject(new Error(`the node ended with ${await child.exited}:\n${output}`))
  }
  read().catch(told.reject)
  return told.promise
}
