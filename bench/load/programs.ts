/** Programs that a run starts and ends: each says on its output when it is ready. */

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** What the pattern of readiness found. */
  readonly ready: RegExpExecArray
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface ProgramPlan {
  command: readonly string[]
  /** What it finds in its environment beside PATH, HOME and the like. */
  environment?: Record<string, string>
  cwd?: string
  /** What it says when it is ready. */
  ready: RegExp
  /** What ends it in order. */
  stopSignal?: NodeJS.Signals
}

/** How long an orderly end may take, ms. */
const PATIENCE_MS = 15_000

/** Where things are, and how Bun keeps memory: every program runs as `npm start` lets a node run. */
function passedOn(): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR } = process.env
  const memory = Object.entries(process.env).filter(([name]) => /^(MIMALLOC|BUN_JSC)_/.test(name))
  return { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...Object.fromEntries(memory) }
}

/** Resolves when the program is ready. @throws Error with its output when it ends before */
export async function startProgram({
  command,
  environment = {},
  cwd,
  ready,
  stopSignal = "SIGTERM",
}: ProgramPlan): Promise<Program> {
  const child = Bun.spawn([...command], {
    env: { ...passedOn(), ...environment },
    ...(cwd !== undefined && { cwd }),
    // Its end tells a program that the run is gone, however that came.
    stdio: ["pipe", "pipe", "pipe"],
    // A terminal's Ctrl-C is for the run, which ends what it has started.
    detached: true,
  })
  const told = Promise.withResolvers<RegExpExecArray>()
  let output = ""
  // Reads to the end, so that the program never waits for its output to be taken.
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      output = (output + decoder.decode(chunk, { stream: true })).slice(-20_000)
      const found = ready.exec(output)
      if (found) told.resolve(found)
    }
  }
  const end = (signal: NodeJS.Signals): Promise<number> => {
    if (child.exitCode === null) child.kill(signal)
    return child.exited
  }
  // Whatever ends the run: nothing that it started may stay.
  const last = () => void child.kill("SIGKILL")
  process.prependListener("exit", last) // before its folder goes
  void child.exited.then(() => process.off("exit", last))
  Promise.all([listen(child.stdout), listen(child.stderr), child.exited]).then(
    () => told.reject(new Error(`${command.join(" ")} ended with ${child.exitCode ?? child.signalCode}:\n${output}`)),
    told.reject,
  )
  const found = await told.promise
  return {
    pid: child.pid,
    ready: found,
    async kill() {
      await end("SIGKILL")
    },
    async [Symbol.asyncDispose]() {
      const impatience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS)
      await end(stopSignal)
      clearTimeout(impatience)
    },
  }
}
