/** A node in a process of its own, as `npm start` runs it, so that a test can kill it. */
import { fileURLToPath } from "node:url"

export interface ServerProcess extends AsyncDisposable {
  /** Up to and including `/ocpp`. @throws Error where the node has no listener for charge points. */
  readonly ocppUrl: string
  /** @throws Error where the node has no listener for people. */
  readonly graphqlUrl: string
  /** What says whether the node serves. */
  readonly readyUrl: string
  /** The token that the first start printed; undefined on later ones. */
  readonly firstToken: string | undefined
  readonly pid: number
  /** All that it has written to standard output so far. */
  readonly output: string
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>
  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void
  /** Resolves with the exit code. */
  readonly exited: Promise<number>
}

/** Starts a node on free ports and resolves once it has told where it listens. @throws when it ends before. */
export async function startServerProcess(
  environment: Record<string, string>,
  argv: readonly string[] = [],
  program = "src/main.ts",
): Promise<ServerProcess> {
  const child = Bun.spawn(
    [process.execPath, "--no-orphans", fileURLToPath(new URL(`../../${program}`, import.meta.url)), ...argv],
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
  const output = { text: "" }
  await readWelcome(child, output)
  const found = (pattern: RegExp): string => {
    const [, part] = pattern.exec(output.text) ?? []
    if (part === undefined) throw new Error(`the node did not say where it listens:\n${output.text}`)
    return part
  }
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    child.kill(signal)
    return child.exited
  }
  return {
    get readyUrl() {
      return found(/(http:\/\/\S+\/readyz)/)
    },
    get ocppUrl() {
      return found(/(ws:\/\/\S+\/ocpp)\//)
    },
    get graphqlUrl() {
      return found(/(http:\/\/\S+\/graphql)/)
    },
    get output() {
      return output.text
    },
    firstToken: /First token\s+(\S+)/.exec(output.text)?.[1],
    pid: child.pid,
    async kill() {
      await end("SIGKILL")
    },
    stop: () => end("SIGTERM"),
    signal: (signal) => child.kill(signal),
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL")
    },
  }
}

/** Reads until the welcome is complete, and goes on reading so that the node never blocks on its output. */
async function readWelcome(
  child: Bun.Subprocess<"ignore", "pipe", "inherit">,
  output: { text: string },
): Promise<void> {
  const told = Promise.withResolvers<void>()
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      output.text += decoder.decode(chunk, { stream: true })
      if (isComplete(output.text)) told.resolve()
    }
    told.reject(new Error(`the node ended with ${await child.exited} (${child.signalCode}):\n${output.text}`))
  }
  read().catch(told.reject)
  return told.promise
}

/** A node with an API ends its welcome by how to let a charge point in, others by where their data lies. */
const isComplete = (text: string): boolean =>
  /Busbar is (running|working)[\s\S]*\n {2}Data .*\n/.test(text) &&
  (!/\n {2}GraphQL /.test(text) || text.includes("createChargePoint"))
