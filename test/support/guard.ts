/**
 * The parent of a test's server: `bun guard.ts '{"folder": …}'`, started by `guarded-server.ts`.
 * It obeys the lines `start` and `kill` on its stdin and answers each with a line: empty, or what went wrong. When its
 * stdin ends, because the test is done or its process is gone, it ends the server with its signal and removes the folder.
 */
import { rm } from "node:fs/promises"
import type { ServerPlan } from "./guarded-server.ts"

const { folder, prepare, command, crash }: ServerPlan = JSON.parse(process.argv[2] ?? "")

const spawn = (command: string[]) => Bun.spawn(command, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
let server: ReturnType<typeof spawn> | undefined
let prepared = prepare === undefined

/** Resolves when the server takes connections, which Redis and PostgreSQL announce with the same words. */
async function start(): Promise<string> {
  if (prepare && !prepared) {
    const preparation = spawn(prepare)
    if ((await preparation.exited) !== 0) return `is not prepared: ${await preparation.stderr.text()}`
    prepared = true
  }
  const started = spawn(command)
  server = started
  const { promise, resolve } = Promise.withResolvers<string>()
  let output = ""
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) {
      output = (output + decoder.decode(bytes, { stream: true })).slice(-10_000)
      if (output.includes("eady to accept connections")) resolve("")
    }
  }
  const ended = Promise.all([follow(started.stdout), follow(started.stderr), started.exited])
  return Promise.race([promise, ended.then(() => `exited: ${output}`)])
}

async function kill(): Promise<string> {
  server?.kill(crash)
  await server?.exited
  server = undefined
  return ""
}

// The test runner ends the children a file left behind with SIGTERM; ours is the end of stdin, which comes with it.
process.on("SIGTERM", () => undefined)
process.stdout.on("error", () => undefined) // nobody is left to hear the answer

for await (const order of console) {
  if (order === "") break // the end of stdin
  await kill()
  const answer = order === "start" ? await start() : ""
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await kill()
await rm(folder, { recursive: true, force: true })
