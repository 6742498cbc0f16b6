/** A node in a process of its own, as `npm start` runs it, so that a test can kill it. */
import { fileURLToPath } from "node:url"

export interface ServerProcess extends AsyncDisposable {
  /** Up to and including `/ocpp`. */
  ocppUrl: string
  graphqlUrl: string
  /** The token that the first start printed; undefined on later ones. */
  firstToken: string | undefined
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>
}

/** Starts a node on free ports and resolves once it has told where it listens. @throws when it ends before. */
export async function startServerProcess(
  environment: Record<string, string>,
  argv: readonly string[] = [],
): Promise<ServerProcess> {
  const child = Bun.spawn(
    [process.execPath, "--no-orphans", fileURLToPath(new URL("../../src/main.ts", import.meta.url)), ...argv],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOST: "127.0.0.1",
        OCPP_PORT: "0",
        HTTP_PORT: "0",
        LOG_LEVEL: "warn",
        ...environment,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    },
  )
  const welcome = await readWelcome(child.stdout)
  const found = (pattern: RegExp): string | undefined => pattern.exec(welcome)?.[1]
  const ocppUrl = found(/(ws:\/\/\S+\/ocpp)\//)
  const graphqlUrl = found(/(http:\/\/\S+\/graphql)/)
  if (ocppUrl === undefined || graphqlUrl === undefined) {
    child.kill("SIGKILL")
    throw new Error(`the node did not say where it listens:\n${welcome}`)
  }
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    child.kill(signal)
    return child.exited
  }
  return {
    ocppUrl,
    graphqlUrl,
    firstToken: found(/First token\s+(\S+)/),
    async kill() {
      await end("SIGKILL")
    },
    stop: () => end("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL")
    },
  }
}

/** Reads until the welcome's last line, and goes on reading so that the node never blocks on its output. */
async function readWelcome(output: ReadableStream<Uint8Array>): Promise<string> {
  const told = Promise.withResolvers<string>()
  let text = ""
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of output) {
      text += decoder.decode(chunk, { stream: true })
      if (/Busbar is running[\s\S]*createChargePoint/.test(text)) told.resolve(text)
    }
    told.reject(new Error(`the node ended:\n${text}`))
  }
  read().catch(told.reject)
  return told.promise
}
